"""istiod: its Deployment and Service, the ConfigMaps that it reads, and the webhooks that it serves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import pulumi
import pulumi_kubernetes as k8s

from components import kube, meshconfig, telemetry, webhooks
from components.base import Base
from mesh.core.names import XDS_PORT
from mesh.releases.release import Installation

NAME: Final = "istiod"

core, meta = k8s.core.v1, k8s.meta.v1


@dataclass(frozen=True, kw_only=True)
class IstiodArgs:
    """Arguments of Istiod."""

    mesh: Installation
    base: Base
    """Its namespace, account and roles, and Istio's definitions, which must exist before istiod watches the objects."""
    gate: bool = True
    """Whether the webhooks count as ready only when istiod has patched them (`mesh:injectionGate`)."""


class Istiod(pulumi.ComponentResource):
    """istiod and the objects that belong to it."""

    serving: list[pulumi.Resource]
    """Ready when istiod serves configuration to proxies."""
    injector: k8s.admissionregistration.v1.MutatingWebhookConfiguration
    """Ready when new pods of a labelled namespace get a sidecar."""
    validation: list[pulumi.Resource]
    """The validation webhook, ready when it checks Istio's objects; only a control plane with the base has it."""

    def __init__(self, name: str, args: IstiodArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mesh:istio:Istiod", name, None, opts)
        self._args, mesh = args, args.mesh
        self._name, self._pilot = mesh.revisioned(NAME), mesh.values.pilot
        self._labels = {"app": NAME, "istio": "pilot", **mesh.labels}
        self._selector = {"app": NAME, **(mesh.labels if mesh.values.revision else {"istio": "pilot"})}
        self._child = pulumi.ResourceOptions(parent=self)
        self._namespace = args.base.namespace
        documents = meshconfig.config_maps(mesh, self._namespace, self._child)
        self._deployment = self._deploy([*args.base.permissions, *documents, *args.base.definitions])
        self.serving = [self._deployment]
        answering = self._after(self._deployment, self._service())
        self._scaling()
        self.injector = webhooks.injector(mesh, args.gate, answering)
        self.validation = [webhooks.validator(mesh, args.gate, answering)] if mesh.values.base.enabled else []
        telemetry.install(mesh, self._namespace, self._after(*args.base.definitions, *self.validation))
        self.register_outputs({})

    def _after(self, *resources: pulumi.Resource) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions(parent=self, depends_on=list(resources))

    def _deploy(self, after: Sequence[pulumi.Resource]) -> k8s.apps.v1.Deployment:
        mesh, pilot = self._args.mesh, self._pilot
        selector = self._selector if mesh.values.revision else {"istio": "pilot"}
        pod: Any = mesh.release.istiod_pod(mesh)
        return k8s.apps.v1.Deployment(
            self._name,
            metadata=kube.metadata(self._name, self._namespace, {**self._labels, **pilot.deploymentLabels}),
            spec=k8s.apps.v1.DeploymentSpecArgs(
                replicas=pilot.replicas,
                strategy=kube.rolling_update(pilot),
                selector=meta.LabelSelectorArgs(match_labels=selector),
                template=pod,
            ),
            opts=self._after(*after),
        )

    def _service(self) -> core.Service:
        ports = (
            ("grpc-xds", 15010, 15010),
            ("https-dns", XDS_PORT, XDS_PORT),
            ("https-webhook", 443, 15017),
            ("http-monitoring", 15014, 15014),
        )
        spec = core.ServiceSpecArgs(
            selector=self._selector,
            ports=[
                core.ServicePortArgs(name=name, port=port, target_port=target, protocol="TCP")
                for name, port, target in ports
            ],
        )
        notes = self._pilot.serviceAnnotations
        return kube.service(self._name, self._namespace, self._labels, spec, self._child, notes)

    def _scaling(self) -> None:
        mesh, namespace = self._args.mesh, self._namespace
        if mesh.values.global_.defaultPodDisruptionBudget.enabled:
            kube.disruption_budget(self._name, namespace, self._labels, self._selector, self._child)
        if self._pilot.autoscaleEnabled:
            labels = {"app": NAME, **mesh.labels}
            kube.autoscaler(self._name, namespace, labels, self._pilot, self._after(self._deployment))
