"""How differences are laid over what they differ from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Data = Mapping[str, Any]


def merged(base: Data, over: Data) -> dict[str, Any]:
    """`base` with `over` laid on it: maps merge key by key, anything else is replaced."""
    result = dict(base)
    for key, value in over.items():
        old = result.get(key)
        both = isinstance(old, Mapping) and isinstance(value, Mapping)
        result[key] = merged(old, value) if both else value  # type: ignore[arg-type]
    return result


def merged_values(base: Data, over: Data, kinds: Mapping[str, Data]) -> dict[str, Any]:
    """The same for a whole set of values: a gateway that `base` does not have starts as its kind does."""
    result = merged(base, over)
    given = over.get("gateways")
    if isinstance(given, Mapping):
        known = base.get("gateways", {})
        new = {name: spec for name, spec in given.items() if name not in known and isinstance(spec, Mapping)}
        begun = {name: merged(kinds.get(str(spec.get("kind")), kinds["ingress"]), spec) for name, spec in new.items()}
        result["gateways"] = {**result["gateways"], **begun}
    return result
