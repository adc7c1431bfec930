"""What the injector of Istio 1.10 adds to a pod: a sidecar, or a gateway where the pod asks for one by annotation.

One description, over a `Source` of inputs: those that the injector reads when it runs the template, or those of one
workload that is known here. An annotation of the pod wins over the installation's values.
"""

from __future__ import annotations

from typing import Final

from mesh.proxy import proxy, redirect
from mesh.proxy.expr import (
    Node,
    Value,
    both,
    choose,
    contains,
    differs,
    each,
    either,
    equal,
    first_of,
    greater,
    join,
    negate,
    number,
    value_or,
    when,
)
from mesh.proxy.overrides import IMAGE, image, resources
from mesh.proxy.proxy import Proxy, Volume
from mesh.proxy.source import Source
from mesh.releases.v1_10 import env

BIND_SERVICE: Final = "sidecar.istio.io/capNetBindService"
CANONICAL: Final = "service.istio.io/canonical-"
READINESS: Final = "readiness.status.sidecar.istio.io/"
TLS_MODE: Final = "security.istio.io/tlsMode"


def sidecar(source: Source) -> Node:
    """The labels, annotations, containers and volumes of a pod's sidecar."""
    volumes = _Volumes(source)
    return {
        "metadata": {
            "labels": {TLS_MODE: first_of(source.label(TLS_MODE), "istio"), **_labels(source)},
            "annotations": {**_annotations(source), **redirect.annotations_for_cni(source)},
        },
        "spec": {
            "initContainers": [redirect.redirection(source), _core_dump(source)],
            "containers": [_sidecar_proxy(source, volumes).container()],
            "volumes": volumes.of_sidecar(),
            **_pod_settings(source),
        },
    }


def gateway(source: Source) -> Node:
    """The same for a pod that is a gateway: its proxy, without redirection."""
    volumes = _Volumes(source)
    return {
        "metadata": {"labels": _labels(source), "annotations": _annotations(source)},
        "spec": {
            "containers": [_gateway_proxy(source, volumes).container()],
            "volumes": volumes.of_gateway(),
            **_pod_settings(source),
        },
    }


def _labels(source: Source) -> dict[str, Node]:
    """How telemetry and the control plane know the pod; labels that it has are kept."""
    name, label = source.workload, source.label
    return {
        f"{CANONICAL}name": first_of(label(f"{CANONICAL}name"), label("app.kubernetes.io/name"), label("app"), name),
        f"{CANONICAL}revision": first_of(
            label(f"{CANONICAL}revision"), label("app.kubernetes.io/version"), label("version"), "latest"
        ),
        "istio.io/rev": first_of(source.revision, "default"),
    }


def _annotations(source: Source) -> dict[str, Node]:
    """The container that kubectl means by default, where there is no doubt."""
    only = source.only_container
    return {f"kubectl.kubernetes.io/default-{use}container": when(only, only) for use in ("", "logs-")}


def _pod_settings(source: Source) -> dict[str, Node]:
    secrets = source.setting("global.imagePullSecrets")
    legacy = equal(source.environment("ENABLE_LEGACY_FSGROUP_INJECTION", "true"), "true")
    return {
        "imagePullSecrets": each(secrets, lambda _, secret: {"name": secret}),
        "securityContext": when(legacy, {"fsGroup": proxy.USER}),  # else the proxy cannot read its token
    }


def _core_dump(source: Source) -> Node:
    container = proxy.core_dump(
        image(source, "proxy_init"),
        redirect.pull_policy(source),
        allowPrivilegeEscalation=True,
        readOnlyRootFilesystem=False,
        capabilities={"add": ["SYS_ADMIN"], "drop": ["ALL"]},
    )
    return when(source.setting("global.proxy.enableCoreDump"), container)


def _sidecar_proxy(source: Source, volumes: _Volumes) -> Proxy:
    hold = either(source.hold_application, source.setting("global.proxy.holdApplicationUntilProxyStarts"))
    wait: Node = {"postStart": {"exec": {"command": ["pilot-agent", "wait"]}}}
    concurrency = when(greater(source.concurrency, 0), ["--concurrency", join(source.concurrency)])
    probed = differs(redirect.status_port(source), "0")
    return Proxy(
        image=image(source, "proxy"),
        imagePullPolicy=redirect.pull_policy(source),
        args=[*_args(source, "sidecar"), concurrency],
        env=env.of_sidecar(source),
        lifecycle=_lifecycle(source, when(hold, wait)),
        readinessProbe=when(probed, _readiness(source, annotated=True)),
        resources=resources(source),
        securityContext=_security(source),
        volumeMounts=volumes.mounts_of_sidecar(),
    )


def _gateway_proxy(source: Source, volumes: _Volumes) -> Proxy:
    setting = source.setting
    named = setting("global.proxy.image")
    released = proxy.released(setting("global.hub"), named, setting("global.tag"))
    return Proxy(
        # Unlike a sidecar's, an image that the pod asks for counts only where the installation's is a full one.
        image=choose(contains("/", named), source.annotation(IMAGE, named), released),
        imagePullPolicy=redirect.pull_policy(source),
        args=_args(source, "router"),
        env=env.of_gateway(source),
        lifecycle=_lifecycle(source, None),
        readinessProbe=_readiness(source, annotated=False),
        volumeMounts=volumes.mounts_of_gateway(),
    )


