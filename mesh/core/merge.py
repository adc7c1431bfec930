"""Merging of config: a stack's over its profile, a profile's over its parent."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
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


def differing(chosen: Data, base: Data) -> dict[str, Any]:
    """The parts of `chosen` that differ from `base`: merged over `base`, they result in `chosen`."""
    found = {}
    for key, value in chosen.items():
        other = base.get(key)
        if isinstance(value, Mapping) and isinstance(other, Mapping):
            value, other = differing(value, other), {}
        if value != other:
            found[key] = value
    return found


def merged_values(base: Data, over: Data, kinds: Mapping[str, Data], by_name: Collection[str] = ()) -> dict[str, Any]:
    """The same for all values of an installation: a gateway that `base` does not have starts with the defaults of its
    chart or else of its kind. `kinds` has the defaults by either, such as `egress`; `by_name` names lists of a gateway
    whose items are merged by their names."""
    result = merged(base, over)
    given = over.get("gateways")
    if isinstance(given, Mapping):
        existing = base.get("gateways", {})
        complete = {
            name: _merged_gateway(existing.get(name) or _usual(spec, kinds), spec, by_name)
            for name, spec in given.items()
            if isinstance(spec, Mapping)
        }
        result["gateways"] = {**result["gateways"], **complete}
    return result


def _usual(gateway: Data, kinds: Mapping[str, Data]) -> Data:
    chosen = (str(gateway.get(field)) for field in ("chart", "kind"))
    return next((kinds[name] for name in chosen if name in kinds), kinds["ingress"])


def _merged_gateway(base: Data, over: Data, by_name: Collection[str]) -> dict[str, Any]:
    named = {
        field: merged_by("name", base.get(field) or (), over[field])
        for field in by_name
        if isinstance(over.get(field), list | tuple) and all(isinstance(item, Mapping) for item in over[field])
    }
    return {**merged(base, over), **named}


def merged_by(key: str, base: Iterable[Data], over: Iterable[Data], whole: bool = False) -> list[Data]:
    """The items of `base`, merged with the items of `over` that have the same `key`, or replaced by them if `whole`.
    Further items of `over` come first, as in Kubernetes' strategic merges."""
    given, own = {item.get(key): item for item in over}, list(base)
    known = {item.get(key) for item in own}
    new = [item for name, item in given.items() if name not in known]
    if whole:
        return [*new, *(given.get(item.get(key), item) for item in own)]
    return [*new, *(merged(item, given.get(item.get(key), {})) for item in own)]
