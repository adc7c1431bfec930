"""The limits that the API server itself enforces, in a release whose CRDs have Istio's limits (`Versions.enforced`).

The keywords are those of structural schemas; rules are written in CEL, with the messages that users get from the API
server. They are annotations of types, or `rules` of messages; definitions of other releases leave them out.
"""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any, Final, NamedTuple


class Rule(NamedTuple):
    """A validation rule of a schema (`x-kubernetes-validations`)."""

    rule: str
    """The CEL expression that must hold; `self` is the value."""
    message: str
    """The API server's message if it does not hold."""


@dataclass(frozen=True, kw_only=True)
class Enforced:
    """Keywords that a type adds to its schema, in wire names. A keyword of an outer annotation replaces that of an
    inner one."""

    description: str | None = None
    """The description, where it depends on the release."""
    format: str | None = None
    enum: tuple[str, ...] | None = None
    """The values of an enumeration, if their order differs from that of the type."""
    minimum: int | None = None
    maximum: int | None = None
    minLength: int | None = None
    maxLength: int | None = None
    pattern: str | None = None
    minItems: int | None = None
    maxItems: int | None = None
    minProperties: int | None = None
    maxProperties: int | None = None
    unique: str | None = None
    """The field of a list's items that no two of them share."""
    rules: tuple[Rule, ...] = ()

    def keywords(self) -> dict[str, Any]:
        """The keywords of the schema, by name."""
        plain = {field.name: getattr(self, field.name) for field in fields(self) if field.name not in _OWN}
        found = {name: value for name, value in plain.items() if value is not None}
        if self.enum:
            found["enum"] = list(self.enum)
        if self.unique:
            found |= {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": [self.unique]}
        return {**found, **validations(self.rules)}


_OWN: Final = ("enum", "unique", "rules")


def validations(rules: Iterable[Rule]) -> dict[str, Any]:
    """The keyword for rules; empty without rules."""
    written = [rule._asdict() for rule in rules]
    return {"x-kubernetes-validations": written} if written else {}


def at_most_one(message: str, *names: str) -> Rule:
    """The rule that at most one of some fields is set."""
    return Rule(" + ".join(f"(has(self.{name}) ? 1 : 0)" for name in names) + " <= 1", message)


POSITIVE_DURATION: Final = Rule("duration(self) >= duration('1ms')", "must be a valid duration greater than 1ms")
PORT: Final = Rule("0 < self && self <= 65535", "port must be between 1-65535")
ONE_SELECTION: Final = at_most_one(
    "only one of targetRefs or selector can be set", "selector", "targetRef", "targetRefs"
)
"""The rule of a policy that either selects workloads by labels or names the objects that it is attached to."""
HTTP_URL: Final = Rule('url(self).getScheme() in ["http", "https"]', "url must have scheme http:// or https://")
NO_PORTS_OF_SOCKET: Final = Rule(
    '(has(self.address) ? self.address : "").startsWith("unix://") ? !has(self.ports) : true',
    "UDS may not include ports",
)
