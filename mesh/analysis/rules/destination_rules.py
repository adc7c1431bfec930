"""Checks DestinationRules: hosts and subsets exist, TLS verifies certificates, and one rule applies to each host."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any, Final

from mesh.analysis import codes, hosts
from mesh.analysis.findings import Finding
from mesh.analysis.mesh import Mesh
from mesh.analysis.objects import Object, entries
from mesh.core import errors, kinds

_API_SERVER: Final = ("kubernetes", "default")
"""Name and namespace of a Service that every cluster has, but no stack."""


def hosts_and_subsets(mesh: Mesh) -> Iterator[Finding]:
    """The host of each rule is in the registry, and the labels of each subset match pods."""
    for rule in mesh.of(kinds.DESTINATION_RULE):
        said = rule.spec.get("host", "")
        service = mesh.service(said, rule.namespace)
        if service is None:
            if mesh.full_host(said, rule.namespace) == mesh.full_host(*_API_SERVER):
                continue
            if said.startswith("*") and any(hosts.overlap(said, other.host) for other in mesh.services.all):
                continue
            around = [other.object.name for other in mesh.services.all if other.namespace == rule.namespace]
            text = f"{said} is not a service of the mesh: the rule does nothing{errors.nearest(said, around)}"
            yield codes.UNKNOWN_RULE_HOST.at(rule, "host", text)
            continue
        pods = mesh.workloads_of(service)
        for i, subset in enumerate(rule.items("subsets")):
            labels = subset.get("labels") or {}
            external = service.selector is None
            if not external and not any(labels.items() <= pod.labels.items() for pod in pods):
                have = ", ".join(f"{key}={value}" for key, value in labels.items())
                text = f"no pod of {said} has {have or 'any label'}: requests to subset {subset['name']} end in 503"
                yield codes.SUBSET_WITHOUT_PODS.at(rule, f"subsets[{i}]", text)


def certificates(mesh: Mesh) -> Iterator[Finding]:
    """Modes SIMPLE and MUTUAL have `caCertificates`, without which the server's certificate is not verified."""
    for rule in mesh.of(kinds.DESTINATION_RULE):
        policy = rule.spec.get("trafficPolicy") or {}
        if mode := _unchecked(policy):
            text = f"mode {mode} without caCertificates accepts any certificate of {rule.spec.get('host')}: name them"
            yield codes.NO_CA.at(rule, "trafficPolicy.tls", text)
        for i, port in enumerate(policy.get("portLevelSettings") or ()):
            if mode := _unchecked(port):
                text = (
                    f"mode {mode} without caCertificates accepts any certificate of {rule.spec.get('host')}: name them"
                )
                yield codes.NO_CA_ON_PORT.at(rule, f"trafficPolicy.portLevelSettings[{i}].tls", text)


def _unchecked(policy: Mapping[str, Any]) -> str:
    """The TLS mode of a traffic policy that does not verify the server's certificate; empty if it does."""
    tls = policy.get("tls") or {}
    return tls["mode"] if tls.get("mode") in ("SIMPLE", "MUTUAL") and not tls.get("caCertificates") else ""


def clashes(mesh: Mesh) -> Iterator[Finding]:
    """At most one of the rules for a host, visible to the same namespaces, has a traffic policy."""
    by_host: dict[tuple[str, str], list[Object]] = defaultdict(list)
    for rule in mesh.of(kinds.DESTINATION_RULE):
        if rule.spec.get("trafficPolicy"):
            host = mesh.full_host(rule.spec.get("host", ""), rule.namespace)
            for place in hosts.exported_to(rule.items("exportTo"), rule.namespace):
                by_host[host, f"{rule.namespace}>{place}"].append(rule)
    for (host, _), rules in by_host.items():
        for rule in rules[1:]:
            keys = entries([rules[0], rule])
            remedy = f"leave it out of one of {keys}" if keys else "join them"
            text = f"{rules[0].ref} also applies to {host}: {remedy}, or the younger one's trafficPolicy does nothing"
            yield codes.RULE_CLASH.at(rule, "trafficPolicy", text)


RULES: Final = (hosts_and_subsets, certificates, clashes)
