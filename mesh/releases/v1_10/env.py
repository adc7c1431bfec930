"""The environment variables of an injected proxy of Istio 1.10, which its agent reads and reports to istiod."""

from __future__ import annotations

from mesh.core.names import DEFAULT_CLUSTER
from mesh.proxy import proxy, redirect
from mesh.proxy.expr import Node, Value, all_of, each, equal, join, lower, value_or, when
from mesh.proxy.inputs import Inputs
from mesh.proxy.proxy import env_var
from mesh.releases.common import additions


def sidecar_env(inputs: Inputs) -> list[Node]:
    """The environment variables of a sidecar."""
    legacy = equal(inputs.environment("PILOT_ENABLE_INBOUND_PASSTHROUGH", "true"), "false")
    return [
        when(legacy, env_var("REWRITE_PROBE_LEGACY_LOCALHOST_DESTINATION", "true")),
        *_identity(inputs),
        *_node_metadata(inputs, redirect.interception_mode(inputs)),
        additions.bootstrap_env(inputs),
        *_mesh(inputs),
        additions.datadog_env(inputs),
        each(inputs.proxy_metadata, env_var),
    ]


def gateway_env(inputs: Inputs) -> list[Node]:
    """The environment variables of an injected gateway."""
    return [
        *_identity(inputs),
        *_node_metadata(inputs, inputs.interception_mode),
        *_mesh(inputs),
        each(inputs.proxy_metadata, env_var),
    ]


def _identity(inputs: Inputs) -> list[Node]:
    setting = inputs.setting
    return [
        *proxy.trust_env(
            setting("global.jwtPolicy"),
            setting("global.pilotCertProvider"),
            setting("global.caAddress"),
            setting("revision"),
            setting("global.istioNamespace"),
        ),
        *proxy.pod_env(),
        *proxy.canonical_env(),
    ]


def _node_metadata(inputs: Inputs, mode: Value) -> list[Node]:
    """The ProxyConfig, and the node metadata (`ISTIO_META_…`) that the proxy reports to istiod."""
    network = inputs.setting("global.network")
    name, version = inputs.workload, inputs.api_version
    owner = proxy.owner_uri(version, value_or(inputs.namespace, "default"), lower(inputs.kind), name)
    annotations = inputs.annotations_json
    return [
        env_var("PROXY_CONFIG", join(inputs.proxy_config, "\n")),
        env_var("ISTIO_META_POD_PORTS", inputs.pod_ports),
        env_var("ISTIO_META_APP_CONTAINERS", inputs.containers),
        env_var("ISTIO_META_CLUSTER_ID", value_or(inputs.setting("global.multiCluster.clusterName"), DEFAULT_CLUSTER)),
        env_var("ISTIO_META_INTERCEPTION_MODE", mode),
        when(network, env_var("ISTIO_META_NETWORK", network)),
        when(inputs.has_annotations, env_var("ISTIO_METAJSON_ANNOTATIONS", join(annotations, "\n"))),
        when(name, env_var("ISTIO_META_WORKLOAD_NAME", name)),
        when(all_of(version, name), env_var("ISTIO_META_OWNER", owner)),
    ]


def _mesh(inputs: Inputs) -> list[Node]:
    domain = value_or(inputs.trust_domain, inputs.setting("global.trustDomain"))
    return proxy.mesh_env(inputs.setting("global.meshID"), domain)
