"""Checks whether the nodes can run Istio's images, and have enough CPU and memory for the pods' requests."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from commands.checks.case import Case, Level, Manifest, Result, comma_separated
from mesh.core import kinds, pods, quantities
from mesh.core.words import count, some
from mesh.releases.release import Release

_ARCHITECTURE: Final = "kubernetes.io/arch"
_CLOSED: Final = ("NoSchedule", "NoExecute")
"""Effects of taints that keep the stack's pods off a node: they have no tolerations."""

_UNITS: Final[Mapping[str, tuple[str, float]]] = {"cpu": ("cpu", 1), "memory": ("GiB memory", 1024**3)}


def check(case: Case) -> Result:
    """Compares the nodes' architectures and allocatable resources with the needs of the stack. The requests of other
    pods are not subtracted."""
    open_nodes = [node for node in case.nodes if _is_open(node)]
    release = case.release
    own_images = case.settings.hub != release.hub  # they may be built for any architecture
    fitting = [node for node in open_nodes if own_images or _architecture(node) in release.architectures]
    wanted = comma_separated(release.architectures)
    kinds = comma_separated(sorted({_architecture(node) for node in open_nodes}))
    if not open_nodes:
        return Result(Level.ERROR, f"none of {count(len(case.nodes), 'node')} takes pods without tolerations")
    if not fitting:
        return Result(
            Level.ERROR,
            f"no node can run Istio {release.version}: its images are for {wanted}, the nodes are {kinds}",
            ["add nodes of that architecture, or build images of your own and name their registry with mesh:hub"],
        )
    details = [*_others(release, open_nodes, fitting), *_shortages(case, fitting)]
    have, need = (_amounts(_sum(amounts)) for amounts in (map(_allocatable, fitting), _pods(case, len(fitting))))
    text = f"{count(len(open_nodes), 'node')} ({kinds}) with {have}, for requests of {need}"
    return Result(Level.WARNING if details else Level.OK, text, details)


def _others(release: Release, open_nodes: Sequence[Manifest], fitting: Sequence[Manifest]) -> Iterator[str]:
    names = [node["metadata"]["name"] for node in open_nodes if node not in fitting]
    if names:
        wanted = comma_separated(release.architectures)
        yield f"nodes that cannot run Istio {release.version}, whose images are for {wanted} only: {some(names, 5)}"
        yield "  keep istiod and pods with sidecars off them, with a taint or a nodeSelector kubernetes.io/arch"


def _shortages(case: Case, fitting: Sequence[Manifest]) -> Iterator[str]:
    have, needs = [_allocatable(node) for node in fitting], [*_pods(case, len(fitting))]
    for resource, (unit, size) in _UNITS.items():
        need, there = (sum(amounts.get(resource, 0) for amounts in of) / size for of in (needs, have))
        largest = max((pod.get(resource, 0) for pod in needs), default=0) / size
        room = max(node.get(resource, 0) for node in have) / size
        if need > there:
            yield f"requests of {_short(need)} {unit} in all are more than the nodes have: {_short(there)}"
        elif largest > room:
            yield f"one pod requests {_short(largest)} {unit}, and no node has more than {_short(room)}"


def _is_open(node: Manifest) -> bool:
    spec = node.get("spec", {})
    taints = spec.get("taints") or []
    return not spec.get("unschedulable") and not any(taint.get("effect") in _CLOSED for taint in taints)


def _architecture(node: Manifest) -> str:
    info = node.get("status", {}).get("nodeInfo", {})
    labels = node["metadata"].get("labels") or {}
    return str(labels.get(_ARCHITECTURE) or info.get("architecture") or "unknown")


def _allocatable(node: Manifest) -> dict[str, float]:
    return _numbers(node.get("status", {}).get("allocatable") or {})


def _pods(case: Case, everywhere: int) -> Iterator[dict[str, float]]:
    """The requests of each pod of the stack, its sidecar included. `everywhere` is the number of nodes that run a
    DaemonSet's pod."""
    sidecar = _numbers(case.settings.global_.proxy.resources.requests)
    for workload in case.plan.workloads:
        containers = pods.running_containers(workload.pod)
        requests = [_numbers((c.body.get("resources") or {}).get("requests") or {}) for c in containers]
        if workload.namespace in case.plan.injected:
            requests.append(sidecar)
        for _ in range(
            everywhere if workload.kind == kinds.DAEMON_SET else workload.manifest["spec"].get("replicas", 1)
        ):
            yield _sum(requests)


def _numbers(amounts: Mapping[str, Any]) -> dict[str, float]:
    return {name: float(quantities.parse(str(amounts[name]))) for name in _UNITS if name in amounts}


def _sum(amounts: Any) -> dict[str, float]:
    total: dict[str, float] = {}
    for one in amounts:
        for name, value in one.items():
            total[name] = total.get(name, 0) + value
    return total


def _amounts(amounts: Mapping[str, float]) -> str:
    return ", ".join(f"{_short(amounts.get(name, 0) / size)} {unit}" for name, (unit, size) in _UNITS.items())


def _short(value: float) -> str:
    """The number with at most two decimals, without trailing zeros."""
    return f"{value:.2f}".rstrip("0").rstrip(".")
