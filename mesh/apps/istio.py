"""The objects that objects of Istio's API need: for subsets, hosts, Gateways, delegates, targets, and permissions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from mesh.analysis import virtual_services
from mesh.analysis.objects import Object, Ref
from mesh.apps.hosts import service_of, wider
from mesh.core import kinds
from mesh.core.kinds import GroupKind


class Istio:
    """Objects of Istio's API, by the names with which others refer to them."""

    def __init__(self, objects: Iterable[Object], root: str) -> None:
        """`root`: the mesh's root namespace, whose policies apply to all namespaces."""
        self._root = root
        self._rules: dict[Ref, list[Ref]] = defaultdict(list)
        self._entries: dict[Ref, list[Ref]] = defaultdict(list)
        self._allowing: dict[str, list[Ref]] = defaultdict(list)
        for obj in objects:
            if obj.kind == kinds.DESTINATION_RULE:
                self._rules[service_of(str(obj.spec.get("host", "")), obj.namespace)].append(obj.ref)
            elif obj.kind == kinds.SERVICE_ENTRY:
                for host in obj.items("hosts"):
                    self._entries[service_of(str(host), obj.namespace)].append(obj.ref)
            elif obj.kind == kinds.AUTHORIZATION_POLICY and _is_allowing(obj) and obj.items("rules"):
                self._allowing[obj.namespace].append(obj.ref)

    def needed(self, obj: Object) -> Iterator[Ref]:
        """The objects that an object needs. Not all of them need to exist."""
        if obj.kind == kinds.VIRTUAL_SERVICE:
            yield from self._of_route(obj)
        elif obj.kind == kinds.SIDECAR:
            yield from self._of_sidecar(obj)
        elif obj.kind == kinds.AUTHORIZATION_POLICY and _is_allowing(obj) and not obj.items("rules"):
            yield from self._allowing_in(obj.namespace)
        yield from _targets(obj)

    def _of_route(self, obj: Object) -> Iterator[Ref]:
        """The objects that a VirtualService leads to and is attached to, except for workloads."""
        for receiver in virtual_services.destinations(obj):
            yield from self._of_host(receiver.host, receiver.subset, obj.namespace)
        for _, _, gateway in virtual_services.gateways(obj):
            yield gateway
        for route in virtual_services.routes(obj):
            if below := route.get("delegate"):
                yield Ref(obj.kind, below.get("namespace") or obj.namespace, below.get("name") or "")

    def _of_host(self, host: str, subset: str, namespace: str) -> Iterator[Ref]:
        service = service_of(host, namespace)
        for one in wider(service):
            yield from self._rules[one] if subset else ()
            yield from self._entries[one]
        yield service

    def _of_sidecar(self, obj: Object) -> Iterator[Ref]:
        """The hosts outside of Kubernetes that it lets workloads see, and the proxy that it sends the others to."""
        for listener in obj.items("egress"):
            for entry in listener.get("hosts") or ():
                yield from self._entries[service_of(str(entry).rpartition("/")[2], obj.namespace)]
        through = (obj.spec.get("outboundTrafficPolicy") or {}).get("egressProxy") or {}
        if host := through.get("host"):
            yield from self._of_host(str(host), through.get("subset") or "", obj.namespace)

    def _allowing_in(self, namespace: str) -> Iterator[Ref]:
        """The policies that allow something where one of this namespace allows nothing."""
        for place in self._allowing if namespace == self._root else (namespace,):
            yield from self._allowing.get(place, ())


def _is_allowing(obj: Object) -> bool:
    return obj.spec.get("action") in (None, "ALLOW", 0)


def _targets(obj: Object) -> Iterator[Ref]:
    """The objects that a policy is attached to."""
    if obj.kind.group.endswith(".istio.io"):
        for target in (*obj.items("targetRefs"), *filter(None, [obj.spec.get("targetRef")])):
            kind = GroupKind(str(target.get("kind", "")), str(target.get("group") or ""))
            yield Ref(kind, obj.namespace, str(target.get("name", "")))
