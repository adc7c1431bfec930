"""Adapts the cluster's Istio objects to a newer pilot and stock Envoys, with or without certificates. Lists the objects
that are left out, with the reasons."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from sandbox.live.certificates import is_served
from sandbox.live.plan import PILOT_HTTP_PORT, Plan
from sandbox.live.snapshot import Manifest, Snapshot

UNCHANGED: Final = ("VirtualService", "ServiceEntry", "WorkloadEntry", "RequestAuthentication")

MESH_CONFIG: Final = (
    "accessLogEncoding",
    "accessLogFile",
    "accessLogFormat",
    "defaultDestinationRuleExportTo",
    "defaultServiceExportTo",
    "defaultVirtualServiceExportTo",
    "h2UpgradePolicy",
    "localityLbSetting",
    "outboundTrafficPolicy",
    "pathNormalization",
)
"""Fields of the MeshConfig that apply here. The others are about certificates, tracing and injection."""

OF_CERTIFICATES: Final = ("enableAutoMtls", "meshMTLS", "trustDomain", "trustDomainAliases")
"""Fields of the MeshConfig that apply to proxies with certificates."""

IDENTITY: Final = ("principals", "notPrincipals", "namespaces", "notNamespaces")
"""Conditions of an AuthorizationPolicy that need the caller's certificate."""

MESH: Final = "*"
"""Scope of a policy that applies to all namespaces."""

OF_ISTIOS_PROXY: Final = re.compile(r"envoy\.wasm\.|metadata_?exchange|istio\.stackdriver|io\.istio\.")
"""Pattern of extensions that only Istio's build of Envoy has."""

OF_LIMITER: Final = re.compile(r"envoy\.(extensions\.)?filters\.http\.ratelimit\b")
"""Pattern of the filter that calls a rate-limit service; local limits use another filter."""


def objects(seen: Snapshot, plan: Plan) -> Iterator[dict[str, Any]]:
    """The adapted objects for pilot."""
    for kind in UNCHANGED:
        yield from map(_bare, seen.istio[kind])
    yield from gateways(seen, plan)
    yield from (
        _bare(rule) if plan.identity else _without_mutual_tls(_bare(rule)) for rule in seen.istio["DestinationRule"]
    )
    yield from _filters(seen, plan)
    left = _unanswerable(seen, plan)
    yield from map(_bare, (policy for policy in seen.istio["AuthorizationPolicy"] if policy not in left))
    if plan.identity:
        yield from map(_bare, seen.istio["PeerAuthentication"])


def gateways(seen: Snapshot, plan: Plan) -> Iterator[dict[str, Any]]:
    """The Gateways, without servers whose certificate is missing, for which a proxy would wait forever."""
    for gateway in map(_bare, seen.istio["Gateway"]):
        spec = gateway["spec"]
        servers = [one for one in spec.get("servers", []) if is_served(one, gateway, seen, plan)]
        if servers:
            yield {**gateway, "spec": {**spec, "servers": servers}}


def left_out(seen: Snapshot, plan: Plan) -> dict[str, list[str]]:
    """The names of the objects that the live data plane does not fully apply, by reason."""
    kept = {_name(one) for one in _filters(seen, plan)}
    shared = [one for one in seen.istio["EnvoyFilter"] if any(map(_asks_limiter, one["spec"].get("configPatches", [])))]
    found: dict[str, list[Manifest]] = {
        "no mutual TLS: the proxies have no certificates": [] if plan.identity else list(_of_tls(seen)),
        "HTTPS without a Secret that has its certificate, or with client certificates": [
            gateway
            for gateway in seen.istio["Gateway"]
            if not all(is_served(one, gateway, seen, plan) for one in gateway["spec"].get("servers", []))
        ],
        "without certificates the caller is not known, and one of the policies depends on it": _unanswerable(
            seen, plan
        ),
        "global limits: the rate-limit service, which counts for all proxies, is simulated": shared,
        "for Istio's own proxy, or for another version of it": [
            one for one in seen.istio["EnvoyFilter"] if _name(one) not in kept and one not in shared
        ],
    }
    return {reason: list(map(_name, objects)) for reason, objects in found.items() if objects}


def mesh_config(seen: Snapshot, plan: Plan) -> dict[str, Any]:
    """The MeshConfig for pilot."""
    kept = (*MESH_CONFIG, *(OF_CERTIFICATES if plan.identity else ()))
    return {
        **{key: seen.deployed[key] for key in kept if key in seen.deployed},
        "rootNamespace": seen.deployed.get("rootNamespace", plan.config_root),
        **({} if plan.identity else {"enableAutoMtls": False}),
        # Pilot ignores all namespaces: their Services lead to simulated pods, and ServiceEntries take their place.
        "discoverySelectors": [{"matchLabels": {"mesh/live": "nothing-has-this-label"}}],
        "defaultConfig": {"discoveryAddress": f"localhost:{PILOT_HTTP_PORT}"},
    }


