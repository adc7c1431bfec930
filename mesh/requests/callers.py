"""The workloads that are sampled as callers of a service."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import Final

from mesh.analysis import authorization_policies
from mesh.analysis.mesh import Mesh
from mesh.analysis.objects import Object, Ref
from mesh.analysis.rules.authorization import matches
from mesh.analysis.services import Service
from mesh.analysis.workloads import Workload
from mesh.core import kinds

_MANY: Final = 20
"""The number of workloads in a namespace up to which all of them are sampled as callers."""


class Callers:
    """The callers that are sampled for a service.

    These are all workloads of its namespace, or one with a sidecar and one without if they are many; one of each kind
    from other namespaces; and those that policies and routes name. Of an app, only one version is sampled.
    """

    def __init__(self, mesh: Mesh) -> None:
        self._mesh = mesh
        found: dict[str, dict[tuple[str, str, bool], Workload]] = {}
        for pod in mesh.workloads.all:
            if not pod.gateway:
                key = pod.account, pod.labels.get("app", pod.object.name), pod.proxy
                found.setdefault(pod.namespace, {}).setdefault(key, pod)
        self._in = {namespace: _Namespace(list(pods.values())) for namespace, pods in found.items()}
        every = [pod for one in self._in.values() for pod in one.pods]
        self._by_account = {pod.identity: pod for pod in reversed(every)}
        self._named: dict[Workload, dict[Workload, None]] = {}
        for policy in mesh.of(kinds.AUTHORIZATION_POLICY):
            callers = dict.fromkeys(self._of_policy(policy))
            for pod in mesh.selected_by(policy) if callers else ():
                self._named.setdefault(pod, {}).update(callers)

    def with_sidecars(self) -> Iterator[Workload]:
        """One workload with a sidecar from each namespace."""
        return (pod for one in self._in.values() for pod in one.some_of_many() if pod.proxy)

    def near(self, namespace: str) -> Sequence[Workload]:
        """The workloads of a namespace, or one with a sidecar and one without if they are many."""
        return self._in[namespace].some() if namespace in self._in else []

    def of(self, service: Service, routes: Sequence[Object]) -> Iterator[Workload]:
        """The callers of a service, without its own pods. `routes` are the VirtualServices that route to it."""
        pods = self._mesh.workloads_of(service)
        own, near = {pod.object.ref for pod in pods}, self._in.get(service.namespace)
        found = [
            *(near.some(own) if near else ()),
            *self._one_of_each(lambda namespace: namespace not in (service.namespace, self._mesh.home)),
            *(caller for pod in pods for caller in self._named.get(pod, ())),
            *(caller for obj in routes for caller in self._of_routes(obj)),
        ]
        yield from (pod for pod in dict.fromkeys(found) if pod.object.ref not in own)

    def _one_of_each(self, wanted: Callable[[str], bool]) -> Iterator[Workload]:
        """One workload with a sidecar and one without from all namespaces that are `wanted`."""
        return _first_of_each(pod for name, one in self._in.items() if wanted(name) for pod in one.some_of_many())

    def _of_policy(self, policy: Object) -> Iterator[Workload]:
        """A workload for each principal and each namespace that a policy includes or excludes."""
        for field, pattern in authorization_policies.callers(policy):
            yield from (self._of_principal if field == "principals" else self._of_namespace)(pattern)

    def _of_principal(self, pattern: str) -> Iterator[Workload]:
        exact = self._by_account.get(pattern.partition("/")[2])
        if exact:
            yield exact
        elif pattern.startswith("*"):
            wide = (pod for account, pod in self._by_account.items() if matches(pattern, f"/{account}"))
            yield from _first_of_each(wide)

    def _of_namespace(self, pattern: str) -> Iterator[Workload]:
        yield from self._one_of_each(lambda namespace: matches(pattern, namespace))

    def _of_routes(self, virtual_service: Object) -> Iterator[Workload]:
        """A workload for each `sourceNamespace` and each `sourceLabels` of a VirtualService."""
        for route in virtual_service.items("http"):
            for match in route.get("match") or ():
                namespace, labels = match.get("sourceNamespace"), match.get("sourceLabels")
                if namespace or labels:
                    chosen = self._mesh.workloads.select(labels or {}, namespace)
                    yield from [pod for pod in chosen if pod.proxy and not pod.gateway][:1]


class _Namespace:
    """The workloads of a namespace."""

    def __init__(self, pods: Sequence[Workload]) -> None:
        self.pods = pods
        self._alike: dict[bool, list[Workload]] = {}
        for pod in pods:
            self._alike.setdefault(pod.proxy, []).append(pod)

    def some(self, without: Collection[Ref] = ()) -> Sequence[Workload]:
        """The workloads, or one with a sidecar and one without if they are many; all `without` some."""
        if len(self.pods) > _MANY + len(without):  # without a look at each: every service of the namespace asks
            return self.some_of_many(without)
        found = [pod for pod in self.pods if pod.object.ref not in without]
        return found if len(found) <= _MANY else self.some_of_many(without)

    def some_of_many(self, without: Collection[Ref] = ()) -> Sequence[Workload]:
        """One workload with a sidecar and one without, so far as there are such, `without` some."""
        firsts = (next((pod for pod in pods if pod.object.ref not in without), None) for pods in self._alike.values())
        return [pod for pod in firsts if pod]


def _first_of_each(pods: Iterable[Workload]) -> Iterator[Workload]:
    """The first workload with a sidecar, and the first one without."""
    found: dict[bool, Workload] = {}
    for pod in pods:
        found.setdefault(pod.proxy, pod)
        if len(found) == 2:
            break
    return iter(found.values())
