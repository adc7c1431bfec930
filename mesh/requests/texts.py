"""Conditions on the parts of a request, of a StringMatch or of an AuthorizationPolicy, and values that meet them."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from mesh.api import regex
from mesh.releases.release import Requests
from mesh.requests import expressions

Part = tuple[str, str]
"""A part of a request: `path`, `method`, `authority`, `principal` or `address` with an empty name; or `header`, `query`
or `claim` with its name."""
PATH: Final = ("path", "")
METHOD: Final = ("method", "")
AUTHORITY: Final = ("authority", "")
PRINCIPAL: Final = ("principal", "")
ADDRESS: Final = ("address", "")

PATHS: Final = ("/", "/any", "/0")
MORE: Final = "0"
"""What is appended to a prefix."""
ANY: Final = "any"
"""Any value, where the value does not matter."""
SOMEBODY: Final = "issuer/any"
"""Any request principal, where it does not matter."""


_TEMPLATE: Final = re.compile(r"(\{\*\*?\})")
_SEGMENT: Final = r"[\w.~%!$&'()+,;:@-]"
"""A character of a segment, as Envoy's path templates have it."""
_OF_TEMPLATE: Final = {"{*}": f"{_SEGMENT}+", "{**}": f"(?:{_SEGMENT}|/)*"}


@dataclass(frozen=True)
class Text:
    """A condition on a text."""

    kind: str
    """`exact`, `prefix`, `suffix`, `regex`, `present` or `network`."""
    value: str = ""
    ignore_case: bool = False

    @classmethod
    def of_string_match(cls, condition: Mapping[str, str], ignore_case: bool = False) -> Text:
        """The condition of a StringMatch. An empty one requires only a value."""
        kind, value = next(iter(condition.items()), ("present", ""))
        return cls(kind, value, ignore_case and kind != "regex")

    @classmethod
    def of_pattern(cls, pattern: str, part: Part, treated: Requests) -> Text:
        """The condition of a pattern of an AuthorizationPolicy on a part of a request. `*` may be at the start, at the
        end or alone; `{*}` and `{**}` may be anywhere in a path."""
        ignore_case = part == AUTHORITY and treated.hosts_ignore_case
        if pattern == "*":
            return cls("present")
        if part == PATH and treated.path_templates and "{*" in pattern:
            return cls("regex", _of_template(pattern))
        if pattern.endswith("*"):
            return cls("prefix", pattern[:-1], ignore_case)
        if pattern.startswith("*"):
            return cls("suffix", pattern[1:], ignore_case)
        return cls("exact", pattern, ignore_case)

    def matches(self, value: str | None) -> bool:
        """Whether a value meets the condition. The value is None if the request has no such part."""
        if value is None:
            return False
        wanted = self.value
        if self.ignore_case:
            value, wanted = value.lower(), wanted.lower()
        match self.kind:
            case "exact":
                return value == wanted
            case "prefix":
                return value.startswith(wanted)
            case "suffix":
                return value.endswith(wanted)
            case "regex":
                return regex.matches(wanted, value)
            case "network":
                return in_network(wanted, value)
        return True

    def examples(self, part: Part) -> Sequence[str]:
        """Values that meet the condition: the plainest first, and if there are others, one at the other end."""
        match self.kind:
            case "exact":
                return [self.value, self.value.swapcase()] if self.ignore_case else [self.value]
            case "prefix":
                longer = self.value + MORE
                return [longer, self.value] if self.value.endswith("/") and self.value != "/" else [self.value, longer]
            case "suffix":
                return [f"/{MORE}{self.value}", f"/{self.value}", self.value] if part == PATH else [MORE + self.value]
            case "regex":
                found = expressions.language(self.value).strings
                return [*found[:1], *found[-1:], *found[1:-1]]
            case "network":
                return first_addresses(self.value)
        return {PATH: PATHS, PRINCIPAL: [SOMEBODY]}.get(part, [ANY])

    def excludes(self, other: Text) -> bool:
        """Whether no value meets both conditions; False if that is uncertain."""
        for one, rest in ((self, other), (other, self)):
            some = one.all_values
            if some is not None:
                return not any(rest.matches(value) for value in some)
        starts = sorted((text.beginning for text in (self, other)), key=len)
        return not starts[1].startswith(starts[0])

    @property
    def all_values(self) -> Sequence[str] | None:
        """All values that meet the condition; None if they are not known or too many."""
        if self.kind == "exact" and not self.ignore_case:
            return [self.value]
        found = expressions.language(self.value) if self.kind == "regex" else None
        return found.strings if found and found.complete else None

    @property
    def beginning(self) -> str:
        """The common prefix of all values; empty if it is not known."""
        if self.kind == "regex":
            return expressions.language(self.value).beginning
        return self.value if self.kind == "prefix" and not self.ignore_case else ""

    @property
    def certain(self) -> bool:
        """Whether `examples` always finds a value if one exists."""
        return self.kind != "regex"


def claim_name(path: Sequence[str]) -> str:
    """The name of a claim by its path: `group`, or `team[id]` for a nested one."""
    return path[0] + "".join(f"[{name}]" for name in path[1:])


def _of_template(path: str) -> str:
    """The regular expression of a path with `{*}` and `{**}`."""
    return "".join(_OF_TEMPLATE.get(step) or re.escape(step) for step in _TEMPLATE.split(path))


def in_network(block: str, address: str) -> bool:
    """Whether an address is in a network, such as `10.0.0.0/8`. A text that is not an address is in no network."""
    try:
        return ipaddress.ip_address(address) in ipaddress.ip_network(block, strict=False)
    except ValueError:
        return False


def first_addresses(block: str) -> Sequence[str]:
    """An address of a network; none if the text is not a network, such as the placeholder of an encrypted value."""
    try:
        network = ipaddress.ip_network(block, strict=False)
    except ValueError:
        return ()
    return (str(network[min(1, network.num_addresses - 1)]),)
