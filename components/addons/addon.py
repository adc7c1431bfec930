"""The base class of addons: a workload with its Services in Istio's namespace, a volume, and a host at the gateway."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

import pulumi
import pulumi_kubernetes as k8s

from components import kube, rbac
from components.addons import secrets
from mesh import api
from mesh.config import addons
from mesh.config.addons import Host, Persistence
from mesh.config.existing import Existing
from mesh.core import names
from mesh.releases.addons import Labels, Part, Sample
from mesh.releases.release import Installation

core, meta = k8s.core.v1, k8s.meta.v1

Settings = TypeVar("Settings", bound=addons.Addon)
CHECKSUM: Final = "checksum/config"
"""Pod annotation with a checksum of the configuration, for addons that read it only when they start."""


@dataclass(frozen=True, kw_only=True)
class AddonArgs(Generic[Settings]):
    """Arguments of an addon."""

    mesh: Installation
    namespace: pulumi.Input[str]
    """Name of Istio's namespace, known when that exists."""
    settings: Settings
    """The addon's settings in `mesh:addons`."""
    insecure: bool
    """Whether it needs no login, as in Istio's samples (`mesh:addons.insecureDemo`)."""
    urls: Mapping[str, pulumi.Output[str]]
    """URLs inside the cluster of the addons that are installed before it, by name."""
    external_urls: Mapping[str, str]
    """URLs outside the cluster of all addons with a host, by name."""
    existing: Mapping[str, Existing]
    """The existing services that it uses instead of addons of the stack, by name."""
    api: Sequence[pulumi.Resource]
    """Istio's definitions and the validation webhook, which its Gateway and VirtualService depend on."""
    ingress: Labels
    """Labels of the ingress gateway's pods."""


