"""The environment variables of an Istio 1.30 proxy, which its agent reads and reports to istiod."""

from __future__ import annotations

from typing import Final

from mesh.core.names import DEFAULT_CLUSTER
from mesh.proxy import proxy
from mesh.proxy.expr import Node, Value, all_of, coalesce, each, equal, join, lower, value_or, when
from mesh.proxy.inputs import Inputs
from mesh.proxy.proxy import env_from_field, env_from_limit, env_var
from mesh.releases.common import additions
from mesh.releases.v1_30 import redirect

COMPLIANCE: Final = "COMPLIANCE_POLICY"
"""Environment variable of istiod, which the agents get: the policy that their cryptography complies with."""
WORKLOAD_LABEL: Final = "service.istio.io/workload-name"
NODE: Final = env_from_field("ISTIO_META_NODE_NAME", "spec.nodeName")


def sidecar_env(inputs: Inputs) -> list[Node]:
    """The environment variables of a sidecar."""
    attributes = inputs.resource_attributes
    legacy = env_var("REWRITE_PROBE_LEGACY_LOCALHOST_DESTINATION", "true")
    return [
        when(equal(inputs.inbound_policy, "localhost"), legacy),
        *identity(inputs),
        config(inputs),
        env_var("ISTIO_META_POD_PORTS", inputs.pod_ports),
        env_var("ISTIO_META_APP_CONTAINERS", inputs.containers),
        *limits(),
        *_compliance(inputs),
        *_workload(inputs, redirect.metadata_mode(inputs), coalesce(inputs.label(WORKLOAD_LABEL), inputs.workload)),
        additions.datadog_env(inputs),
        when(attributes, env_var("OTEL_RESOURCE_ATTRIBUTES", attributes)),
        each(inputs.proxy_metadata, env_var),
    ]


def gateway_env(inputs: Inputs) -> list[Node]:
    """The environment variables of an injected gateway."""
    return [
        *identity(inputs),
        config(inputs),
        env_var("ISTIO_META_POD_PORTS", inputs.pod_ports),
        *limits(),
        *_compliance(inputs),
        env_var("ISTIO_META_APP_CONTAINERS", inputs.containers),
        *_workload(inputs, inputs.interception_mode, inputs.workload),
        each(inputs.proxy_metadata, env_var),
    ]


def identity(inputs: Inputs) -> list[Node]:
    """Variables for the signer of the proxy's certificate, the identity of the pod, and its CPU limit."""
    setting = inputs.setting
    return [
        *proxy.authority_env(
            setting("global.pilotCertProvider"),
            setting("global.caAddress"),
            setting("revision"),
            setting("global.istioNamespace"),
        ),
        *proxy.pod_env(),
        env_from_limit("ISTIO_CPU_LIMIT", "cpu"),
    ]


def config(inputs: Inputs) -> Node:
    """The ProxyConfig."""
    return env_var("PROXY_CONFIG", join(inputs.proxy_config, "\n"))


def limits() -> list[Node]:
    """The limits that Go's runtime keeps in the agent."""
    return [env_from_limit("GOMEMLIMIT", "memory"), env_from_limit("GOMAXPROCS", "cpu")]


def mesh(inputs: Inputs) -> list[Node]:
    """The mesh's ID and trust domain."""
    domain = value_or(inputs.trust_domain, inputs.setting("global.trustDomain"))
    return proxy.mesh_env(inputs.setting("global.meshID"), domain)


def cluster(inputs: Inputs, default: Value) -> Node:
    """The name of the proxy's cluster."""
    return env_var("ISTIO_META_CLUSTER_ID", value_or(inputs.setting("global.multiCluster.clusterName"), default))


def _compliance(inputs: Inputs) -> list[Node]:
    policy = inputs.environment(COMPLIANCE, "")
    return [when(policy, env_var(COMPLIANCE, policy))]


def _workload(inputs: Inputs, mode: Value, name: Value) -> list[Node]:
    """The node metadata (`ISTIO_META_…`) that the proxy reports to istiod."""
    network, version, owner = inputs.setting("global.network"), inputs.api_version, inputs.workload
    uri = proxy.owner_uri(version, value_or(inputs.namespace, "default"), lower(inputs.kind), owner)
    return [
        cluster(inputs, DEFAULT_CLUSTER),
        NODE,
        env_var("ISTIO_META_INTERCEPTION_MODE", mode),
        when(network, env_var("ISTIO_META_NETWORK", network)),
        when(name, env_var("ISTIO_META_WORKLOAD_NAME", name)),
        when(all_of(version, owner), env_var("ISTIO_META_OWNER", uri)),
        additions.bootstrap_env(inputs),
        *mesh(inputs),
    ]
