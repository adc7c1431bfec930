"""Demands: what the rules of a mesh require of a request, in one form for routes and AuthorizationPolicies.

`solve` finds requests that meet a demand, or several demands merged into one; `others` finds requests for none.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

from mesh.requests.texts import ADDRESS, ANY, AUTHORITY, METHOD, MORE, PATH, PATHS, PRINCIPAL, SOMEBODY, Part, Text

_METHODS: Final = ("GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH")
_SENT: Final[Mapping[str, re.Pattern[str]]] = {
    "path": re.compile(r"/[!-\"$->@-~]*"),
    "method": re.compile(r"[A-Z]+"),
    "authority": re.compile(r"[a-z0-9.-]+(:\d+)?", re.IGNORECASE),
    "address": re.compile(r"[0-9a-f.:]+"),
    "query": re.compile(r"[\w.~-]+", re.ASCII),
    "principal": re.compile(r"\S+/\S+"),
}
"""Values that clients can send, by part. Values of other parts are printable, without spaces around them."""


@dataclass(frozen=True)
class Term:
    """A condition on one part of a request: one of the texts holds, or none of them."""

    part: Part
    texts: tuple[Text, ...]
    wanted: bool = True

    def holds(self, value: str | None) -> bool:
        return any(text.matches(value) for text in self.texts) is self.wanted

    def flipped(self) -> Term:
        """The term that holds for all other values."""
        return Term(self.part, self.texts, not self.wanted)


@dataclass(frozen=True)
class Shape:
    """The parts of a request that differ from those of a plain GET of `/`."""

    values: Mapping[Part, str] = field(default_factory=dict)

    def get(self, part: Part) -> str | None:
        return self.values.get(part) or {PATH: "/", METHOD: "GET"}.get(part)


Demand = tuple[Term, ...]
"""Terms that all have to hold for a request."""


def meets(shape: Shape, demand: Demand) -> bool:
    """Whether a request meets a demand. A part that the request leaves open has no value."""
    return all(term.holds(shape.get(term.part)) for term in demand)


def variants(demand: Demand) -> Iterator[Demand]:
    """The variants of a demand: with each text of its terms, and with each of its terms negated."""
    most = max((len(term.texts) for term in demand if term.wanted), default=1)
    for turn in range(most):
        yield tuple(Term(term.part, (term.texts[turn % len(term.texts)],)) if term.wanted else term for term in demand)
    for i, term in enumerate(demand):
        for text in (None,) if term.wanted else term.texts:
            contrary = term.flipped() if text is None else Term(term.part, (text,))
            yield (*demand[:i], contrary, *demand[i + 1 :])


@dataclass(frozen=True)
class Solution:
    """Requests that meet a demand."""

    shapes: Sequence[Shape]
    """The requests, the plainest first."""
    undecided: bool = False
    """Whether such requests may exist although none was found."""


def solve(demand: Demand, hosts: Sequence[str] = ()) -> Solution:
    """Finds requests that meet a demand: one with the plainest values, and one more for each part that has several
    values. `hosts`: the values that the authority may have, the usual one first."""
    by_part: dict[Part, list[Term]] = {}
    for term in demand:
        by_part.setdefault(term.part, []).append(term)
    found: dict[Part, list[str | None]] = {}
    undecided = False
    for part, terms in by_part.items():
        values = list(islice(_values(part, terms, hosts), 2))
        if not values:
            if _exclusive(part, terms, hosts):
                return Solution(())
            undecided = True
        found[part] = values
    if undecided:
        return Solution((), undecided=True)
    first = {part: values[0] for part, values in found.items()}
    several = {term.part for term in demand if term.part != AUTHORITY and (term.wanted or term.part[0] == "header")}
    others = [{**first, part: values[1]} for part, values in found.items() if part in several and len(values) > 1]
    return Solution([_shape(values) for values in (first, *others)])


def _shape(values: Mapping[Part, str | None]) -> Shape:
    return Shape({part: value for part, value in values.items() if value is not None})


def _values(part: Part, terms: Sequence[Term], hosts: Sequence[str]) -> Iterator[str | None]:
    """The values of a part that meet all terms, each once."""
    seen: set[str | None] = set()
    for value in _tried(part, terms, hosts):
        if value not in seen and (value is None or _can_be_sent(part, value)):
            seen.add(value)
            if all(term.holds(value) for term in terms):
                yield value


def _tried(part: Part, terms: Sequence[Term], hosts: Sequence[str]) -> Iterator[str | None]:
    wanted = [term for term in terms if term.wanted]
    examples = [[one for text in term.texts for one in text.examples(part)] for term in wanted]
    fixed: Mapping[Part, Sequence[str | None]] = {
        PATH: PATHS,
        METHOD: _METHODS,
        AUTHORITY: hosts,
        PRINCIPAL: (None, SOMEBODY),
        ADDRESS: (None, "192.0.2.1"),
    }
    usual = fixed.get(part, (None, ANY, MORE))
    yield from usual if part == AUTHORITY or not wanted else ()
    yield from (one for group in examples for one in group)
    for one in examples[0] if len(examples) > 1 else ():
        for other in examples[1]:
            yield from (one + other, f"{one};{other}", other + one, f"{one}/{other.removeprefix('/')}")
    yield from (one + more for group in examples for one in group for more in (MORE, ANY))
    yield from usual


def _can_be_sent(part: Part, value: str) -> bool:
    pattern = _SENT.get(part[0])
    if pattern:
        return pattern.fullmatch(value) is not None
    return bool(value) and value.isascii() and value.isprintable() and value == value.strip()


def _exclusive(part: Part, terms: Sequence[Term], hosts: Sequence[str]) -> bool:
    """Whether no value can meet all terms; False if that is uncertain."""
    if part == AUTHORITY and hosts:
        return True
    if all(text.certain for term in terms for text in term.texts):
        return True
    wanted = [term for term in terms if term.wanted]
    for i, one in enumerate(wanted):
        if any(all(a.excludes(b) for a in one.texts for b in other.texts) for other in wanted[i + 1 :]):
            return True
        if all(text.all_values is not None for text in one.texts):
            return True  # each of its values has been tried
    return False


def merged(*demands: Iterable[Term]) -> Demand:
    """The demand that all of the demands hold."""
    return tuple(dict.fromkeys(term for demand in demands for term in demand))


def others() -> Iterator[Shape]:
    """Candidates for a request that meets no demand: a plain GET of `/`, then other paths and methods."""
    for method in _METHODS:
        for path in PATHS:
            yield Shape({PATH: path, METHOD: method})
