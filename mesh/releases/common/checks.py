"""Checks of an object's metadata that every release of Istio makes (pkg/config/validation), and parts that the checks
of releases share."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from mesh import api
from mesh.api.model import Kind, Metadata
from mesh.core.errors import show
from mesh.core.typed import Findings, Path

DRY_RUN: Final = "istio.io/dry-run"
_TRUTHS: Final = ("1", "t", "T", "TRUE", "true", "True", "0", "f", "F", "FALSE", "false", "False")
"""What Go reads as true or false."""


def header_values(operations: api.HeaderOperations) -> Iterator[tuple[Path, str]]:
    """The values that headers are given, each with its path."""
    for operation in ("set", "add"):
        for name, value in (getattr(operations, operation) or {}).items():
            yield (operation, name), value


def dry_run(body: Kind, metadata: Metadata) -> Findings:
    """Problems of the annotation for a dry run of an AuthorizationPolicy."""
    value = metadata.annotations.get(DRY_RUN)
    path = ("metadata", "annotations", DRY_RUN)
    if value is None:
        return
    if not isinstance(body, api.AuthorizationPolicy):
        yield path, f"is for AuthorizationPolicies only, not for {body.kind}: leave it out"
    elif body.action in ("AUDIT", "CUSTOM"):
        yield path, f"is for the actions ALLOW and DENY, not for {body.action}: leave it out"
    elif value not in _TRUTHS:
        yield path, f"{show(value)} is neither true nor false"


def exported(body: api.VirtualService | api.DestinationRule | api.ServiceEntry, metadata: Metadata) -> Findings:
    """Problems of the namespaces to which an object is exported: its own must be named only once."""
    if "." in (body.exportTo or ()) and metadata.namespace in (body.exportTo or ()):
        yield ("exportTo",), f'"." is {metadata.namespace}, the object\'s own namespace: name it once'


MISPLACED: Final[Mapping[type[Kind], Callable[[Any, Metadata], Findings]]] = {
    Kind: dry_run,
    api.VirtualService: exported,
    api.DestinationRule: exported,
    api.ServiceEntry: exported,
}
"""By kind, the problems of an object; paths below `spec` are without it."""
