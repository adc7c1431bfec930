"""The pods that istiod 1.30 makes of a Gateway of the Gateway API."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from mesh.core.names import DEFAULT_CLUSTER
from mesh.proxy import proxy
from mesh.proxy.expr import Expr, Node, call, each, equal, join, negate, value_or, when
from mesh.proxy.injection.inputs import TemplateInputs
from mesh.proxy.proxy import DATA_VOLUME, Proxy, Volume, env_from_field, env_var
from mesh.proxy.redirect import pull_policy
from mesh.releases.v1_30 import env, sidecar, volumes
from mesh.releases.v1_30.overrides import image, seccomp_profile, setting_without_nulls

NAMESPACE: Final = Expr("$.Namespace")
DEPLOYMENT: Final = Expr("$.DeploymentName")
ACCOUNT: Final = Expr("$.ServiceAccount")
_NETWORK: Final = call("index", Expr("$.InfrastructureLabels"), "topology.istio.io/network")
_EAST_WEST: Final = equal(Expr("$.ControllerLabel"), "istio.io-eastwest-controller")
_SCHEDULING: Final = ("affinity", "topologySpreadConstraints", "nodeSelector", "tolerations")
_PORTS: Final[tuple[Node, ...]] = tuple(
    {"containerPort": port, "name": name, "protocol": "TCP"}
    for name, port in (("metrics", 15020), ("status-port", proxy.HEALTH_PORT))
)
_LOCKED_DOWN: Final[dict[str, Node]] = {
    "privileged": False,
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "runAsNonRoot": True,
    "capabilities": {"drop": ["ALL"]},
}
_SOCKET: Final = volumes.socket("workload-socket", "workload-spiffe-uds")


def gateway(inputs: TemplateInputs) -> Node:
    """The spec of a gateway's pods."""
    setting = inputs.setting
    sockets = (_SOCKET, volumes.CREDENTIAL_SOCKET, *volumes.certificates(inputs, source=True))
    root = volumes.root_certificate(inputs, volumes.signed_by_istiod(inputs))
    token = volumes.token(setting("global.sds.token.aud"))
    hooks = setting("global.proxy.lifecycle", "object")
    logs = proxy.json_args(setting("global.logAsJson"))
    container = _proxy(
        inputs,
        [*_role(inputs, "router"), *_levels(inputs), proxy.sts_args(setting("global.sts.servicePort")), logs],
        _gateway_env(inputs),
        (*sockets, root, DATA_VOLUME, volumes.ENVOY, token, volumes.INFO),
        lifecycle=when(hooks, hooks),
        resources=setting_without_nulls(inputs, "global.proxy.resources"),
        securityContext={**_LOCKED_DOWN, "runAsUser": inputs.user, "runAsGroup": inputs.group},
    )
    default = {**sidecar.LOW_PORTS, "seccompProfile": seccomp_profile(inputs, "gateways")}
    listed = (*sockets, volumes.ENVOY, DATA_VOLUME, volumes.INFO, token, root)
    return {"securityContext": sidecar.pod_security(inputs, default), **_pod(inputs, container, listed)}


def waypoint(inputs: TemplateInputs) -> Node:
    """The spec of a waypoint's pods."""
    setting = inputs.setting
    root, token = volumes.root_certificate(inputs, True), volumes.token("istio-ca")
    fixed = negate(equal(setting("global.platform"), "openshift"))  # which gives each namespace a user of its own
    cluster: list[Node] = ["--serviceCluster", join(ACCOUNT, ".$(POD_NAMESPACE)")]
    logs = proxy.json_args(setting("global.logAsJson"))
    container = _proxy(
        inputs,
        [*_role(inputs, "waypoint"), *cluster, *_levels(inputs), logs, sidecar.outlier_args(inputs)],
        _waypoint_env(inputs),
        (_SOCKET, root, DATA_VOLUME, volumes.ENVOY, token, volumes.INFO),
        resources=setting_without_nulls(inputs, "global.waypoint.resources"),
        securityContext={
            **_LOCKED_DOWN,
            "runAsUser": when(fixed, proxy.USER),
            "runAsGroup": when(fixed, proxy.USER),
            "seccompProfile": seccomp_profile(inputs, "gateways"),
        },
    )
    envoy, data = (Volume(name=f"go-proxy-{name}", source=one.source, path="") for name, one in _UNUSED.items())
    listed = (_SOCKET, volumes.ENVOY, envoy, DATA_VOLUME, data, volumes.INFO, token, root)
    scheduling = {name: setting(f"global.waypoint.{name}", "object") for name in _SCHEDULING}
    return {**{name: when(value, value) for name, value in scheduling.items()}, **_pod(inputs, container, listed)}


