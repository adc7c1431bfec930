"""The control plane: istiod, what it reads, what it may do, and the webhooks that it serves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pulumi
import pulumi_kubernetes as k8s
import yaml

from components import injection, kube, meshconfig, rbac, sidecar, telemetry, webhooks
from components.profiles import Profile
from components.release import ISTIO

NAME: Final = "istiod"
ACCOUNT: Final = "istiod-service-account"
REVISION: Final = "default"
MESH_CONFIG: Final = "istio"
"""ConfigMap with the mesh-wide configuration; gateways mount it too."""
INJECTOR: Final = "istio-sidecar-injector"
USER: Final = 1337
LABELS: Final = {"app": NAME, "istio": "pilot"}

core, meta = k8s.core.v1, k8s.meta.v1


@dataclass(frozen=True, kw_only=True)
class IstiodArgs:
    """What the control plane needs to know."""

    namespace: pulumi.Input[str]
    root: str
    """The namespace's name as plain text, for names that are built from it."""
    profile: Profile
    hub: str
    tag: str
    definitions: Sequence[pulumi.Resource]
    """Istio's API: it must exist before istiod reads it."""
    gate: bool = True
    """Whether the webhooks count as ready only when istiod has patched them."""


class Istiod(pulumi.ComponentResource):
    """istiod and everything that belongs to it."""

    revision: pulumi.Output[str]
    injector: k8s.admissionregistration.v1.MutatingWebhookConfiguration
    """Ready when new pods of a labelled namespace get their sidecar."""
    validator: k8s.admissionregistration.v1.ValidatingWebhookConfiguration
    """Ready when Istio's objects are checked."""
    deployment: k8s.apps.v1.Deployment

    def __init__(self, name: str, args: IstiodArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mesh:istio:Istiod", name, None, opts)
        self._args = args
        self._labels = {**LABELS, webhooks.REVISION_LABEL: REVISION}
        self._child = pulumi.ResourceOptions(parent=self)
        self.revision = pulumi.Output.from_input(REVISION)
        self._values = meshconfig.injection_values(args.profile, args.hub, args.tag, args.root)
        self._mesh = meshconfig.mesh(args.profile, args.root)
        permissions = self._permissions()
        documents = self._documents()
        self.deployment = self._deployment([*permissions, *documents, *args.definitions])
        service = self._service()
        self._scaling()
        self.injector = self._injector([self.deployment, service])
        self.validator = self._validator([self.deployment, service])
        self._filters()
        self.register_outputs({"revision": self.revision})

    def inject(self, workload: Mapping[str, Any]) -> dict[str, Any]:
        """The workload, in wire names, with the sidecar that istiod would give its pods. Raises InjectionError."""
        return sidecar.inject(workload, self._values, self._mesh)

    def _after(self, *resources: pulumi.Resource) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions(parent=self, depends_on=list(resources))

    def _permissions(self) -> list[pulumi.Resource]:
        """The account and its roles, on the cluster and in the namespace."""
        name, labels, namespace = f"istiod-{self._args.root}", {"app": NAME}, self._args.namespace
        subjects = rbac.account(ACCOUNT, self._args.root)
        account = core.ServiceAccount(ACCOUNT, metadata=kube.metadata(ACCOUNT, namespace, labels), opts=self._child)
        everywhere = k8s.rbac.v1.ClusterRole(
            name,
            metadata=kube.metadata(name, labels=labels),
            rules=[*rbac.rules(rbac.ISTIOD), rbac.SIGNER],
            opts=self._child,
        )
        here = k8s.rbac.v1.Role(
            name,
            metadata=kube.metadata(name, namespace, labels),
            rules=rbac.rules(rbac.ISTIOD_NAMESPACE),
            opts=self._child,
        )
        bindings = [
            k8s.rbac.v1.ClusterRoleBinding(
                name,
                metadata=kube.metadata(name, labels=labels),
                role_ref=rbac.reference("ClusterRole", name),
                subjects=subjects,
                opts=self._after(everywhere),
            ),
            k8s.rbac.v1.RoleBinding(
                name,
                metadata=kube.metadata(name, namespace, labels),
                role_ref=rbac.reference("Role", name),
                subjects=subjects,
                opts=self._after(here),
            ),
        ]
        return [account, *bindings]

    def _documents(self) -> list[pulumi.Resource]:
        """What istiod reads: the mesh-wide configuration, and the injection template with its values."""
        a = self._args
        mesh = yaml.safe_dump(self._mesh, sort_keys=True)
        contents = {
            MESH_CONFIG: {"mesh": mesh, "meshNetworks": "networks: {}\n"},
            INJECTOR: injection.config_map_data(self._values),
        }
        return [
            core.ConfigMap(
                name,
                metadata=kube.metadata(name, a.namespace, {webhooks.REVISION_LABEL: REVISION}),
                data=data,
                opts=self._child,
            )
            for name, data in contents.items()
        ]

    def _deployment(self, after: Sequence[pulumi.Resource]) -> k8s.apps.v1.Deployment:
        pilot = self._args.profile.pilot
        annotations = {
            "prometheus.io/port": "15014",
            "prometheus.io/scrape": "true",
            webhooks.INJECT_LABEL: "false",
        }
        return k8s.apps.v1.Deployment(
            NAME,
            metadata=kube.metadata(NAME, self._args.namespace, self._labels),
            spec=k8s.apps.v1.DeploymentSpecArgs(
                replicas=None if pilot.autoscale else pilot.replicas,
                strategy=kube.rolling_update(),
                selector=meta.LabelSelectorArgs(match_labels={"istio": LABELS["istio"]}),
                template=core.PodTemplateSpecArgs(
                    metadata=meta.ObjectMetaArgs(
                        labels={**self._labels, webhooks.INJECT_LABEL: "false"}, annotations=annotations
                    ),
                    spec=core.PodSpecArgs(
                        service_account_name=ACCOUNT,
                        security_context=core.PodSecurityContextArgs(fs_group=USER),
                        containers=[self._container()],
                        volumes=_volumes(),
                    ),
                ),
            ),
            opts=self._after(*after),
        )

    def _container(self) -> core.ContainerArgs:
        a = self._args
        return core.ContainerArgs(
            name="discovery",
            image=f"{a.hub}/pilot:{a.tag}",
            args=[
                "discovery",
                "--monitoringAddr=:15014",
                "--log_output_level=default:info",
                "--domain",
                meshconfig.DOMAIN,
                "--keepaliveMaxServerConnectionAge",
                "30m",
            ],
            ports=[core.ContainerPortArgs(container_port=p, protocol="TCP") for p in (8080, 15010, 15017)],
            readiness_probe=core.ProbeArgs(
                http_get=core.HTTPGetActionArgs(path="/ready", port=8080),
                initial_delay_seconds=1,
                period_seconds=3,
                timeout_seconds=5,
            ),
            env=self._environment(),
            resources=kube.resources(a.profile.pilot.resources),
            security_context=core.SecurityContextArgs(
                run_as_user=USER,
                run_as_group=USER,
                run_as_non_root=True,
                capabilities=core.CapabilitiesArgs(drop=["ALL"]),
            ),
            volume_mounts=[
                core.VolumeMountArgs(name=name, mount_path=path, read_only=read_only)
                for name, path, read_only in (
                    ("istio-token", "/var/run/secrets/tokens", True),
                    ("local-certs", "/var/run/secrets/istio-dns", None),
                    ("cacerts", "/etc/cacerts", True),
                    ("istio-kubeconfig", "/var/run/secrets/remote", True),
                )
            ],
        )

    def _environment(self) -> list[core.EnvVarArgs]:
        literal = {
            "REVISION": REVISION,
            "JWT_POLICY": "third-party-jwt",
            "PILOT_CERT_PROVIDER": "istiod",
            "KUBECONFIG": "/var/run/secrets/remote/config",
            "PILOT_TRACE_SAMPLING": f"{self._args.profile.pilot.traceSampling:g}",
            "PILOT_ENABLE_PROTOCOL_SNIFFING_FOR_OUTBOUND": "true",
            "PILOT_ENABLE_PROTOCOL_SNIFFING_FOR_INBOUND": "true",
            "ISTIOD_ADDR": meshconfig.discovery_address(self._args.root),
            "PILOT_ENABLE_ANALYSIS": "false",
            "CLUSTER_ID": "Kubernetes",
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
            ("https-dns", meshconfig.XDS_PORT, meshconfig.XDS_PORT),
            ("https-webhook", 443, 15017),
            ("http-monitoring", 15014, 15014),
        )
        spec = core.ServiceSpecArgs(
            selector=LABELS,
            ports=[
                core.ServicePortArgs(name=name, port=port, target_port=target, protocol="TCP")
                for name, port, target in ports
            ],
        )
        return kube.service(NAME, self._args.namespace, self._labels, spec, self._child)

    def _scaling(self) -> None:
        a, pilot = self._args, self._args.profile.pilot
        kube.disruption_budget(NAME, a.namespace, self._labels, LABELS, self._child)
        if pilot.autoscale:
            labels = {"app": NAME, webhooks.REVISION_LABEL: REVISION}
            kube.autoscaler(NAME, a.namespace, labels, pilot.autoscale, self._after(self.deployment))

    def _injector(self, after: Sequence[pulumi.Resource]) -> k8s.admissionregistration.v1.MutatingWebhookConfiguration:
        labels = {"app": "sidecar-injector", webhooks.REVISION_LABEL: REVISION}
        hooks = webhooks.injection(NAME, self._args.root, REVISION)
        ready = kube.ready_when(hooks, webhooks.PATCHED) if self._args.gate else None
        return k8s.admissionregistration.v1.MutatingWebhookConfiguration(
            INJECTOR,
            metadata=kube.metadata(INJECTOR, labels=labels, annotations=ready),
            webhooks=hooks,
            opts=self._after(*after),
        )

    def _validator(
        self, after: Sequence[pulumi.Resource]
    ) -> k8s.admissionregistration.v1.ValidatingWebhookConfiguration:
        name = f"istiod-{self._args.root}"  # istiod looks for this very name
        hooks = webhooks.validation(NAME, self._args.root)
        ready = kube.ready_when(hooks, webhooks.PATCHED, webhooks.ENFORCED) if self._args.gate else None
        return k8s.admissionregistration.v1.ValidatingWebhookConfiguration(
            name,
            metadata=kube.metadata(name, labels={"app": NAME, "istio": NAME}, annotations=ready),
            webhooks=hooks,
            opts=self._after(*after),
        )

    def _filters(self) -> None:
        labels = {webhooks.REVISION_LABEL: REVISION}
        after = self._after(*self._args.definitions, self.validator)
        for name, envoy_filter in telemetry.filters(ISTIO.proxy_generations):
            manifest = envoy_filter.manifest(name, self._args.root, labels)
            kube.custom(manifest, self._args.namespace, after)


def _volumes() -> list[core.VolumeArgs]:
    token = core.ServiceAccountTokenProjectionArgs(audience="istio-ca", expiration_seconds=43200, path="istio-token")
    return [
        core.VolumeArgs(name="local-certs", empty_dir=core.EmptyDirVolumeSourceArgs(medium="Memory")),
        core.VolumeArgs(
            name="istio-token",
            projected=core.ProjectedVolumeSourceArgs(sources=[core.VolumeProjectionArgs(service_account_token=token)]),
        ),
        *(
            core.VolumeArgs(name=name, secret=core.SecretVolumeSourceArgs(secret_name=name, optional=True))
            for name in ("cacerts", "istio-kubeconfig")
        ),
    ]
