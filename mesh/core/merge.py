"""Merging of config: a stack's over its profile, a profile's over its parent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

Data = Mapping[str, Any]


def merged(base: Data, over: Data) -> dict[str, Any]:
    """`base` with the values of `over`: maps are merged key by key; lists and scalars replace those of `base`."""
    result = dict(base)
    for key, value in over.items():
        old = result.get(key)
        both = isinstance(old, Mapping) and isinstance(value, Mapping)
        result[key] = merged(old, value) if both else value  # type: ignore[arg-type]
    return result


def merged_values(base: Data, over: Data, kinds: Mapping[str, Data]) -> dict[str, Any]:
    """The same for all values of an installation: a gateway that `base` does not have starts with the defaults of its
    kind. `kinds` has the defaults by kind, `ingress` or `egress`."""
    result = merged(base, over)
    given = over.get("gateways")
    if isinstance(given, Mapping):
        existing = base.get("gateways", {})
        new = {name: spec for name, spec in given.items() if name not in existing and isinstance(spec, Mapping)}
        complete = {
            name: merged(kinds.get(str(spec.get("kind")), kinds["ingress"]), spec) for name, spec in new.items()
        }
        result["gateways"] = {**result["gateways"], **complete}
    return result


def merged_by(key: str, base: Iterable[Data], over: Iterable[Data], whole: bool = False) -> list[Data]:
    """The items of `base` with those of `over` that have the same `key` merged over them, or if `whole`, in their
    places; the other items of `over` follow."""
    given = {item.get(key): item for item in over}
    own = list(base)
    known = {item.get(key) for item in own}
    changed = [merged({} if whole and item.get(key) in given else item, given.get(item.get(key), {})) for item in own]
    return [*changed, *(item for name, item in given.items() if name not in known)]
