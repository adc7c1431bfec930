"""The model of what Istio 1.10's injector adds to a pod: a sidecar, or a gateway if the pod's annotation selects one.

The model is a function of `Inputs`: given `TemplateInputs` it becomes the injection template, given `WorkloadInputs`
the result of manual injection. An annotation of the pod wins over the installation's values.
"""

from __future__ import annotations

from typing import Final

from mesh.proxy import proxy, redirect
from mesh.proxy.expr import (
    Node,
    Value,
    any_of,
    coalesce,
    contains,
    each,
    equal,
    greater,
    join,
    negate,
    not_equal,
    number,
    ternary,
    value_or,
    when,
)
from mesh.proxy.inputs import Inputs
from mesh.proxy.overrides import IMAGE, image, resources
from mesh.proxy.proxy import Proxy
from mesh.releases.common import additions
from mesh.releases.v1_10 import env
from mesh.releases.v1_10.redirect import cni_annotations, init_container

BIND_SERVICE: Final = "sidecar.istio.io/capNetBindService"
CANONICAL: Final = "service.istio.io/canonical-"
READINESS: Final = "readiness.status.sidecar.istio.io/"
TLS_MODE: Final = "security.istio.io/tlsMode"


def sidecar(inputs: Inputs) -> Node:
    """The labels, annotations, containers and volumes of a pod's sidecar."""
    volumes = _Volumes(inputs)
    return {
        "metadata": {
            "labels": {TLS_MODE: coalesce(inputs.label(TLS_MODE), "istio"), **_labels(inputs)},
            "annotations": {**_annotations(inputs), **cni_annotations(inputs)},
        },
        "spec": {
            "initContainers": [init_container(inputs), _core_dump(inputs)],
            "containers": [_sidecar_proxy(inputs, volumes).container()],
            "volumes": volumes.of_sidecar(),
            **_pod_settings(inputs),
        },
    }


def gateway(inputs: Inputs) -> Node:
    """The labels, annotations, container and volumes of a pod that is a gateway; its traffic is not redirected."""
    volumes = _Volumes(inputs)
    return {
        "metadata": {"labels": _labels(inputs), "annotations": _annotations(inputs)},
        "spec": {
            "containers": [_gateway_proxy(inputs, volumes).container()],
            "volumes": volumes.of_gateway(),
            **_pod_settings(inputs),
        },
    }


def _labels(inputs: Inputs) -> dict[str, Node]:
    """Labels for telemetry and the control plane: canonical service and revision; labels of the pod are kept."""
    name, label = inputs.workload, inputs.label
    return {
        f"{CANONICAL}name": coalesce(label(f"{CANONICAL}name"), label("app.kubernetes.io/name"), label("app"), name),
        f"{CANONICAL}revision": coalesce(
            label(f"{CANONICAL}revision"), label("app.kubernetes.io/version"), label("version"), "latest"
        ),
        "istio.io/rev": coalesce(inputs.revision, "default"),
    }


def _annotations(inputs: Inputs) -> dict[str, Node]:
    """The default container for kubectl, if the pod has exactly one besides the proxy."""
    only = inputs.only_container
    return {f"kubectl.kubernetes.io/default-{use}container": when(only, only) for use in ("", "logs-")}


def _pod_settings(inputs: Inputs) -> dict[str, Node]:
    secrets = inputs.setting("global.imagePullSecrets")
    legacy = equal(inputs.environment("ENABLE_LEGACY_FSGROUP_INJECTION", "true"), "true")
    return {
        "imagePullSecrets": each(secrets, lambda _, secret: {"name": secret}),
        "securityContext": when(legacy, {"fsGroup": proxy.USER}),  # else the proxy cannot read its token
    }


def _core_dump(inputs: Inputs) -> Node:
    container = proxy.core_dump_container(
        image(inputs, "proxy_init"),
        redirect.pull_policy(inputs),
        allowPrivilegeEscalation=True,
        readOnlyRootFilesystem=False,
        capabilities={"add": ["SYS_ADMIN"], "drop": ["ALL"]},
    )
    return when(inputs.setting("global.proxy.enableCoreDump"), container)


def _sidecar_proxy(inputs: Inputs, volumes: _Volumes) -> Proxy:
    hold = any_of(inputs.hold_application, inputs.setting("global.proxy.holdApplicationUntilProxyStarts"))
    wait: Node = {"postStart": {"exec": {"command": ["pilot-agent", "wait"]}}}
    concurrency = when(greater(inputs.concurrency, 0), ["--concurrency", join(inputs.concurrency)])
    probed = not_equal(redirect.status_port(inputs), "0")
    return Proxy(
        image=image(inputs, "proxy"),
        imagePullPolicy=redirect.pull_policy(inputs),
        args=[*_args(inputs, "sidecar"), concurrency],
        env=env.sidecar_env(inputs),
        lifecycle=_lifecycle(inputs, when(hold, wait)),
        readinessProbe=when(probed, _readiness(inputs, annotated=True)),
        resources=resources(inputs),
        securityContext=_security(inputs),
        volumeMounts=volumes.mounts_of_sidecar(),
    )