def _args(source: Source, role: proxy.Role) -> list[Node]:
    setting, app = source.setting, source.label("app")
    workload = join(value_or(source.workload, proxy.CONTAINER), ".", value_or(source.namespace, "default"))
    return [
        *proxy.role_args(role, setting("global.proxy.clusterDomain")),
        "--serviceCluster",
        choose(differs(app, ""), join(app, ".$(POD_NAMESPACE)"), workload),
        *proxy.log_args(
            source.annotation("sidecar.istio.io/logLevel", setting("global.proxy.logLevel")),
            source.annotation("sidecar.istio.io/componentLogLevel", setting("global.proxy.componentLogLevel")),
            source.annotation("sidecar.istio.io/agentLogLevel", setting("global.logging.level")),
        ),
        proxy.sts_args(setting("global.sts.servicePort")),
        proxy.json_args(setting("global.logAsJson")),
    ]


def _lifecycle(source: Source, default: Node) -> Node:
    hooks = source.setting("global.proxy.lifecycle", "object")
    return when(hooks, hooks, default)


def _readiness(source: Source, annotated: bool) -> Node:
    """The probe's delay, period and failures: the installation's, or the pod's where it may annotate them."""

    def read(name: str) -> Value:
        everyone = source.setting(f"global.proxy.readiness{name[0].upper()}{name[1:]}", "plain")
        return number(source.annotation(READINESS + name, everyone) if annotated else everyone)

    delay, period, failures = map(read, ("initialDelaySeconds", "periodSeconds", "failureThreshold"))
    return proxy.readiness(delay, period, failures, timeoutSeconds=3)


def _security(source: Source) -> Node:
    """Envoy is root only where it must be: for transparent redirection, and to bind ports below 1024."""
    transparent = equal(redirect.mode(source), "TPROXY")
    bind = equal(source.annotation(BIND_SERVICE, source.setting("global.proxy.capNetBindService")), "true")
    root = either(transparent, bind)
    privileged = source.setting("global.proxy.privileged", "plain")
    return {
        "privileged": privileged,
        "allowPrivilegeEscalation": privileged,
        "readOnlyRootFilesystem": negate(source.setting("global.proxy.enableCoreDump")),
        "runAsNonRoot": negate(root),
        "runAsUser": number(choose(root, 0, proxy.USER)),
        "runAsGroup": proxy.USER,
        "capabilities": {
            "drop": ["ALL"],
            "add": [when(transparent, "NET_ADMIN"), when(bind, "NET_BIND_SERVICE")],
        },
    }


class _Volumes:
    """The volumes that injected pods share, in the orders in which Istio lists them."""

    def __init__(self, source: Source) -> None:
        setting = source.setting
        self._source = source
        self._bootstrap = Volume(
            name="custom-bootstrap-volume",
            source={"configMap": {"name": source.annotation(env.BOOTSTRAP)}},
            path=env.BOOTSTRAP_PATH,
            needed=source.annotated(env.BOOTSTRAP),
        )
        self._envoy = proxy.envoy(medium="Memory")
        self._info = proxy.pod_info("istio-podinfo")
        self._token = proxy.token(setting("global.jwtPolicy"), setting("global.sds.token.aud"))
        self._ca = proxy.istiod_ca(setting("global.pilotCertProvider"))
        account = value_or(source.service_account, "default")
        self._certificates = proxy.certificates(
            setting("global.mountMtlsCerts"), join("istio.", account), "/etc/certs/"
        )
        self._tracer = Volume(
            name="lightstep-certs",
            source={"secret": {"secretName": "lightstep.cacert", "optional": True}},
            path=source.tracer_ca_directory,
            readOnly=True,
            needed=both(equal(setting("global.proxy.tracer"), "lightstep"), source.tracer_tls),
        )

    def of_sidecar(self) -> list[Node]:
        return [self._bootstrap.volume(), *self.of_gateway(), self._user("userVolume"), self._tracer.volume()]

    def of_gateway(self) -> list[Node]:
        volumes = (self._envoy, proxy.DATA, self._info, self._token, self._ca, self._certificates)
        return [volume.volume() for volume in volumes]

    def mounts_of_sidecar(self) -> list[Node]:
        volumes = (self._ca, proxy.DATA, self._bootstrap, self._envoy, self._token, self._certificates)
        mounts = [volume.mount() for volume in (*volumes, self._info, self._tracer)]
        return [*mounts, self._user("userVolumeMount")]

    def mounts_of_gateway(self) -> list[Node]:
        volumes = (self._ca, proxy.DATA, self._envoy, self._token, self._certificates, self._info)
        return [volume.mount() for volume in volumes]

    def _user(self, kind: str) -> Node:
        """The pod's own volumes or mounts for the sidecar: an annotation with a JSON object, by volume name."""
        name = f"sidecar.istio.io/{kind}"
        return when(
            self._source.annotated(name),
            each(self._source.annotation_object(name), self._source.named),
        )
