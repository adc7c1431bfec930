"""Finds strings that regular expressions match, so that there are also samples for rules with expressions."""

from __future__ import annotations

import importlib
import itertools
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from mesh.api import regex

_MOST: Final = 64
"""The most strings that are made from one expression, or from a part of it."""
_LONGEST: Final = 200
"""The most repetitions of a part in a string."""
_LETTERS: Final = "a0-A_./ ;=~"
"""Characters that are tried for a class or a negated one, in this order."""
_POSIX: Final = {
    "alpha": "a-zA-Z",
    "digit": "0-9",
    "alnum": "a-zA-Z0-9",
    "upper": "A-Z",
    "lower": "a-z",
    "space": r"\s",
    "word": r"\w",
    "xdigit": "0-9a-fA-F",
    "punct": "!-/:-@",
}
_OF_RE2: Final[Sequence[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]]]] = (
    (re.compile(r"\[:(\w+):\]"), lambda found: _POSIX.get(found[1], found[0])),
    (re.compile(r"\\Q(.*?)(?:\\E|$)", re.DOTALL), lambda found: re.escape(found[1])),
    (re.compile(r"\(\?<(?=\w)"), "(?P<"),
    (re.compile(r"\(\?[imsU]+\)"), ""),
    (re.compile(r"\\z"), r"\\Z"),
    (re.compile(r"\\p(?:\{L\w*\}|L)"), "[a-zA-Z]"),
    (re.compile(r"\\p(?:\{N\w*\}|N)"), "[0-9]"),
)
"""Syntax of RE2 that Python lacks, each with its replacement in Python."""


@dataclass(frozen=True)
class Language:
    """What is known about the strings that an expression matches."""

    strings: Sequence[str]
    """Some of the strings; empty if none was found."""
    complete: bool
    """Whether there are no others."""
    beginning: str
    """The common prefix of all strings; empty if it is not known."""


@lru_cache(maxsize=4096)
def language(text: str) -> Language:
    """The language of an expression. RE2 confirms each of its strings."""
    written = text
    for pattern, instead in _OF_RE2:
        written = pattern.sub(instead, written)
    parsed = _parsed(written)
    if parsed is None:
        return Language((), False, "")
    made = list(dict.fromkeys(_sequence(parsed)))
    strings = sorted((one for one in made if regex.matches(text, one)), key=len)
    exact = written == text and not parsed.state.flags & re.IGNORECASE
    complete = exact and 0 < len(made) < _MOST and _is_finite(parsed)
    return Language(strings, complete, _beginning(parsed) if exact else "")


def _parsed(text: str) -> Any:
    """The expression as Python parses it; None if it cannot."""
    try:
        return importlib.import_module("re._parser").parse(text)
    except (re.error, OverflowError, RecursionError):
        return None


def _sequence(items: Any) -> Iterator[str]:
    parts = [list(itertools.islice(_item(str(kind), value), _MOST)) for kind, value in items]
    return itertools.islice(("".join(chosen) for chosen in _varied(parts)), _MOST)


def _varied(parts: list[list[str]]) -> Iterator[tuple[str, ...]]:
    """All combinations of choices. The first has the first choice of every part; the first parts change fastest."""
    return (chosen[::-1] for chosen in itertools.product(*reversed(parts)))


def _item(kind: str, value: Any) -> Iterator[str]:
    match kind:
        case "LITERAL":
            yield chr(value)
        case "NOT_LITERAL":
            yield next(letter for letter in _LETTERS if ord(letter) != value)
        case "ANY":
            yield from "0a"
        case "IN":
            yield from _class(value)
        case "BRANCH":
            for branch in value[1]:
                yield from _sequence(branch)
        case "SUBPATTERN":
            yield from _sequence(value[-1])
        case "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT":
            yield from _repeated(*value)
        case "AT":
            yield ""


def _class(items: Any) -> Iterator[str]:
    """Members of a character class: all of them if there are few."""
    members = "".join(
        chr(value) if str(kind) == "LITERAL" else "".join(map(chr, range(value[0], min(value[1], value[0] + 9) + 1)))
        for kind, value in items
        if str(kind) in ("LITERAL", "RANGE")
    )
    if any(str(kind) in ("NEGATE", "CATEGORY") for kind, _ in items):
        tried = _compiled(items)
        yield from (letter for letter in _LETTERS if tried(letter))
    else:
        yield from members


def _compiled(items: Any) -> Any:
    """A function that returns whether a character class has a letter."""
    negated = any(str(kind) == "NEGATE" for kind, _ in items)
    tests = {"CATEGORY_DIGIT": r"\d", "CATEGORY_WORD": r"\w", "CATEGORY_SPACE": r"\s"}
    tests |= {name.replace("_", "_NOT_", 1): sign.upper() for name, sign in tests.items()}

    def has(letter: str) -> bool:
        return negated != any(
            (kind == "LITERAL" and value == ord(letter))
            or (kind == "RANGE" and value[0] <= ord(letter) <= value[1])
            or (kind == "CATEGORY" and re.match(tests.get(str(value), "(?!)"), letter) is not None)
            for kind, value in ((str(kind), value) for kind, value in items)
        )

    return has


def _repeated(least: int, most: Any, items: Any) -> Iterator[str]:
    """A part with as few repetitions as possible, then once and twice, as far as allowed."""
    counts = dict.fromkeys(count for count in (least, 1, 2) if least <= count <= int(most))
    for count in counts if least <= _LONGEST else ():
        if count <= 1:
            yield from itertools.islice(_sequence(items), _MOST) if count else [""]
        else:
            first = next(_sequence(items), None)
            yield from [first * count] if first is not None else []


def _is_finite(items: Any) -> bool:
    """Whether the generated strings are all that an expression matches."""
    return all(_is_finite_item(str(kind), value) for kind, value in items)


def _is_finite_item(kind: str, value: Any) -> bool:
    match kind:
        case "LITERAL" | "AT":
            return True
        case "IN":
            return all(
                str(inner) == "LITERAL" or (str(inner) == "RANGE" and said[1] - said[0] <= 9) for inner, said in value
            )
        case "BRANCH":
            return all(map(_is_finite, value[1]))
        case "SUBPATTERN":
            return not value[1] and _is_finite(value[-1])  # value[1]: flags such as (?i:
        case "MAX_REPEAT" | "MIN_REPEAT":
            return int(value[1]) <= 1 and _is_finite(value[2])
    return False


def _beginning(items: Any) -> str:
    """The literals that an expression begins with."""
    text = ""
    for kind, value in items:
        if str(kind) == "LITERAL":
            text += chr(value)
        elif str(kind) != "AT":
            return text
    return text
