"""The rules of AuthorizationPolicies, as the analysis and the evaluation of requests read them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from mesh.analysis.objects import Object

IDENTITY: Final = ("principals", "namespaces")
"""Fields of a source whose values are known only with mutual TLS."""
_KEYS: Final = {"source.principal": "principals", "source.namespace": "namespaces"}
"""Keys of conditions (`when`), each with the field that means the same."""


def parts(policy: Object) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The sources and operations of a policy's rules, with their paths."""
    for i, rule in enumerate(policy.items("rules")):
        for place, inner in (("from", "source"), ("to", "operation")):
            for j, entry in enumerate((rule or {}).get(place) or ()):
                yield f"rules[{i}].{place}[{j}].{inner}", entry.get(inner) or {}


def conditions(policy: Object) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The conditions (`when`) of a policy's rules, with their paths."""
    for i, rule in enumerate(policy.items("rules")):
        for j, condition in enumerate((rule or {}).get("when") or ()):
            yield f"rules[{i}].when[{j}]", condition


def callers(policy: Object) -> Iterator[tuple[str, str]]:
    """The callers that a policy includes or excludes, as pairs of `principals` or `namespaces` and a pattern."""
    for _, part in parts(policy):
        for field in IDENTITY:
            for name in (field, f"not{field.title()}"):
                yield from ((field, pattern) for pattern in part.get(name) or ())
    for _, condition in conditions(policy):
        asked = _KEYS.get(condition.get("key") or "")
        for name in ("values", "notValues") if asked else ():
            yield from ((str(asked), pattern) for pattern in condition.get(name) or ())
