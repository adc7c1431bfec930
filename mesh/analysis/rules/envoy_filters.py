"""Checks EnvoyFilters: they select workloads, operations suit `applyTo`, and relative ones have a priority."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from mesh.analysis import codes
from mesh.analysis.findings import Finding
from mesh.analysis.mesh import Mesh, targets
from mesh.analysis.objects import Object
from mesh.analysis.workloads import Workload
from mesh.core import kinds
from mesh.core.names import REVISION_LABEL

_FIXED: Final = ("ROUTE_CONFIGURATION", "HTTP_ROUTE")
_REPLACEABLE: Final = ("NETWORK_FILTER", "HTTP_FILTER", "VIRTUAL_HOST")
_RELATIVE: Final = ("INSERT_BEFORE", "INSERT_AFTER", "REMOVE", "REPLACE")


def selectors(mesh: Mesh) -> Iterator[Finding]:
    """Each EnvoyFilter with a selector selects a workload with a proxy."""
    for envoy_filter in mesh.of(kinds.ENVOY_FILTER):
        labels = (envoy_filter.spec.get("workloadSelector") or {}).get("labels") or {}
        if labels and not any(pod.proxy for pod in patched(mesh, envoy_filter)):
            which = ",".join(f"{key}={value}" for key, value in labels.items())
            text = f"no pod with a sidecar has the labels {which}: the filter does nothing"
            yield codes.FILTER_WITHOUT_WORKLOADS.at(envoy_filter, "workloadSelector", text)


def patched(mesh: Mesh, envoy_filter: Object) -> Sequence[Workload]:
    """The workloads whose proxies an EnvoyFilter patches: in its namespace, or in the mesh if it is in the root
    namespace. Targets work as in `Mesh.selected_by`."""
    if targets(envoy_filter):
        return mesh.selected_by(envoy_filter)
    labels = (envoy_filter.spec.get("workloadSelector") or {}).get("labels") or {}
    return mesh.workloads.select(labels, None if envoy_filter.namespace == mesh.root else envoy_filter.namespace)


def patches(mesh: Mesh) -> Iterator[Finding]:
    """The patches of each EnvoyFilter, except the control plane's own for telemetry."""
    versioned: set[str] = set()
    for envoy_filter in mesh.of(kinds.ENVOY_FILTER):
        if REVISION_LABEL in envoy_filter.labels:
            continue
        for i, patch in enumerate(envoy_filter.items("configPatches")):
            yield from _patch(envoy_filter, f"configPatches[{i}]", patch, versioned)
            if ((patch.get("match") or {}).get("proxy") or {}).get("proxyVersion"):
                versioned.add(_filter(patch))


def _patch(envoy_filter: Object, path: str, patch: Mapping[str, Any], versioned: set[str]) -> Iterator[Finding]:
    part, operation = patch.get("applyTo"), (patch.get("patch") or {}).get("operation")
    place = f"{path}.patch.operation"
    if operation == "ADD" and part in _FIXED:
        yield codes.WRONG_ADD.at(envoy_filter, place, f"ADD does nothing to {part}: use MERGE or INSERT_FIRST")
    elif operation == "REMOVE" and part in _FIXED:
        yield codes.WRONG_REMOVE.at(envoy_filter, place, f"REMOVE does nothing to {part}")
    elif operation == "REPLACE" and part not in _REPLACEABLE:
        yield codes.WRONG_REPLACE.at(envoy_filter, place, f"REPLACE is for {', '.join(_REPLACEABLE)}, not for {part}")
    elif operation in _RELATIVE and not envoy_filter.spec.get("priority"):
        code = codes.RELATIVE_PATCH_OF_VERSION if _filter(patch) in versioned else codes.RELATIVE_PATCH
        yield code.at(
            envoy_filter, place, f"{operation} depends on what other filters have done: use INSERT_FIRST or ADD"
        )


def _filter(patch: Mapping[str, Any]) -> str:
    """The name of the filter that a patch adds or matches."""
    name = ((patch.get("patch") or {}).get("value") or {}).get("name")
    chain = ((patch.get("match") or {}).get("listener") or {}).get("filterChain") or {}
    return str(name or (chain.get("filter") or {}).get("name") or "")


RULES: Final = (selectors, patches)