def _bare(one: Manifest) -> dict[str, Any]:
    """The object without the fields that only the API server uses."""
    metadata = {
        k: one["metadata"][k] for k in ("name", "namespace", "labels", "creationTimestamp") if k in one["metadata"]
    }
    return {"apiVersion": one["apiVersion"], "kind": one["kind"], "metadata": metadata, "spec": one.get("spec") or {}}


def _name(one: Manifest) -> str:
    return f"{one['kind']} {one['metadata']['namespace']}/{one['metadata']['name']}"


def _without_mutual_tls(value: Any) -> Any:
    """The value without every `tls` of mode ISTIO_MUTUAL. Mappings and lists that become empty are removed, and so are
    port settings that become empty, which pilot would refuse."""
    if isinstance(value, list):
        kept = ((each, _without_mutual_tls(each)) for each in value)
        return [inner for each, inner in kept if inner == each or set(inner) != {"port"}]
    if not isinstance(value, Mapping):
        return value
    inner = {k: _without_mutual_tls(each) for k, each in value.items() if not (k == "tls" and _is_mutual(each))}
    return {k: each for k, each in inner.items() if each not in ({}, []) or each == value[k]}


def _is_mutual(tls: Any) -> bool:
    return isinstance(tls, Mapping) and bool(tls.get("mode") == "ISTIO_MUTUAL")


def _of_tls(seen: Snapshot) -> Iterator[Manifest]:
    yield from seen.istio["PeerAuthentication"]
    yield from (rule for rule in seen.istio["DestinationRule"] if _without_mutual_tls(rule) != rule)


def _filters(seen: Snapshot, plan: Plan) -> Iterator[dict[str, Any]]:
    """The EnvoyFilters, without patches that do not apply to these proxies."""
    for envoy_filter in map(_bare, seen.istio["EnvoyFilter"]):
        spec = envoy_filter["spec"]
        patches = [patch for patch in spec.get("configPatches", []) if _concerns(patch, plan)]
        if patches:
            yield {**envoy_filter, "spec": {**spec, "configPatches": patches}}


def _concerns(patch: Manifest, plan: Plan) -> bool:
    wanted = patch.get("match", {}).get("proxy", {}).get("proxyVersion", "")
    try:
        fits = not wanted or re.search(wanted, plan.version) is not None
    except re.error:
        fits = False
    return fits and not OF_ISTIOS_PROXY.search(json.dumps(patch)) and not _asks_limiter(patch)


def _asks_limiter(patch: Manifest) -> bool:
    """Whether a patch calls a rate-limit service. None runs here, so proxies might reject every request."""
    return bool(OF_LIMITER.search(json.dumps(patch.get("patch"))))


def _unanswerable(seen: Snapshot, plan: Plan) -> list[Manifest]:
    """The AuthorizationPolicies that are left out, since they need the caller's identity.

    If a policy with action ALLOW is left out, all other ALLOW policies for the same workloads are left out, too: alone,
    they would deny requests that the first one allows. All workloads of a namespace count as the same here."""
    if plan.identity:
        return []
    policies = seen.istio["AuthorizationPolicy"]
    asking = {_scope(policy, plan) for policy in policies if _allows(policy) and _needs_identity(policy)}

    def is_beside_one_that_asks(policy: Manifest) -> bool:
        scope = _scope(policy, plan)
        return bool(asking) and (scope in asking or MESH in (scope, *asking))

    return [p for p in policies if (is_beside_one_that_asks(p) if _allows(p) else _needs_identity(p))]


def _scope(policy: Manifest, plan: Plan) -> str:
    """The namespace that a policy applies to, or MESH."""
    namespace: str = policy["metadata"]["namespace"]
    return MESH if namespace == plan.config_root and not (policy.get("spec") or {}).get("selector") else namespace


def _allows(policy: Manifest) -> bool:
    return bool((policy.get("spec") or {}).get("action", "ALLOW") == "ALLOW")


def _needs_identity(policy: Manifest) -> bool:
    rules = (policy.get("spec") or {}).get("rules") or []
    sources = [one.get("source") or {} for rule in rules for one in rule.get("from") or []]
    keys = [condition.get("key", "") for rule in rules for condition in rule.get("when") or []]
    return (
        any(key in source for source in sources for key in IDENTITY)
        or {"source.principal", "source.namespace"} & {*keys} != set()
    )