class Addon(pulumi.ComponentResource, Generic[Settings]):
    """One addon. Subclasses create its objects with the methods of this class."""

    url: pulumi.Output[str]
    """Its URL inside the cluster."""
    labels: Labels
    """Labels of its objects."""

    def __init__(
        self, name: str, args: AddonArgs[Settings], sample: Sample, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(f"mesh:addons:{type(self).__name__}", name, None, opts)
        self._name, self._args, self._pods = name, args, sample
        self.labels = sample.labels
        self._child = pulumi.ResourceOptions(parent=self)

    def _account(self) -> core.ServiceAccount:
        """The service account of its pods."""
        secrets = self._args.mesh.values.global_.imagePullSecrets
        return kube.service_account(self._name, self._args.namespace, self.labels, secrets, self._child)

    def _grant(
        self,
        rules: list[k8s.rbac.v1.PolicyRuleArgs],
        account: core.ServiceAccount,
        role: str | None = None,
        binding: str = "",
    ) -> pulumi.Resource:
        """A ClusterRole and its binding to the account. `role` is the name of the role, by default the addon's.
        `binding` is the name of the binding, by default the role's."""
        return rbac.grant_on_cluster(
            self, role or self._name, rules, self._name, self._args.mesh.root, self.labels, binding, after=[account]
        )

    def _config_map(self, data: Mapping[str, pulumi.Input[str]], name: str | None = None) -> core.ConfigMap:
        """A ConfigMap, by default with the addon's name."""
        name = name or self._name
        metadata = kube.metadata(name, self._args.namespace, self.labels)
        return core.ConfigMap(name, metadata=metadata, data=dict(data), opts=self._child)

    def _secret(self, name: str, key: str, value: pulumi.Output[str]) -> core.Secret:
        """A Secret with one value, which Pulumi encrypts in the state and never prints."""
        metadata = kube.metadata(name, self._args.namespace, self.labels)
        encoded = value.apply(lambda text: base64.b64encode(text.encode()).decode())
        return core.Secret(name, metadata=metadata, data={key: encoded}, opts=self._child)

    def _credentials(self) -> dict[str, core.Secret]:
        """A Secret for each existing service with a login, by name of the service; its key is the secret part."""
        return {
            name: self._secret(f"{self._name}-{name}", login.part, secrets.get(one.secret))
            for name, one in self._args.existing.items()
            if (login := one.as_login)
        }

    def _service(
        self,
        ports: Mapping[str, int],
        *,
        name: str | None = None,
        targets: Mapping[str, int] | None = None,
        labels: Labels | None = None,
        protocol: str | None = None,
        headless: bool = False,
    ) -> core.Service:
        """A Service inside the cluster with `ports` by name. `targets` are the pods' ports if they differ. `protocol`
        is the protocol of the ports (`appProtocol`)."""
        targets = {**ports, **(targets or {})}
        wanted = [
            core.ServicePortArgs(
                name=port, port=number, target_port=targets[port], protocol="TCP", app_protocol=protocol
            )
            for port, number in ports.items()
        ]
        spec = core.ServiceSpecArgs(
            type="ClusterIP",
            cluster_ip="None" if headless else None,
            selector=dict(self._pods.selector),
            ports=wanted,
        )
        return kube.service(name or self._name, self._args.namespace, labels or self.labels, spec, self._child)

    def _template(
        self, pod: core.PodSpecArgs, annotations: Mapping[str, pulumi.Input[str]] | None = None
    ) -> core.PodTemplateSpecArgs:
        """The template of its pods, which get no sidecar."""
        sample = self._pods
        metadata = meta.ObjectMetaArgs(
            labels=dict(sample.pod_labels), annotations={**sample.annotations, **(annotations or {})}
        )
        return core.PodTemplateSpecArgs(metadata=metadata, spec=pod)

    def _deployment(
        self,
        pod: core.PodSpecArgs,
        after: Sequence[pulumi.Resource],
        *,
        annotations: Mapping[str, pulumi.Input[str]] | None = None,
        strategy: k8s.apps.v1.DeploymentStrategyArgs | None = None,
    ) -> k8s.apps.v1.Deployment:
        """The Deployment."""
        settings = self._args.settings
        keeps = isinstance(settings, addons.PersistentAddon) and settings.persistence
        return k8s.apps.v1.Deployment(
            self._name,
            metadata=kube.metadata(self._name, self._args.namespace, self.labels),
            spec=k8s.apps.v1.DeploymentSpecArgs(
                replicas=1,
                selector=meta.LabelSelectorArgs(match_labels=dict(self._pods.selector)),
                strategy=rolling_update(0) if keeps else strategy,
                template=self._template(pod, annotations),
            ),
            opts=pulumi.ResourceOptions(parent=self, depends_on=list(after)),
        )

    def _pod(
        self, containers: Sequence[core.ContainerArgs], volumes: Sequence[core.VolumeArgs], **more: Any
    ) -> core.PodSpecArgs:
        """A pod; `more` are further arguments of PodSpecArgs."""
        sample = self._pods
        return core.PodSpecArgs(
            automount_service_account_token=None if sample.token else False,
            security_context=_context(sample.security),
            containers=list(containers),
            volumes=list(volumes),
            **more,
        )

    def _container(self, name: str, image: str, **more: Any) -> core.ContainerArgs:
        """A container; `more` are further arguments of ContainerArgs."""
        context = _context(self._pods.container_security)
        return core.ContainerArgs(name=name, image=image, security_context=context, **more)

    def _storage(self, volume: str, wanted: Persistence | None) -> core.VolumeArgs:
        """The volume for the addon's data: a persistent one if `wanted`, otherwise an `emptyDir`."""
        if wanted is None:
            return core.VolumeArgs(name=volume, empty_dir=core.EmptyDirVolumeSourceArgs())
        # The claim may stay unbound until a pod uses it, and Pulumi waits for the Deployment.
        metadata = kube.metadata(self._name, self._args.namespace, self.labels, {names.SKIP_AWAIT: "true"})
        claim = core.PersistentVolumeClaim(
            self._name,
            metadata=metadata,
            spec=core.PersistentVolumeClaimSpecArgs(
                access_modes=["ReadWriteOnce"],
                storage_class_name=wanted.storageClass,
                resources=core.VolumeResourceRequirementsArgs(requests={"storage": wanted.size}),
            ),
            opts=self._child,
        )
        source = core.PersistentVolumeClaimVolumeSourceArgs(claim_name=claim.metadata.name)
        return core.VolumeArgs(name=volume, persistent_volume_claim=source)

    def _expose(self) -> None:
        """Creates a Gateway and a VirtualService for the addon's host, if its settings name one."""
        settings = self._args.settings
        if not (host := settings.host):
            return
        name, root = f"addon-{self._name}", self._args.mesh.root
        domain = self._args.mesh.values.global_.proxy.clusterDomain
        gateway = api.Gateway(selector=dict(self._args.ingress), servers=[_server(host)])
        where = api.Destination(
            host=f"{settings.service}.{root}.svc.{domain}", port=api.PortSelector(number=settings.port)
        )
        pages = api.HTTPRoute(route=[api.HTTPRouteDestination(destination=where)])
        routes = api.VirtualService(hosts=[host.name], gateways=[name], http=[*_from_root(settings.path), pages])
        after = pulumi.ResourceOptions(parent=self, depends_on=list(self._args.api))
        for made in (gateway, routes):
            kube.custom_resource(made.manifest(name, root, self._args.mesh.api), self._args.namespace, after)

    def _finish(self, service: core.Service) -> None:
        """Sets `url` and creates the host; called last by every addon."""
        self._expose()
        settings = self._args.settings
        host = pulumi.Output.concat(service.metadata.name, ".", service.metadata.namespace)
        self.url = pulumi.Output.concat(
            "http://", host, "" if settings.port == 80 else f":{settings.port}", settings.path
        )
        self.register_outputs({"url": self.url})


def _from_root(path: str) -> list[api.HTTPRoute]:
    """A redirect from `/` to the path of the addon's pages, if they have another path."""
    alone = api.HTTPMatchRequest(uri=api.StringMatch(exact="/"))
    return [api.HTTPRoute(match=[alone], redirect=api.HTTPRedirect(uri=path))] if path else []


def _server(host: Host) -> api.Server:
    """Plain HTTP, or HTTPS with the host's certificate."""
    if host.certificate is None:
        return api.Server(port=api.Port(number=80, name="http", protocol="HTTP"), hosts=[host.name])
    tls = api.ServerTLSSettings(mode="SIMPLE", credentialName=host.certificate)
    return api.Server(port=api.Port(number=443, name="https", protocol="HTTPS"), hosts=[host.name], tls=tls)


def _context(context: Part | None) -> Any:
    """A security context, with the field names of the Kubernetes API."""
    return dict(context) if context else None


def rolling_update(max_surge: int) -> k8s.apps.v1.DeploymentStrategyArgs:
    """A rolling update with this `maxSurge`: 0 for a pod with a persistent volume, which only one pod can mount.

    `Recreate` would be simpler, but server-side apply cannot change a Deployment to it: the default values of
    `rollingUpdate` remain, and the API server refuses them then."""
    amounts = k8s.apps.v1.RollingUpdateDeploymentArgs(max_surge=max_surge, max_unavailable=1)
    return k8s.apps.v1.DeploymentStrategyArgs(type="RollingUpdate", rolling_update=amounts)


def checksum(*documents: str) -> str:
    """A checksum of documents."""
    return hashlib.sha256("\0".join(documents).encode()).hexdigest()


def mount(volume: str, path: str, file: str | None = None, read_only: bool | None = None) -> core.VolumeMountArgs:
    """A volume mount, of the whole volume or of one `file` in it."""
    return core.VolumeMountArgs(name=volume, mount_path=path, sub_path=file, read_only=read_only)


def config_volume(volume: str, config_map: pulumi.Input[str]) -> core.VolumeArgs:
    return core.VolumeArgs(name=volume, config_map=core.ConfigMapVolumeSourceArgs(name=config_map))


def probe(path: str, port: int | str, **timing: Any) -> core.ProbeArgs:
    """An HTTP GET probe; `timing` are further arguments of ProbeArgs."""
    return core.ProbeArgs(http_get=core.HTTPGetActionArgs(path=path, port=port), **timing)


def environment(values: Mapping[str, str]) -> list[core.EnvVarArgs]:
    return [core.EnvVarArgs(name=name, value=value) for name, value in values.items()]


def from_secret(name: str, secret: str, key: str) -> core.EnvVarArgs:
    """An environment variable with a value from a Secret."""
    source = core.EnvVarSourceArgs(secret_key_ref=core.SecretKeySelectorArgs(name=secret, key=key))
    return core.EnvVarArgs(name=name, value_from=source)
