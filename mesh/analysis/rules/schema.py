"""Validates objects of Istio's API, and reports valid fields that are deprecated or have no effect."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from mesh import api
from mesh.analysis import codes, reading, virtual_services
from mesh.analysis.findings import Code, Finding
from mesh.analysis.mesh import Mesh
from mesh.analysis.objects import Object
from mesh.api import envoy_values
from mesh.core import kinds
from mesh.core.places import written
from mesh.core.protocols import is_http
from mesh.releases import lacking


def valid(mesh: Mesh) -> Iterator[Finding]:
    """The release has the kind in the object's version, and the API server and istiod would accept the object."""
    for obj in mesh.objects:
        yield from refusals(obj, mesh.release.name)
    if thing := mesh.config_map:
        for text in reading.mesh_config(thing.body["data"]["mesh"])[1]:
            yield codes.MALFORMED.at(thing, "data.mesh", text)


def refusals(obj: Object, release: str) -> Iterator[Finding]:
    """What the API server, or istiod of the release for objects of Istio's API, would refuse in an object."""
    if obj.kind not in reading.TYPES:
        yield from _problems(obj, codes.MALFORMED)
        return
    if text := lacking.of_kind(release, reading.TYPES[obj.kind], obj.body["apiVersion"].rpartition("/")[2]):
        yield codes.INVALID.at(obj, "", text)
    yield from _problems(obj, codes.INVALID)
    if obj.form.message:
        metadata = api.Metadata(obj.name, obj.namespace, obj.labels, obj.annotations)
        for place, text in lacking.of_whole(release, obj.form.message, metadata):
            yield codes.INVALID.at(obj, written(place), text)


def _problems(obj: Object, code: Code) -> Iterator[Finding]:
    for problem in obj.form.problems:
        path, _, text = problem.partition(": ")
        yield code.at(obj, path if text else "", text or path)


def routes(mesh: Mesh) -> Iterator[Finding]:
    """VirtualServices: deprecated fields and spellings, and aborts without a status."""
    for obj in mesh.of(kinds.VIRTUAL_SERVICE):
        for i, route in enumerate(virtual_services.routes(obj)):
            for name in ("mirrorPercent", "mirror_percent"):
                if name in route:
                    yield codes.DOUBTFUL.at(obj, f"http[{i}].{name}", "use mirrorPercentage: {value: …}")
            abort = (route.get("fault") or {}).get("abort")
            if abort is not None and not abort.get("httpStatus"):
                yield codes.DOUBTFUL.at(obj, f"http[{i}].fault.abort", "without httpStatus it does nothing")
        for i, name in enumerate(obj.items("gateways")):
            if "." in name and "/" not in name:
                parts = name.split(".")
                yield codes.DOUBTFUL.at(obj, f"gateways[{i}]", f"write it as {parts[1]}/{parts[0]}")


def rules(mesh: Mesh) -> Iterator[Finding]:
    """DestinationRules: deprecated fields, and failover without effect."""
    for obj in mesh.of(kinds.DESTINATION_RULE):
        policies = {"trafficPolicy": obj.spec.get("trafficPolicy")}
        for i, subset in enumerate(obj.items("subsets")):
            policies[f"subsets[{i}].trafficPolicy"] = subset.get("trafficPolicy")
        for path, policy in policies.items():
            for j, port in enumerate((policy or {}).get("portLevelSettings") or ()):
                yield from _policy(obj, f"{path}.portLevelSettings[{j}]", port)
            yield from _policy(obj, path, policy or {})


def _policy(obj: Object, path: str, policy: Mapping[str, Any]) -> Iterator[Finding]:
    if (policy.get("outlierDetection") or {}).get("consecutiveErrors"):
        text = "use consecutiveGatewayErrors or consecutive5xxErrors"
        yield codes.DOUBTFUL.at(obj, f"{path}.outlierDetection.consecutiveErrors", text)
    locality = (policy.get("loadBalancer") or {}).get("localityLbSetting") or {}
    if locality.get("failover") and policy.get("outlierDetection") is None:
        text = "nothing fails over without outlierDetection, which detects failures: set it as well"
        yield codes.DOUBTFUL.at(obj, f"{path}.loadBalancer.localityLbSetting", text)
    if ((policy.get("loadBalancer") or {}).get("consistentHash") or {}).get("minimumRingSize"):
        text = "later releases replace it with ringHash"
        yield codes.DOUBTFUL.at(obj, f"{path}.loadBalancer.consistentHash.minimumRingSize", text)


def servers(mesh: Mesh) -> Iterator[Finding]:
    """Gateways: TLS settings without effect."""
    for obj in mesh.of(kinds.GATEWAY):
        for i, server in enumerate(obj.items("servers")):
            tls = server.get("tls") or {}
            if tls.get("httpsRedirect") and not is_http(server["port"].get("protocol") or ""):
                text = "only a server that speaks HTTP can redirect to https"
                yield codes.DOUBTFUL.at(obj, f"servers[{i}].tls.httpsRedirect", text)
            files = [name for name in ("credentialName", "serverCertificate", "privateKey") if tls.get(name)]
            if tls.get("mode") in ("SIMPLE", "MUTUAL", "OPTIONAL_MUTUAL") and tls.get("credentialName") and files[1:]:
                text = (
                    f"nothing reads {' and '.join(files[1:])} together with credentialName: leave one or the other out"
                )
                yield codes.DOUBTFUL.at(obj, f"servers[{i}].tls.{files[1]}", text)
            if tls.get("mode") in ("PASSTHROUGH", "AUTO_PASSTHROUGH") and files:
                text = f"{', '.join(files)} does nothing in mode {tls['mode']}"
                yield codes.DOUBTFUL.at(obj, f"servers[{i}].tls", text)


def patches(mesh: Mesh) -> Iterator[Finding]:
    """EnvoyFilters: fields in the values of patches whose names are almost those of Envoy's fields."""
    for obj in mesh.of(kinds.ENVOY_FILTER):
        for i, item in enumerate(obj.items("configPatches")):
            value = (item.get("patch") or {}).get("value") or {}
            for path, text in envoy_values.misspelt(item.get("applyTo", ""), value):
                yield codes.DOUBTFUL.at(obj, written(("configPatches", i, "patch", "value", *path)), text)


def selectors(mesh: Mesh) -> Iterator[Finding]:
    """Empty selectors, which apply to the whole namespace."""
    for kind, field, below in (
        (kinds.SIDECAR, "workloadSelector", "labels"),
        (kinds.ENVOY_FILTER, "workloadSelector", "labels"),
        (kinds.AUTHORIZATION_POLICY, "selector", "matchLabels"),
        (kinds.PEER_AUTHENTICATION, "selector", "matchLabels"),
        (kinds.REQUEST_AUTHENTICATION, "selector", "matchLabels"),
    ):
        for obj in mesh.of(kind):
            if field in obj.spec and not (obj.spec[field] or {}).get(below):
                text = "has no labels, so it selects the whole namespace: leave it out if that is intended"
                yield codes.DOUBTFUL.at(obj, field, text)


RULES: Final = (valid, routes, rules, servers, patches, selectors)