def _gateway_proxy(inputs: Inputs, volumes: _Volumes) -> Proxy:
    setting = inputs.setting
    named = setting("global.proxy.image")
    released = proxy.release_image(setting("global.hub"), named, setting("global.tag"))
    return Proxy(
        # Unlike a sidecar's, the image of the pod's annotation is used only if the installation's is a full reference.
        image=ternary(contains("/", named), inputs.annotation(IMAGE, named), released),
        imagePullPolicy=redirect.pull_policy(inputs),
        args=_args(inputs, "router"),
        env=env.gateway_env(inputs),
        lifecycle=_lifecycle(inputs, None),
        readinessProbe=_readiness(inputs, annotated=False),
        volumeMounts=volumes.mounts_of_gateway(),
    )


def _args(inputs: Inputs, role: proxy.Role) -> list[Node]:
    setting, app = inputs.setting, inputs.label("app")
    workload = join(value_or(inputs.workload, proxy.CONTAINER), ".", value_or(inputs.namespace, "default"))
    return [
        *proxy.role_args(role, setting("global.proxy.clusterDomain")),
        "--serviceCluster",
        ternary(not_equal(app, ""), join(app, ".$(POD_NAMESPACE)"), workload),
        *proxy.log_args(
            inputs.annotation("sidecar.istio.io/logLevel", setting("global.proxy.logLevel")),
            inputs.annotation("sidecar.istio.io/componentLogLevel", setting("global.proxy.componentLogLevel")),
            inputs.annotation("sidecar.istio.io/agentLogLevel", setting("global.logging.level")),
        ),
        proxy.sts_args(setting("global.sts.servicePort")),
        proxy.json_args(setting("global.logAsJson")),
    ]


def _lifecycle(inputs: Inputs, default: Node) -> Node:
    hooks = inputs.setting("global.proxy.lifecycle", "object")
    return when(hooks, hooks, default)


def _readiness(inputs: Inputs, annotated: bool) -> Node:
    """The readiness probe with the installation's settings; with `annotated`, the pod's annotations override them."""

    def read(name: str) -> Value:
        everyone = inputs.setting(f"global.proxy.readiness{name[0].upper()}{name[1:]}", "plain")
        return number(inputs.annotation(READINESS + name, everyone) if annotated else everyone)

    delay, period, failures = map(read, ("initialDelaySeconds", "periodSeconds", "failureThreshold"))
    return proxy.readiness_probe(delay, period, failures, timeoutSeconds=3)


def _security(inputs: Inputs) -> Node:
    """The security context: Envoy runs as root only for TPROXY redirection, and to bind ports below 1024."""
    transparent = equal(redirect.interception_mode(inputs), "TPROXY")
    bind = equal(inputs.annotation(BIND_SERVICE, inputs.setting("global.proxy.capNetBindService")), "true")
    root = any_of(transparent, bind)
    privileged = inputs.setting("global.proxy.privileged", "plain")
    return {
        "privileged": privileged,
        "allowPrivilegeEscalation": privileged,
        "readOnlyRootFilesystem": negate(inputs.setting("global.proxy.enableCoreDump")),
        "runAsNonRoot": negate(root),
        "runAsUser": number(ternary(root, 0, proxy.USER)),
        "runAsGroup": proxy.USER,
        "capabilities": {
            "drop": ["ALL"],
            "add": [when(transparent, "NET_ADMIN"), when(bind, "NET_BIND_SERVICE")],
        },
    }


class _Volumes:
    """The volumes of injected pods and their mounts, in the orders in which Istio lists them."""

    def __init__(self, inputs: Inputs) -> None:
        setting = inputs.setting
        self._inputs = inputs
        self._bootstrap = additions.bootstrap_volume(inputs)
        self._envoy = proxy.envoy_volume(medium="Memory")
        self._info = proxy.pod_info_volume("istio-podinfo")
        self._token = proxy.token_volume(setting("global.jwtPolicy"), setting("global.sds.token.aud"))
        self._ca = proxy.ca_volume(setting("global.pilotCertProvider"))
        self._certificates = additions.certificates(inputs)
        self._tracer = additions.tracer_volume(inputs)

    def of_sidecar(self) -> list[Node]:
        return [
            self._bootstrap.volume(),
            *self.of_gateway(),
            additions.of_user(self._inputs, "userVolume"),
            self._tracer.volume(),
        ]

    def of_gateway(self) -> list[Node]:
        volumes = (self._envoy, proxy.DATA_VOLUME, self._info, self._token, self._ca, self._certificates)
        return [volume.volume() for volume in volumes]

    def mounts_of_sidecar(self) -> list[Node]:
        volumes = (self._ca, proxy.DATA_VOLUME, self._bootstrap, self._envoy, self._token, self._certificates)
        mounts = [volume.mount() for volume in (*volumes, self._info, self._tracer)]
        return [*mounts, additions.of_user(self._inputs, "userVolumeMount")]

    def mounts_of_gateway(self) -> list[Node]:
        volumes = (self._ca, proxy.DATA_VOLUME, self._envoy, self._token, self._certificates, self._info)
        return [volume.mount() for volume in volumes]
