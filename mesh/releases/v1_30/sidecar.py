"""The model of what Istio 1.30's injector adds to a pod: a sidecar, or a gateway if the pod's annotation selects one.

The model is a function of `Inputs`: given `TemplateInputs` it becomes the injection template, given `WorkloadInputs`
the result of manual injection. An annotation of the pod wins over the installation's values.
"""

from __future__ import annotations

from typing import Final

from mesh.proxy import proxy
from mesh.proxy.annotations import NATIVE
from mesh.proxy.expr import (
    Node,
    Value,
    any_of,
    coalesce,
    each,
    equal,
    join,
    negate,
    not_equal,
    number,
    ternary,
    truncate,
    when,
    without_suffix,
)
from mesh.proxy.inputs import Inputs
from mesh.proxy.proxy import Proxy
from mesh.proxy.redirect import pull_policy, status_port
from mesh.releases.v1_30 import env
from mesh.releases.v1_30.overrides import image, resources, seccomp_profile
from mesh.releases.v1_30.redirect import cni_annotations, init_container, transparent
from mesh.releases.v1_30.volumes import Volumes

BIND_SERVICE: Final = "sidecar.istio.io/capNetBindService"
CANONICAL: Final = "service.istio.io/canonical-"
READINESS: Final = "readiness.status.sidecar.istio.io/"
TLS_MODE: Final = "security.istio.io/tlsMode"
TUNNEL: Final = "networking.istio.io/tunnel"
LOW_PORTS: Final[dict[str, Node]] = {"sysctls": [{"name": "net.ipv4.ip_unprivileged_port_start", "value": "0"}]}
"""The security context of a gateway's pod: every user may bind ports below 1024."""


def sidecar(inputs: Inputs) -> Node:
    """The labels, annotations, containers and volumes of a pod's sidecar."""
    native, volumes = _native(inputs), Volumes(inputs)
    tunnel = coalesce(inputs.label(TUNNEL), "http")
    hbone = equal(inputs.metadata_variable("ISTIO_META_ENABLE_HBONE"), "true")
    as_init, beside = (_sidecar_proxy(inputs, volumes, native=is_native) for is_native in (True, False))
    name = without_suffix(truncate(_canonical_name(inputs), 63), "-")
    return {
        "metadata": {
            "labels": {
                TLS_MODE: coalesce(inputs.label(TLS_MODE), "istio"),
                TUNNEL: when(hbone, tunnel),
                **_labels(inputs, name),
            },
            "annotations": {**_annotations(inputs), **cni_annotations(inputs)},
        },
        "spec": {
            "initContainers": [init_container(inputs), when(native, as_init.container())],
            "containers": when(negate(native), [beside.container()]),
            "volumes": volumes.of_sidecar(),
            "imagePullSecrets": pull_secrets(inputs),
        },
    }


def gateway(inputs: Inputs) -> Node:
    """The labels, annotations, container and volumes of a pod that is a gateway; its traffic is not redirected."""
    volumes = Volumes(inputs)
    return {
        "metadata": {"labels": _labels(inputs, _canonical_name(inputs)), "annotations": _annotations(inputs)},
        "spec": {
            "securityContext": pod_security(inputs, LOW_PORTS),
            "containers": [_gateway_proxy(inputs, volumes).container()],
            "volumes": volumes.of_gateway(),
            "imagePullSecrets": pull_secrets(inputs),
        },
    }


def pull_secrets(inputs: Inputs) -> Node:
    """The Secrets with registry credentials."""
    return each(inputs.setting("global.imagePullSecrets"), lambda _, secret: {"name": secret})


def pod_security(inputs: Inputs, default: Node) -> Node:
    """The security context of a gateway's pod."""
    given = inputs.setting("gateways.securityContext", "object")
    return when(given, given, default)


def log_levels(inputs: Inputs) -> tuple[Value, Value, Value]:
    """The log levels of Envoy, of its components, and of the agent."""
    setting = inputs.setting
    return (
        inputs.annotation("sidecar.istio.io/logLevel", setting("global.proxy.logLevel")),
        inputs.annotation("sidecar.istio.io/componentLogLevel", setting("global.proxy.componentLogLevel")),
        inputs.annotation("sidecar.istio.io/agentLogLevel", setting("global.logging.level")),
    )


def outlier_args(inputs: Inputs) -> Node:
    """The argument for the file in which Envoy logs what outlier detection ejects; absent without a file."""
    path = inputs.setting("global.proxy.outlierLogPath")
    return when(path, join("--outlierLogPath=", path))


def _native(inputs: Inputs) -> Value:
    """Whether the proxy is a native sidecar: the pod's annotation wins over istiod's choice."""
    return not_equal(coalesce(inputs.annotation(NATIVE), join(inputs.native_sidecars)), "false")


def _canonical_name(inputs: Inputs) -> Value:
    label = inputs.label
    return coalesce(label(f"{CANONICAL}name"), label("app.kubernetes.io/name"), label("app"), inputs.workload)


def _labels(inputs: Inputs, name: Value) -> dict[str, Node]:
    """The canonical service and revision, under which telemetry reports the workload; labels of the pod are kept."""
    label = inputs.label
    revision = coalesce(label(f"{CANONICAL}revision"), label("app.kubernetes.io/version"), label("version"), "latest")
    return {f"{CANONICAL}name": name, f"{CANONICAL}revision": revision}


