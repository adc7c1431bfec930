"""Checks mutual TLS: PeerAuthentications, DestinationRules and sidecars agree with each other."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any, Final

from mesh.analysis import codes
from mesh.analysis.findings import Finding
from mesh.analysis.mesh import Mesh, selector_labels
from mesh.analysis.mtls import STRICT, PeerAuthentications
from mesh.analysis.objects import Object
from mesh.analysis.workloads import Workload
from mesh.core import kinds, words

_SHOWN: Final = 3
"""The most workloads that a message names."""


def strict_without_sidecars(mesh: Mesh) -> Iterator[Finding]:
    """Where a policy requires mutual TLS, every workload of the namespace (or mesh) has a sidecar."""
    without: dict[str, list[str]] = defaultdict(list)
    for workload in mesh.workloads.all:
        if not workload.proxy and workload.namespace != mesh.home:
            without[workload.namespace].append(str(workload.object.ref))
    for policy in mesh.of(kinds.PEER_AUTHENTICATION):
        modes = [policy.spec.get("mtls"), *(policy.spec.get("portLevelMtls") or {}).values()]
        if any((mode or {}).get("mode") == STRICT for mode in modes):
            wide = policy.namespace == mesh.root
            places = [*without] if wide else [policy.namespace]
            names = [name for place in places for name in without.get(place, ())]
            if names:
                who = words.some(names, _SHOWN)
                text = (
                    f"{who} without a sidecar cannot call pods that require mutual TLS: inject them, or use PERMISSIVE"
                )
                yield codes.STRICT_WITHOUT_SIDECAR.at(policy, "mtls.mode", text)


def destination_rule_modes(mesh: Mesh) -> Iterator[Finding]:
    """The TLS mode of each DestinationRule is one that the workloads of its host accept."""
    peers = PeerAuthentications(mesh)
    for rule in mesh.of(kinds.DESTINATION_RULE):
        service = mesh.service(rule.spec.get("host", ""), rule.namespace)
        pods = mesh.workloads_of(service) if service and not service.external else []
        for path, mode in _modes(rule.spec):
            if mode == "ISTIO_MUTUAL" and pods and not any(pod.proxy for pod in pods):
                text = f"no pod of {rule.spec['host']} has a sidecar: requests fail; use mode DISABLE, or inject them"
                yield codes.MUTUAL_TO_NO_SIDECAR.at(rule, path, text)
            closed = [pod for pod in pods if pod.proxy and peers.mode(pod) == STRICT]
            if mode != "ISTIO_MUTUAL" and closed:
                policy = _deciding(peers, closed[0])
                text = f"{closed[0].object.ref} requires mutual TLS ({policy}): requests fail; use mode ISTIO_MUTUAL"
                yield codes.PLAIN_TO_STRICT.at(rule, path, text)


def _modes(spec: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Each TLS mode that a DestinationRule sets, with its path."""
    policies = [("trafficPolicy", spec.get("trafficPolicy") or {})]
    for i, subset in enumerate(spec.get("subsets") or ()):
        policies.append((f"subsets[{i}].trafficPolicy", subset.get("trafficPolicy") or {}))
    for path, policy in policies:
        ports = policy.get("portLevelSettings") or ()
        places = [(path, policy), *((f"{path}.portLevelSettings[{i}]", port) for i, port in enumerate(ports))]
        for place, part in places:
            if part.get("tls"):
                yield f"{place}.tls", part["tls"].get("mode") or "DISABLE"


def _deciding(peers: PeerAuthentications, workload: Workload) -> str:
    """The name of the policy that makes a workload STRICT."""
    return next(str(p.ref) for p in peers.applying_to(workload) if (p.spec.get("mtls") or {}).get("mode") == STRICT)


def clashes(mesh: Mesh) -> Iterator[Finding]:
    """No two PeerAuthentications of a namespace have the same selector."""
    seen: dict[tuple[str, frozenset[tuple[str, str]]], Object] = {}
    for policy in mesh.of(kinds.PEER_AUTHENTICATION):
        first = seen.setdefault((policy.namespace, frozenset(selector_labels(policy).items())), policy)
        if first is not policy:
            text = f"{first.ref} selects the same workloads, and only the older one applies: join them"
            yield codes.POLICY_CLASH.at(policy, "", text)


RULES: Final = (strict_without_sidecars, destination_rule_modes, clashes)
