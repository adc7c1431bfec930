"""Envoy's rate-limit service, which counts the requests of all proxies for global limits, and its Redis."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pulumi
import pulumi_kubernetes as k8s

from components import kube
from mesh.config.stack import Stack
from mesh.core import documents
from mesh.releases.release import Installation
from mesh.traffic import envoy
from mesh.traffic.rate_limits import RateLimit as Chosen

core, meta, net = k8s.core.v1, k8s.meta.v1, k8s.networking.v1

NAME: Final = envoy.SERVICE
REDIS: Final = f"{NAME}-redis"
CONFIG: Final = f"{NAME}-config"
CHECKSUM: Final = "mesh/config-checksum"
"""Pod annotation with a checksum of the limits, so that the pods restart when these change."""
_HTTP: Final = 8080
_REDIS_PORT: Final = 6379
_ROOT: Final = "/data"
_NOBODY: Final = 65532
_REDIS_USER: Final = 999
"""The uid of the user `redis` in the image."""


@dataclass(frozen=True, kw_only=True)
class RateLimitArgs:
    """Arguments of RateLimit."""

    mesh: Installation
    spec: Chosen
    namespace: pulumi.Input[str]
    """Name of its namespace, which has no injection; known when it exists."""
    descriptors: Sequence[Mapping[str, Any]]
    """The limits, as `descriptors` of the service's configuration."""


def install(stack: Stack, namespaces: Mapping[str, pulumi.Input[str]], opts: pulumi.ResourceOptions) -> None:
    """Installs the service if the stack has a global limit."""
    if stack.rate_limits:
        spec = stack.settings.rateLimit
        args = RateLimitArgs(
            mesh=stack.installation,
            spec=spec,
            namespace=namespaces[spec.namespace or stack.settings.root],
            descriptors=stack.rate_limits,
        )
        RateLimit("ratelimit", args, opts)


class RateLimit(pulumi.ComponentResource):
    """The service, its config and its Redis.

    Neither has access to the Kubernetes API, and a NetworkPolicy lets only the service reach Redis."""

    def __init__(self, name: str, args: RateLimitArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mesh:ratelimit:RateLimit", name, None, opts)
        self._args = args
        self._child = pulumi.ResourceOptions(parent=self)
        text = documents.dump({"domain": envoy.DOMAIN, "descriptors": list(args.descriptors)}, sort_keys=False)
        config = core.ConfigMap(
            CONFIG,
            metadata=kube.metadata(CONFIG, args.namespace, _labels(NAME)),
            data={"config.yaml": text},
            opts=self._child,
        )
        redis = self._redis()
        self._service(NAME, {"grpc": envoy.PORT, "http": _HTTP})
        container = _service_container(args.spec, args.spec.image or args.mesh.release.rate_limit.image)
        self._deployment(NAME, container, _NOBODY, [config, redis], hashlib.sha256(text.encode()).hexdigest()[:8])
        self.register_outputs({})

    def _redis(self) -> pulumi.Resource:
        self._service(REDIS, {"tcp-redis": _REDIS_PORT})
        caller = net.NetworkPolicyPeerArgs(pod_selector=meta.LabelSelectorArgs(match_labels=_labels(NAME)))
        net.NetworkPolicy(
            REDIS,
            metadata=kube.metadata(REDIS, self._args.namespace, _labels(REDIS)),
            spec=net.NetworkPolicySpecArgs(
                pod_selector=meta.LabelSelectorArgs(match_labels=_labels(REDIS)),
                policy_types=["Ingress"],
                ingress=[
                    net.NetworkPolicyIngressRuleArgs(
                        from_=[caller], ports=[net.NetworkPolicyPortArgs(port=_REDIS_PORT, protocol="TCP")]
                    )
                ],
            ),
            opts=self._child,
        )
        a = self._args
        container = _redis_container(a.spec, a.spec.redisImage or a.mesh.release.rate_limit.redis)
        return self._deployment(REDIS, container, _REDIS_USER, [])

    def _service(self, name: str, ports: Mapping[str, int]) -> None:
        wanted = [core.ServicePortArgs(name=port, port=number) for port, number in ports.items()]
        spec = core.ServiceSpecArgs(selector=_labels(name), ports=wanted)
        kube.service(name, self._args.namespace, _labels(name), spec, self._child)

    def _deployment(
        self, name: str, container: core.ContainerArgs, user: int, after: Sequence[pulumi.Resource], checksum: str = ""
    ) -> k8s.apps.v1.Deployment:
        a, labels = self._args, _labels(name)
        account = core.ServiceAccount(
            name,
            metadata=kube.metadata(name, a.namespace, labels),
            automount_service_account_token=False,
            opts=self._child,
        )
        config = core.VolumeArgs(name="config", config_map=core.ConfigMapVolumeSourceArgs(name=CONFIG))
        scratch = core.VolumeArgs(name="scratch", empty_dir=core.EmptyDirVolumeSourceArgs())
        pod = core.PodSpecArgs(
            service_account_name=name,
            automount_service_account_token=False,
            security_context=core.PodSecurityContextArgs(
                run_as_non_root=True,
                run_as_user=user,
                run_as_group=user,
                seccomp_profile=core.SeccompProfileArgs(type="RuntimeDefault"),
            ),
            containers=[container],
            volumes=[config if name == NAME else scratch],
        )
        annotations = {CHECKSUM: checksum} if checksum else None
        return k8s.apps.v1.Deployment(
            name,
            metadata=kube.metadata(name, a.namespace, labels),
            spec=k8s.apps.v1.DeploymentSpecArgs(
                replicas=1,
                selector=meta.LabelSelectorArgs(match_labels=labels),
                template=core.PodTemplateSpecArgs(
                    metadata=meta.ObjectMetaArgs(labels=labels, annotations=annotations), spec=pod
                ),
            ),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[account, *after]),
        )


