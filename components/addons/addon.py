"""What addons have in common: one Deployment behind a Service in Istio's namespace, a volume, a way in from outside."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

import pulumi
import pulumi_kubernetes as k8s

from components import kube, rbac
from mesh import api
from mesh.config import addons
from mesh.config.addons import Host, Persistence
from mesh.core import names
from mesh.releases.release import Installation

core, meta = k8s.core.v1, k8s.meta.v1

Chosen = TypeVar("Chosen", bound=addons.Addon)
Labels = Mapping[str, str]

NO_SIDECAR: Final = {names.INJECT_LABEL: "false"}
CHECKSUM: Final = "checksum/config"
"""Annotation of pods that read their configuration only when they start."""


@dataclass(frozen=True, kw_only=True)
class AddonArgs(Generic[Chosen]):
    """What an addon needs to know."""

    mesh: Installation
    namespace: pulumi.Input[str]
    """Istio's, known when it exists."""
    chosen: Chosen
    """What the stack says of it."""
    insecure: bool
    """Whether it is as open as in Istio's samples."""
    urls: Mapping[str, pulumi.Output[str]]
    """Where the addons before it answer inside the cluster, by name."""
    ways_in: Mapping[str, str]
    """Where addons are reached from outside, by name."""
    api: Sequence[pulumi.Resource]
    """Istio's definitions and their validation, for the way in."""
    ingress: Labels
    """Labels of the pods of the gateway through which visitors come."""


class Addon(pulumi.ComponentResource, Generic[Chosen]):
    """One addon. Its objects are built by the class of its own; what they have in common is here."""

    url: pulumi.Output[str]
    """Where it answers inside the cluster."""
    labels: Labels
    """Labels of its objects."""

    def __init__(self, name: str, args: AddonArgs[Chosen], opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(f"mesh:addons:{type(self).__name__}", name, None, opts)
        self._name, self._args = name, args
        self._child = pulumi.ResourceOptions(parent=self)

    def _account(self) -> core.ServiceAccount:
        """The account of its pods."""
        secrets = self._args.mesh.values.global_.imagePullSecrets
        return kube.account(self._name, self._args.namespace, self.labels, secrets, self._child)

    def _rights(
        self, rules: list[k8s.rbac.v1.PolicyRuleArgs], account: core.ServiceAccount, role: str | None = None
    ) -> pulumi.Resource:
        """What the account may do on the whole cluster."""
        role = role or self._name
        granted = k8s.rbac.v1.ClusterRole(
            role, metadata=kube.metadata(role, labels=self.labels), rules=rules, opts=self._child
        )
        return k8s.rbac.v1.ClusterRoleBinding(
            role,  # with another role it is another binding: Kubernetes lets no binding change its role
            metadata=kube.metadata(role, labels=self.labels),
            role_ref=rbac.reference("ClusterRole", role),
            subjects=rbac.account(self._name, self._args.mesh.root),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[granted, account]),
        )

    def _documents(self, data: Mapping[str, pulumi.Input[str]], name: str | None = None) -> core.ConfigMap:
        """A ConfigMap, of the addon's name if not said otherwise."""
        name = name or self._name
        metadata = kube.metadata(name, self._args.namespace, self.labels)
        return core.ConfigMap(name, metadata=metadata, data=dict(data), opts=self._child)

    def _secret(self, name: str, key: str, value: pulumi.Output[str]) -> core.Secret:
        """A Secret with one value, which Pulumi encrypts in the state and shows to nobody."""
        metadata = kube.metadata(name, self._args.namespace, self.labels)
        encoded = value.apply(lambda text: base64.b64encode(text.encode()).decode())
        return core.Secret(name, metadata=metadata, data={key: encoded}, opts=self._child)

    def _service(
        self,
        ports: Mapping[str, int],
        selector: Labels,
        *,
        name: str | None = None,
        targets: Mapping[str, int] | None = None,
        labels: Labels | None = None,
    ) -> core.Service:
        """A Service inside the cluster with `ports` by name; `targets` are the pods' ports where they differ."""
        targets = {**ports, **(targets or {})}
        wanted = [
            core.ServicePortArgs(name=port, port=number, target_port=targets[port], protocol="TCP")
            for port, number in ports.items()
        ]
        spec = core.ServiceSpecArgs(type="ClusterIP", selector=dict(selector), ports=wanted)
        return kube.service(name or self._name, self._args.namespace, labels or self.labels, spec, self._child)

    def _deployment(
        self,
        pod: core.PodSpecArgs,
        selector: Labels,
        after: Sequence[pulumi.Resource],
        *,
        labels: Labels | None = None,
        annotations: Mapping[str, pulumi.Input[str]] | None = None,
        strategy: k8s.apps.v1.DeploymentStrategyArgs | None = None,
    ) -> k8s.apps.v1.Deployment:
        """The pods, without a sidecar."""
        chosen = self._args.chosen
        keeps = isinstance(chosen, addons.PersistentAddon) and chosen.persistence
        of_pods = meta.ObjectMetaArgs(
            labels=dict(labels or selector), annotations={**NO_SIDECAR, **(annotations or {})}
        )
        return k8s.apps.v1.Deployment(
            self._name,
            metadata=kube.metadata(self._name, self._args.namespace, self.labels),
            spec=k8s.apps.v1.DeploymentSpecArgs(
                replicas=1,
                selector=meta.LabelSelectorArgs(match_labels=dict(selector)),
                strategy=at_once(0) if keeps else strategy,
                template=core.PodTemplateSpecArgs(metadata=of_pods, spec=pod),
            ),
            opts=pulumi.ResourceOptions(parent=self, depends_on=list(after)),
        )

    def _storage(self, volume: str, wanted: Persistence | None) -> core.VolumeArgs:
        """The volume for what the addon keeps: one that outlives the pod, if wanted."""
        if wanted is None:
            return core.VolumeArgs(name=volume, empty_dir=core.EmptyDirVolumeSourceArgs())
        # It may be bound only when a pod asks for it, and the Deployment is waited for.
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

    def _way_in(self) -> None:
        """The host under which it is reached through the ingress gateway, if the stack asks for one."""
        chosen = self._args.chosen
        if not (host := chosen.host):
            return
        name, root = f"addon-{self._name}", self._args.mesh.root
        domain = self._args.mesh.values.global_.proxy.clusterDomain
        gateway = api.Gateway(selector=dict(self._args.ingress), servers=[_server(host)])
        where = api.Destination(host=f"{chosen.service}.{root}.svc.{domain}", port=api.PortSelector(number=chosen.port))
        pages = api.HTTPRoute(route=[api.HTTPRouteDestination(destination=where)])
        routes = api.VirtualService(hosts=[host.name], gateways=[name], http=[*_from_root(chosen.path), pages])
        after = pulumi.ResourceOptions(parent=self, depends_on=list(self._args.api))
        for made in (gateway, routes):
            kube.custom(made.manifest(name, root, self._args.mesh.release.api), self._args.namespace, after)

    def _ready(self, service: core.Service) -> None:
        """Hands out the address of its pages, and makes the way in, once all other objects are described."""
        self._way_in()
        chosen = self._args.chosen
        host = pulumi.Output.concat(service.metadata.name, ".", service.metadata.namespace)
        self.url = pulumi.Output.concat("http://", host, "" if chosen.port == 80 else f":{chosen.port}", chosen.path)
        self.register_outputs({"url": self.url})


