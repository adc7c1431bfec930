"""The control plane: istiod, what it reads, and the webhooks that it serves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import pulumi
import pulumi_kubernetes as k8s

from components import kube, meshconfig, telemetry, webhooks
from components.base import ISTIOD, Base
from mesh.core import names
from mesh.core.names import XDS_PORT
from mesh.releases.release import Installation

NAME: Final = "istiod"
USER: Final = 1337

core, meta = k8s.core.v1, k8s.meta.v1


@dataclass(frozen=True, kw_only=True)
class IstiodArgs:
    """What the control plane needs to know."""

    mesh: Installation
    base: Base
    """Where it goes, and what it needs: account and roles, and Istio's API, which must exist before it is read."""
    gate: bool = True
    """Whether the webhooks count as ready only when istiod has patched them."""


class Istiod(pulumi.ComponentResource):
    """istiod and everything that belongs to it."""

    serving: list[pulumi.Resource]
    """Ready when proxies get their configuration."""
    injector: k8s.admissionregistration.v1.MutatingWebhookConfiguration
    """Ready when new pods of a labelled namespace get their sidecar."""
    validation: list[pulumi.Resource]
    """Ready when Istio's objects are checked; one control plane of a cluster does it, that which brings the base."""

    def __init__(self, name: str, args: IstiodArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mesh:istio:Istiod", name, None, opts)
        self._args, mesh = args, args.mesh
        self._name, self._pilot = mesh.named(NAME), mesh.values.pilot
        self._labels = {"app": NAME, "istio": "pilot", **mesh.labels}
        self._selector = {"app": NAME, **(mesh.labels if mesh.values.revision else {"istio": "pilot"})}
        self._child = pulumi.ResourceOptions(parent=self)
        self._namespace = args.base.namespace
        documents = meshconfig.documents(mesh, self._namespace, self._child)
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
        own = {"istio": NAME} if mesh.values.revision else {}
        return k8s.apps.v1.Deployment(
            self._name,
            metadata=kube.metadata(self._name, self._namespace, {**self._labels, **pilot.deploymentLabels}),
            spec=k8s.apps.v1.DeploymentSpecArgs(
                replicas=pilot.replicas,
                strategy=kube.rolling_update(pilot),
                selector=meta.LabelSelectorArgs(match_labels=selector),
                template=core.PodTemplateSpecArgs(
                    metadata=meta.ObjectMetaArgs(
                        labels={**self._labels, **own, names.INJECT_LABEL: "false"},
                        annotations=self._annotations(),
                    ),
                    spec=core.PodSpecArgs(
                        service_account_name=ISTIOD,
                        priority_class_name=mesh.values.global_.priorityClassName or None,
                        security_context=core.PodSecurityContextArgs(fs_group=USER),
                        containers=[self._container()],
                        volumes=_volumes(self._bound_token),
                        **pilot.place,
                    ),
                ),
            ),
            opts=self._after(*after),
        )

    def _annotations(self) -> dict[str, str]:
        scraped = {"prometheus.io/port": "15014", "prometheus.io/scrape": "true"}
        merge = self._args.mesh.values.meshConfig.enablePrometheusMerge
        return {**(scraped if merge else {}), names.INJECT_LABEL: "false", **self._pilot.podAnnotations}

    @property
    def _bound_token(self) -> bool:
        """Whether istiod uses a token that is bound to an audience."""
        return self._args.mesh.values.global_.jwtPolicy == "third-party-jwt"

    def _container(self) -> core.ContainerArgs:
        values = self._args.mesh.values
        return core.ContainerArgs(
            name="discovery",
            image=values.image(self._pilot.image),
            image_pull_policy=values.global_.imagePullPolicy or None,
            args=self._flags(),
            ports=[core.ContainerPortArgs(container_port=p, protocol="TCP") for p in (8080, 15010, 15017)],
            readiness_probe=core.ProbeArgs(
                http_get=core.HTTPGetActionArgs(path="/ready", port=8080),
                initial_delay_seconds=1,
                period_seconds=3,
                timeout_seconds=5,
            ),
            env=self._environment(),
            resources=kube.resources(self._pilot.resources),
            security_context=core.SecurityContextArgs(
                run_as_user=USER,
                run_as_group=USER,
                run_as_non_root=True,
                capabilities=core.CapabilitiesArgs(drop=["ALL"]),
            ),
            volume_mounts=_mounts(self._bound_token),
        )

    def _flags(self) -> list[pulumi.Input[str]]:
        chosen = self._args.mesh.values.global_
        return [
            "discovery",
            "--monitoringAddr=:15014",
            *([f"--log_output_level={chosen.logging.level}"] if chosen.logging.level else []),
            *(["--log_as_json"] if chosen.logAsJson else []),
            "--domain",
            chosen.proxy.clusterDomain,
            *(["-a", self._args.mesh.root] if chosen.oneNamespace else []),
            "--keepaliveMaxServerConnectionAge",
            self._pilot.keepaliveMaxServerConnectionAge,
        ]

    def _environment(self) -> list[core.EnvVarArgs]:
        mesh, pilot = self._args.mesh, self._pilot
        chosen = mesh.values.global_
        literal: Mapping[str, str] = {
            "REVISION": mesh.revision,
            "JWT_POLICY": chosen.jwtPolicy,
            "PILOT_CERT_PROVIDER": "istiod",
            "KUBECONFIG": "/var/run/secrets/remote/config",
            **({} if mesh.values.telemetry.v2.enabled else {"PILOT_ENDPOINT_TELEMETRY_LABEL": "false"}),
            **({"PILOT_TRACE_SAMPLING": f"{pilot.traceSampling:g}"} if pilot.traceSampling else {}),
            "PILOT_ENABLE_PROTOCOL_SNIFFING_FOR_OUTBOUND": _flag(pilot.enableProtocolSniffingForOutbound),
            "PILOT_ENABLE_PROTOCOL_SNIFFING_FOR_INBOUND": _flag(pilot.enableProtocolSniffingForInbound),
            "ISTIOD_ADDR": mesh.discovery_address,
            "PILOT_ENABLE_ANALYSIS": _flag(chosen.istiod.enableAnalysis),
            "CLUSTER_ID": chosen.multiCluster.clusterName or "Kubernetes",
            **pilot.env,
        }
        of_pod = {
            "POD_NAME": "metadata.name",
            "POD_NAMESPACE": "metadata.namespace",
            "SERVICE_ACCOUNT": "spec.serviceAccountName",
        }
        return [core.EnvVarArgs(name=name, value=value) for name, value in literal.items()] + [
            core.EnvVarArgs(
                name=name,
                value_from=core.EnvVarSourceArgs(
                    field_ref=core.ObjectFieldSelectorArgs(api_version="v1", field_path=path)
                ),
            )
            for name, path in of_pod.items()
        ]

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


def _flag(value: bool) -> str:
    return str(value).lower()


def _mounts(bound_token: bool) -> list[core.VolumeMountArgs]:
    mounts = {
        "local-certs": core.VolumeMountArgs(name="local-certs", mount_path="/var/run/secrets/istio-dns"),
        "cacerts": core.VolumeMountArgs(name="cacerts", mount_path="/etc/cacerts", read_only=True),
        "istio-kubeconfig": core.VolumeMountArgs(
            name="istio-kubeconfig", mount_path="/var/run/secrets/remote", read_only=True
        ),
    }
    token = core.VolumeMountArgs(name="istio-token", mount_path="/var/run/secrets/tokens", read_only=True)
    return [*([token] if bound_token else []), *mounts.values()]


def _volumes(bound_token: bool) -> list[core.VolumeArgs]:
    token = core.ServiceAccountTokenProjectionArgs(audience="istio-ca", expiration_seconds=43200, path="istio-token")
    bound = core.VolumeArgs(
        name="istio-token",
        projected=core.ProjectedVolumeSourceArgs(sources=[core.VolumeProjectionArgs(service_account_token=token)]),
    )
    return [
        core.VolumeArgs(name="local-certs", empty_dir=core.EmptyDirVolumeSourceArgs(medium="Memory")),
        *([bound] if bound_token else []),
        *(
            core.VolumeArgs(name=name, secret=core.SecretVolumeSourceArgs(secret_name=name, optional=True))
            for name in ("cacerts", "istio-kubeconfig")
        ),
    ]