def _labels(name: str) -> dict[str, str]:
    return {"app": name}


def _service_container(spec: Chosen, image: str) -> core.ContainerArgs:
    env = {
        "LOG_LEVEL": "info",
        "USE_STATSD": "false",
        "REDIS_SOCKET_TYPE": "tcp",
        "REDIS_URL": f"{REDIS}:{_REDIS_PORT}",
        "RUNTIME_ROOT": _ROOT,
        "RUNTIME_SUBDIRECTORY": NAME,
    }
    path = f"{_ROOT}/{NAME}/config/config.yaml"
    health = core.HTTPGetActionArgs(path="/healthcheck", port=_HTTP)
    return core.ContainerArgs(
        name=NAME,
        image=image,
        command=["/bin/ratelimit"],
        env=[core.EnvVarArgs(name=name, value=value) for name, value in env.items()],
        ports=[core.ContainerPortArgs(container_port=port) for port in (_HTTP, envoy.PORT)],
        # Only the file is mounted: the service would also read the entries that Kubernetes adds to a mounted folder.
        volume_mounts=[core.VolumeMountArgs(name="config", mount_path=path, sub_path="config.yaml", read_only=True)],
        readiness_probe=core.ProbeArgs(http_get=health, period_seconds=5),
        resources=kube.resources(spec.resources),
        security_context=_confined(),
    )


def _redis_container(spec: Chosen, image: str) -> core.ContainerArgs:
    """The container of Redis, without persistence: the counters may be lost when it ends."""
    return core.ContainerArgs(
        name="redis",
        image=image,
        args=["--save", "", "--appendonly", "no"],
        ports=[core.ContainerPortArgs(container_port=_REDIS_PORT)],
        volume_mounts=[core.VolumeMountArgs(name="scratch", mount_path=_ROOT)],
        readiness_probe=core.ProbeArgs(tcp_socket=core.TCPSocketActionArgs(port=_REDIS_PORT), period_seconds=5),
        resources=kube.resources(spec.resources),
        security_context=_confined(),
    )


def _confined() -> core.SecurityContextArgs:
    return core.SecurityContextArgs(
        allow_privilege_escalation=False,
        read_only_root_filesystem=True,
        capabilities=core.CapabilitiesArgs(drop=["ALL"]),
    )
