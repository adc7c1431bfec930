"""Checks rules at gateways that depend on clients' addresses: the gateways see these addresses."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Final

from mesh.analysis import codes
from mesh.analysis.authorization_policies import conditions, parts
from mesh.analysis.findings import Finding
from mesh.analysis.mesh import Mesh
from mesh.analysis.objects import Object
from mesh.analysis.rules.envoy_filters import patched
from mesh.analysis.trusted_proxies import trusted
from mesh.analysis.workloads import Workload
from mesh.core import kinds

_OUTSIDE: Final = ("LoadBalancer", "NodePort")
"""Types of Services whose requests a node may forward to a pod on another node, with the node's own address."""
_CONNECTION, _FORWARDED = ("ipBlocks", "notIpBlocks"), ("remoteIpBlocks", "notRemoteIpBlocks")
_KEYS: Final = {"source.ip": False, "remote.ip": True}
"""Keys of conditions on addresses, each with whether the address may come from `X-Forwarded-For`."""
_LOCAL: Final = "externalTrafficPolicy: Local"
_LIMITED_BY: Final = '"remote_address"'
_PROXY_PROTOCOL: Final = "envoy.filters.listener.proxy_protocol"


def addresses(mesh: Mesh) -> Iterator[Finding]:
    """Policies and limits at gateways that depend on clients' addresses are for gateways that see them."""
    for policy in mesh.of(kinds.AUTHORIZATION_POLICY):
        for path, forwarded in _conditions(policy):
            yield from _hidden(mesh, policy, path, mesh.selected_by(policy), forwarded)
    for limit in mesh.of(kinds.ENVOY_FILTER):
        for i, patch in enumerate(limit.items("configPatches")):
            if _LIMITED_BY in json.dumps(patch):
                yield from _hidden(mesh, limit, f"configPatches[{i}]", patched(mesh, limit), forwarded=True)


def _conditions(policy: Object) -> Iterator[tuple[str, bool]]:
    """The conditions on addresses, each with its path and whether the address may come from `X-Forwarded-For`."""
    for path, part in parts(policy):
        for field in (*_CONNECTION, *_FORWARDED):
            if part.get(field):
                yield f"{path}.{field}", field in _FORWARDED
    for path, condition in conditions(policy):
        if condition.get("key") in _KEYS:
            yield path, _KEYS[condition["key"]]


def _hidden(mesh: Mesh, obj: Object, path: str, pods: Iterable[Workload], forwarded: bool) -> Iterator[Finding]:
    for pod in (pod for pod in pods if pod.gateway):
        service = _hiding_service(mesh, pod)
        if service and not _told_by_protocol(mesh, pod) and not (forwarded and trusted(mesh, pod)):
            way = (
                "externalTrafficPolicy: Local, or numTrustedProxies if a proxy is in front of it"
                if forwarded
                else _LOCAL
            )
            text = (
                f"{service.ref} hides clients' addresses behind those of nodes, so many clients count as one: set {way}"
            )
            yield codes.ADDRESS_HIDDEN.at(obj, path, text)
            return


def _hiding_service(mesh: Mesh, pod: Workload) -> Object | None:
    """The Service through which requests from outside reach a gateway's pods with the address of a node, or None."""
    for service in mesh.services_before.get(pod, ()):
        spec = service.object.spec
        if spec.get("type") in _OUTSIDE and spec.get("externalTrafficPolicy") != "Local":
            return service.object
    return None


def _told_by_protocol(mesh: Mesh, pod: Workload) -> bool:
    """Whether a gateway reads the client's address from the PROXY protocol."""
    return any(
        _PROXY_PROTOCOL in json.dumps(found.spec) and pod in patched(mesh, found)
        for found in mesh.of(kinds.ENVOY_FILTER)
    )


RULES: Final = (addresses,)