def _annotations(inputs: Inputs) -> dict[str, Node]:
    """The revision, and the default container for kubectl: the pod's first besides the proxy, if it names none."""
    names = [f"kubectl.kubernetes.io/default-{use}container" for use in ("logs-", "")]
    first = {
        name: when(inputs.containers, when(negate(inputs.annotated(name)), inputs.first_container)) for name in names
    }
    return {"istio.io/rev": coalesce(inputs.revision, "default"), **first}


def _sidecar_proxy(inputs: Inputs, volumes: Volumes, *, native: bool) -> Proxy:
    probed = not_equal(status_port(inputs), "0")
    startup = when(inputs.setting("global.proxy.startupProbe.enabled"), _startup(inputs))
    return Proxy(
        image=image(inputs, "proxy"),
        imagePullPolicy=pull_policy(inputs),
        restartPolicy="Always" if native else None,
        args=[*_args(inputs, "sidecar"), outlier_args(inputs)],
        env=env.sidecar_env(inputs),
        lifecycle=_lifecycle(inputs, _drain(inputs) if native else _wait(inputs)),
        startupProbe=when(probed, startup),
        readinessProbe=when(probed, _readiness(inputs, annotated=True)),
        resources=resources(inputs),
        securityContext=_security(inputs),
        volumeMounts=volumes.mounts_of_sidecar(),
    )


def _gateway_proxy(inputs: Inputs, volumes: Volumes) -> Proxy:
    return Proxy(
        image=image(inputs, "proxy"),
        imagePullPolicy=pull_policy(inputs),
        args=_args(inputs, "router"),
        env=env.gateway_env(inputs),
        lifecycle=_lifecycle(inputs, None),
        readinessProbe=_readiness(inputs, annotated=False),
        securityContext={"runAsUser": inputs.user, "runAsGroup": inputs.group},
        volumeMounts=volumes.mounts_of_gateway(),
    )


def _args(inputs: Inputs, role: proxy.Role) -> list[Node]:
    setting = inputs.setting
    return [
        *proxy.role_args(role, setting("global.proxy.clusterDomain")),
        *proxy.log_args(*log_levels(inputs)),
        proxy.sts_args(setting("global.sts.servicePort")),
        proxy.json_args(setting("global.logAsJson")),
    ]


def _lifecycle(inputs: Inputs, default: Node) -> Node:
    hooks = inputs.setting("global.proxy.lifecycle", "object")
    return when(hooks, hooks, default)


def _wait(inputs: Inputs) -> Node:
    """The hook for which the pod's other containers wait."""
    hold = any_of(inputs.hold_application, inputs.setting("global.proxy.holdApplicationUntilProxyStarts"))
    return when(hold, {"postStart": {"exec": {"command": ["pilot-agent", "wait"]}}})


def _drain(inputs: Inputs) -> Node:
    """The hook that drains connections as soon as the pod ends: a native sidecar is stopped after its application."""
    port = join("--debug-port=", status_port(inputs))
    return {"preStop": {"exec": {"command": ["pilot-agent", "request", port, "POST", "drain"]}}}


def _startup(inputs: Inputs) -> Node:
    failures = number(inputs.setting("global.proxy.startupProbe.failureThreshold", "plain"))
    return proxy.readiness_probe(0, 1, failures, timeoutSeconds=3)


def _readiness(inputs: Inputs, annotated: bool) -> Node:
    """The readiness probe with the installation's settings; with `annotated`, the pod's annotations override them."""

    def read(name: str) -> Value:
        everyone = inputs.setting(f"global.proxy.readiness{name[0].upper()}{name[1:]}", "plain")
        return number(inputs.annotation(READINESS + name, everyone) if annotated else everyone)

    delay, period, failures = map(read, ("initialDelaySeconds", "periodSeconds", "failureThreshold"))
    return proxy.readiness_probe(delay, period, failures, timeoutSeconds=3)


def _security(inputs: Inputs) -> Node:
    """The security context: Envoy runs as root only for TPROXY redirection, to bind ports below 1024, and to log what
    iptables does."""
    transparently = transparent(inputs)
    bind = equal(inputs.annotation(BIND_SERVICE, inputs.setting("global.proxy.capNetBindService")), "true")
    root = any_of(transparently, bind)
    traced = equal(inputs.metadata_variable("IPTABLES_TRACE_LOGGING"), "true")
    privileged = inputs.setting("global.proxy.privileged", "plain")
    usual: Node = {
        "privileged": privileged,
        "allowPrivilegeEscalation": privileged,
        "readOnlyRootFilesystem": True,
        "runAsNonRoot": negate(root),
        "runAsUser": number(ternary(root, 0, inputs.user)),
        "runAsGroup": number(ternary(root, proxy.USER, inputs.group)),
        "capabilities": {
            "drop": ["ALL"],
            "add": [when(transparently, "NET_ADMIN"), when(bind, "NET_BIND_SERVICE")],
        },
        "seccompProfile": seccomp_profile(inputs, "global.proxy"),
    }
    return when(
        traced,
        {**_TRACER, "runAsGroup": inputs.group, "seccompProfile": seccomp_profile(inputs, "global.proxy")},
        usual,
    )


_TRACER: Final[dict[str, Node]] = {
    "privileged": True,
    "allowPrivilegeEscalation": True,
    "readOnlyRootFilesystem": True,
    "runAsNonRoot": False,
    "runAsUser": 0,
    "capabilities": {"drop": ["ALL"], "add": ["NET_ADMIN"]},
}
"""The security context of a proxy that logs what iptables does."""