def _from_root(path: str) -> list[api.HTTPRoute]:
    """Leads who names the host alone to where the pages are."""
    alone = api.HTTPMatchRequest(uri=api.StringMatch(exact="/"))
    return [api.HTTPRoute(match=[alone], redirect=api.HTTPRedirect(uri=path))] if path else []


def _server(host: Host) -> api.Server:
    """Plain HTTP, or HTTPS with the host's certificate."""
    if host.certificate is None:
        return api.Server(port=api.Port(number=80, name="http", protocol="HTTP"), hosts=[host.name])
    tls = api.ServerTLSSettings(mode="SIMPLE", credentialName=host.certificate)
    return api.Server(port=api.Port(number=443, name="https", protocol="HTTPS"), hosts=[host.name], tls=tls)


def at_once(more: int) -> k8s.apps.v1.DeploymentStrategyArgs:
    """An update that may start so many new pods before it ends the old one: none where both would want one volume.

    `Recreate` would say it in a word, but server-side apply cannot change to it: what the API server has filled in for
    the other type stays, and is then refused."""
    amounts = k8s.apps.v1.RollingUpdateDeploymentArgs(max_surge=more, max_unavailable=1)
    return k8s.apps.v1.DeploymentStrategyArgs(type="RollingUpdate", rolling_update=amounts)


def checksum(*documents: str) -> str:
    """Changes with the documents."""
    return hashlib.sha256("\0".join(documents).encode()).hexdigest()


def mount(volume: str, path: str, file: str | None = None, read_only: bool | None = None) -> core.VolumeMountArgs:
    """A volume in a container; of it only `file`, if that is given."""
    return core.VolumeMountArgs(name=volume, mount_path=path, sub_path=file, read_only=read_only)


def config_volume(volume: str, config_map: pulumi.Input[str]) -> core.VolumeArgs:
    return core.VolumeArgs(name=volume, config_map=core.ConfigMapVolumeSourceArgs(name=config_map))


def probe(path: str, port: int | str, **timing: Any) -> core.ProbeArgs:
    """Whether an HTTP GET answers; `timing` as in ProbeArgs."""
    return core.ProbeArgs(http_get=core.HTTPGetActionArgs(path=path, port=port), **timing)


def environment(values: Mapping[str, str]) -> list[core.EnvVarArgs]:
    return [core.EnvVarArgs(name=name, value=value) for name, value in values.items()]


def from_secret(name: str, secret: str, key: str) -> core.EnvVarArgs:
    """A variable whose value only the container gets to see."""
    source = core.EnvVarSourceArgs(secret_key_ref=core.SecretKeySelectorArgs(name=secret, key=key))
    return core.EnvVarArgs(name=name, value_from=source)
