"""Objects as `kubectl get -o yaml` and other tools print them, without what the API server and its controllers add."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from mesh.analysis.reading import without_nulls

_METADATA: Final = frozenset(
    (
        *("creationTimestamp", "deletionGracePeriodSeconds", "deletionTimestamp", "generation", "managedFields"),
        *("resourceVersion", "selfLink", "uid"),
    )
)
"""Fields of metadata that only the API server sets."""
_ANNOTATIONS: Final = frozenset(
    (
        "deployment.kubernetes.io/revision",
        "deprecated.daemonset.template.generation",
        "kubectl.kubernetes.io/last-applied-configuration",
        "pv.kubernetes.io/bind-completed",
        "pv.kubernetes.io/bound-by-controller",
    )
)
"""Annotations that controllers and `kubectl apply` write."""


def cleaned(body: Mapping[str, Any]) -> dict[str, Any]:
    """The object without its status, without metadata that others write, and without fields that are null, which mean
    the same as missing ones."""
    found = {key: value for key, value in without_nulls(body).items() if key != "status"}
    meta = {key: value for key, value in found["metadata"].items() if key not in _METADATA}
    if annotations := meta.pop("annotations", None):
        kept = {key: value for key, value in annotations.items() if key not in _ANNOTATIONS}
        meta |= {"annotations": kept} if kept else {}
    return {**found, "metadata": meta}