_UNUSED: Final = {"envoy": volumes.ENVOY, "data": DATA_VOLUME}
"""Volumes of which a waypoint has another one, which nothing mounts."""


def _pod(inputs: TemplateInputs, container: Proxy, listed: Iterable[Volume]) -> dict[str, Any]:
    return {
        "serviceAccountName": ACCOUNT,
        "containers": [container.container()],
        "volumes": [volume.volume() for volume in listed],
        "imagePullSecrets": sidecar.pull_secrets(inputs),
    }


def _proxy(
    inputs: TemplateInputs, args: list[Node], variables: list[Node], mounted: Iterable[Volume], **more: Any
) -> Proxy:
    return Proxy(
        image=image(inputs, "proxy"),
        imagePullPolicy=pull_policy(inputs),
        args=args,
        env=variables,
        ports=_PORTS,
        startupProbe=_probe(1, 1, 30),
        readinessProbe=_probe(0, 15, 4),
        volumeMounts=[volume.mount() for volume in mounted],
        **more,
    )


def _probe(delay: int, period: int, failures: int) -> Node:
    return proxy.readiness_probe(delay, period, failures, scheme="HTTP", successThreshold=1, timeoutSeconds=1)


def _role(inputs: TemplateInputs, role: proxy.Role) -> list[Node]:
    return proxy.role_args(role, inputs.setting("global.proxy.clusterDomain"))


def _levels(inputs: TemplateInputs) -> list[Node]:
    flags = ("--proxyLogLevel", "--proxyComponentLogLevel", "--log_output_level")
    return [[flag, level] for flag, level in zip(flags, sidecar.log_levels(inputs), strict=True)]


def _gateway_env(inputs: TemplateInputs) -> list[Node]:
    network = value_or(_NETWORK, inputs.setting("global.network"))
    return [
        *env.identity(inputs),
        env.config(inputs),
        env_var("ISTIO_META_POD_PORTS", "[]"),
        env_var("ISTIO_META_APP_CONTAINERS", ""),
        *env.limits(),
        env.cluster(inputs, Expr("$.ClusterID")),
        env.NODE,
        env_var("ISTIO_META_INTERCEPTION_MODE", inputs.interception_mode),
        when(network, env_var("ISTIO_META_NETWORK", network)),
        *_workload(inputs),
        each(inputs.proxy_metadata, env_var),
        when(_NETWORK, env_var(_VIEW, _NETWORK)),
    ]


def _waypoint_env(inputs: TemplateInputs) -> list[Node]:
    network = value_or(_NETWORK, inputs.setting("global.network"))
    return [
        env_from_field("ISTIO_META_SERVICE_ACCOUNT", "spec.serviceAccountName"),
        env.NODE,
        *env.identity(inputs),
        env.config(inputs),
        each(inputs.proxy_metadata, env_var),
        *env.limits(),
        env.cluster(inputs, DEFAULT_CLUSTER),
        when(network, env_var("ISTIO_META_NETWORK", network)),
        when(network, when(_EAST_WEST, env_var(_VIEW, network))),
        env_var("ISTIO_META_INTERCEPTION_MODE", "REDIRECT"),
        *_workload(inputs),
    ]


_VIEW: Final = "ISTIO_META_REQUESTED_NETWORK_VIEW"
"""Variable: the network whose endpoints the proxy gets."""


def _workload(inputs: TemplateInputs) -> list[Node]:
    return [
        env_var("ISTIO_META_WORKLOAD_NAME", DEPLOYMENT),
        env_var("ISTIO_META_OWNER", proxy.owner_uri("apps/v1", NAMESPACE, "deployment", DEPLOYMENT)),
        *env.mesh(inputs),
    ]
