"""The environment of an injected proxy of Istio 1.10: what its agent reads and reports to istiod."""

from __future__ import annotations

from typing import Final

from mesh.proxy import proxy, redirect
from mesh.proxy.expr import Node, Value, both, each, equal, join, lower, value_or, when
from mesh.proxy.proxy import downward, variable
from mesh.proxy.source import Source

BOOTSTRAP: Final = "sidecar.istio.io/bootstrapOverride"
BOOTSTRAP_PATH: Final = "/etc/istio/custom-bootstrap"
DATADOG: Final = "apm.datadoghq.com/env"


def of_sidecar(source: Source) -> list[Node]:
    legacy = equal(source.environment("PILOT_ENABLE_INBOUND_PASSTHROUGH", "true"), "false")
    override = variable("ISTIO_BOOTSTRAP_OVERRIDE", f"{BOOTSTRAP_PATH}/custom_bootstrap.json")
    datadog = both(equal(source.setting("global.proxy.tracer"), "datadog"), source.annotated(DATADOG))
    return [
        when(legacy, variable("REWRITE_PROBE_LEGACY_LOCALHOST_DESTINATION", "true")),
        *_identity(source),
        *_reported(source, redirect.mode(source)),
        when(source.annotated(BOOTSTRAP), override),
        *_mesh(source),
        when(datadog, each(source.annotation_object(DATADOG), lambda name, value: variable(name, join(value)))),
        each(source.proxy_metadata, variable),
    ]


def of_gateway(source: Source) -> list[Node]:
    return [
        *_identity(source),
        *_reported(source, source.interception_mode),
        *_mesh(source),
        each(source.proxy_metadata, variable),
    ]


def _identity(source: Source) -> list[Node]:
    setting = source.setting
    fields = {
        "POD_NAME": "metadata.name",
        "POD_NAMESPACE": "metadata.namespace",
        "INSTANCE_IP": "status.podIP",
        "SERVICE_ACCOUNT": "spec.serviceAccountName",
        "HOST_IP": "status.hostIP",
    }
    return [
        *proxy.trust_env(
            setting("global.jwtPolicy"),
            setting("global.pilotCertProvider"),
            setting("global.caAddress"),
            setting("revision"),
            setting("global.istioNamespace"),
        ),
        *[downward(name, path) for name, path in fields.items()],
        *proxy.canonical_env(),
    ]


def _reported(source: Source, mode: Value) -> list[Node]:
    """The proxy's configuration, and the workload as telemetry and istiod see it."""
    network = source.setting("global.network")
    name, version = source.workload, source.api_version
    owner = proxy.owner(version, value_or(source.namespace, "default"), lower(source.kind), name)
    annotations = source.annotations_json
    return [
        variable("PROXY_CONFIG", join(source.proxy_config, "\n")),
        variable("ISTIO_META_POD_PORTS", source.pod_ports),
        variable("ISTIO_META_APP_CONTAINERS", source.containers),
        variable("ISTIO_META_CLUSTER_ID", value_or(source.setting("global.multiCluster.clusterName"), "Kubernetes")),
        variable("ISTIO_META_INTERCEPTION_MODE", mode),
        when(network, variable("ISTIO_META_NETWORK", network)),
        when(source.annotated_at_all, variable("ISTIO_METAJSON_ANNOTATIONS", join(annotations, "\n"))),
        when(name, variable("ISTIO_META_WORKLOAD_NAME", name)),
        when(both(version, name), variable("ISTIO_META_OWNER", owner)),
    ]


def _mesh(source: Source) -> list[Node]:
    domain = value_or(source.trust_domain, source.setting("global.trustDomain"))
    return proxy.mesh_env(source.setting("global.meshID"), domain)
