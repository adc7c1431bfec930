"""istiod: its Deployment and Service, the ConfigMaps that it reads, and the webhooks that it serves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pulumi
import pulumi_kubernetes as k8s

from components import elsewhere, kube, meshconfig, rbac, telemetry, webhooks, workloads
from components.base import Base
from mesh.core.merge import merged, merged_by
from mesh.core.names import XDS_PORT
from mesh.releases.release import Installation

NAME: Final = "istiod"

_PORTS: Final = tuple(
    {"name": name, "port": port, "targetPort": target, "protocol": "TCP"}
    for name, port, target in (
        ("grpc-xds", 15010, 15010),
        ("https-dns", XDS_PORT, XDS_PORT),
        ("https-webhook", 443, 15017),
        ("http-monitoring", 15014, 15014),
    )
)
"""The ports of the Service."""

core, meta = k8s.core.v1, k8s.meta.v1


@dataclass(frozen=True, kw_only=True)
class IstiodArgs:
    """Arguments of Istiod."""

    mesh: Installation
    base: Base
    """Its namespace, account and roles, and Istio's definitions, which must exist before istiod watches the objects."""
    gate: bool = True
    """Whether the webhooks count as ready only when istiod has patched them (`mesh:injectionGate`)."""
    takes_over: Sequence[pulumi.Resource] = ()
    """The webhooks that replace this control plane's own injection webhook, which changes only after them."""


class Istiod(pulumi.ComponentResource):
    """istiod and the objects that belong to it."""

    serving: list[pulumi.Resource]
    """Ready when istiod serves configuration to proxies."""
    injecting: list[pulumi.Resource]
    """The injection webhooks, ready when new pods of a labelled namespace get a sidecar."""
    validation: list[pulumi.Resource]
    """The validation webhooks, ready when they check Istio's objects."""

    def __init__(self, name: str, args: IstiodArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mesh:istio:Istiod", name, None, opts)
        self._args, mesh = args, args.mesh
        self._name, self._pilot = mesh.revisioned(NAME), mesh.values.pilot
        self._labels = {"app": NAME, "istio": "pilot", **mesh.labels}
        self._selector = {"app": NAME, **(mesh.labels if mesh.values.revision else {"istio": "pilot"})}
        self._child = pulumi.ResourceOptions(parent=self)
        self._namespace = args.base.namespace
        permissions = [*args.base.permissions, *rbac.of_control_plane(mesh, self._namespace, self)]
        documents = meshconfig.config_maps(mesh, self._namespace, self._child)
        elsewhere.lead_to(mesh, self._namespace, self._child)
        self.serving = self._serve([*permissions, *documents, *args.base.definitions]) if mesh.in_namespaces else []
        answering = self._after(*self.serving, *(self._services() if mesh.in_namespaces else []))
        injecting = pulumi.ResourceOptions.merge(answering, self._after(*args.takes_over))
        self.injecting = [*webhooks.injectors(mesh, args.gate, injecting)]
        self.validation = [*webhooks.validators(mesh, args.gate, answering)]
        if mesh.in_namespaces:
            webhooks.policies(mesh, self._child)
        telemetry.install(mesh, self._namespace, self._after(*args.base.definitions, *self.validation))
        self.register_outputs({})

    def _after(self, *resources: pulumi.Resource) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions(parent=self, depends_on=list(resources))

    def _serve(self, after: Sequence[pulumi.Resource]) -> list[pulumi.Resource]:
        deployment = self._deploy(after)
        self._scaling(deployment)
        return [deployment]

    def _deploy(self, after: Sequence[pulumi.Resource]) -> k8s.apps.v1.Deployment:
        mesh, pilot = self._args.mesh, self._pilot
        selector = self._selector if mesh.values.revision else {"istio": "pilot"}
        pod: Any = mesh.release.istiod_pod(mesh)
        labels = {**self._labels, **pilot.deploymentLabels}
        return k8s.apps.v1.Deployment(
            self._name,
            metadata=kube.metadata(self._name, self._namespace, labels, pilot.deploymentAnnotations),
            spec=k8s.apps.v1.DeploymentSpecArgs(
                replicas=pilot.replicas,
                strategy=workloads.strategy(pilot),
                selector=meta.LabelSelectorArgs(match_labels=selector),
                template=pod,
            ),
            opts=self._after(*after),
        )

    def _services(self) -> list[pulumi.Resource]:
        """The Service, and one for each tag of this revision."""
        mesh = self._args.mesh
        tags = [tag for tag in mesh.release.tags(mesh) if tag.service]
        pilot = self._pilot
        return [
            self._service(self._name, self._labels, pilot.trafficDistribution, pilot.service),
            *(self._service(f"{NAME}-revision-tag-{tag.name}", {**self._labels, **tag.labels}) for tag in tags),
        ]

    def _service(
        self, name: str, labels: Mapping[str, str], distribution: str = "", own: Mapping[str, Any] | None = None
    ) -> core.Service:
        """A Service of istiod; `own` has fields that are merged over those of its spec, ports by their number."""
        pilot, more = self._pilot, dict(own or {})
        spec = {
            "selector": self._selector,
            "ports": merged_by("port", _PORTS, more.pop("ports", ())),
            **({"ipFamilyPolicy": pilot.ipFamilyPolicy} if pilot.ipFamilyPolicy else {}),
            **({"ipFamilies": list(pilot.ipFamilies)} if pilot.ipFamilies else {}),
            **({"trafficDistribution": distribution} if distribution else {}),
        }
        wanted = core.ServiceSpecArgs(**kube.arguments(merged(spec, more)))
        return kube.service(name, self._namespace, labels, wanted, self._child, pilot.serviceAnnotations)

    def _scaling(self, deployment: pulumi.Resource) -> None:
        mesh, namespace, pilot = self._args.mesh, self._namespace, self._pilot
        if workloads.budgeted(mesh, pilot):
            workloads.disruption_budget(
                self._name, namespace, self._labels, self._selector, pilot, self._child, mesh.values.pdb
            )
        if pilot.autoscaleEnabled:
            labels = {"app": NAME, **mesh.labels}
            workloads.autoscaler(self._name, namespace, labels, pilot, self._after(deployment))
