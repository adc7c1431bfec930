"""Regular expressions as Istio and Envoy read them: RE2's syntax, checked by RE2 itself.

The RE2 of today takes a few things that the proxies and istiod of 2021 do not take yet; these are refused, too.
RE2 is loaded only when there is an expression to check.
"""

import re
from typing import Annotated, Any, Final

from annotated_types import MinLen
from pydantic import AfterValidator

from mesh.core.errors import show

LONGEST: Final = 1024
"""Envoy's limit on the size of an expression, taken as characters."""
MOST_REPEATS: Final = 1000
"""RE2's limit on the numbers in `{n,m}`, and on their product where one repeats another."""

_NEWER_SCRIPTS: Final = ("Cypro_Minoan", "Old_Uyghur", "Tangsa", "Toto", "Vithkuqi", "Kawi", "Nag_Mundari")
"""Scripts of Unicode 14 and 15: Envoy's RE2 and istiod's Go know Unicode 13."""
_NEWER: Final = re.compile(
    "|".join(
        (
            r"\(\?<",  # a named group without a P: RE2 of 2023, Go 1.22
            r"\(\?P<[^>]*[^\x00-\x7f][^>]*>",  # a group's name beyond ASCII: never in Go, which istiod checks with
            r"\\C",  # any byte: never in Go
            rf"\\[pP]\{{\^?(?:{'|'.join(_NEWER_SCRIPTS)})\}}",
        )
    )
)
_ESCAPE: Final = r"\\[pP]\{[^}]*\}|\\."
_PART: Final = re.compile(
    rf"\\Q.*?(?:\\E|$)|{_ESCAPE}|\[\^?\]?(?:\[:\^?\w+:\]|\\.|[^\]\\])*\]|\(\?P?<[^>]*>", re.DOTALL
)
"""What may hold something newer, or only looks as if it did: quotations, escapes, classes, and starts of groups."""

_ELSEWHERE: Final = re.compile(
    r"invalid perl operator: (.+)|bad repetition operator: (.+\+)"
    r"|invalid escape sequence: (\\[1-9GhkKNRuUXZ])|invalid character class range: (\[:.+|\\[pP].*)",
    re.DOTALL,
)
"""RE2's errors about what other kinds of regular expressions have, and the part that each is about."""
_REPEAT: Final = re.compile(r"invalid repetition size: \{(\d+)(?:,(\d*))?\}")


def matches(text: str, value: str) -> bool:
    """Whether a whole value matches an expression. Nothing matches what is no expression: no proxy takes that."""
    return not _fault(text) and _compiled(text).fullmatch(value) is not None


def _compiled(text: str) -> Any:
    """Raises re2.error. RE2 keeps what it has compiled."""
    import re2  # type: ignore[import-untyped]

    options = re2.Options()
    options.log_errors = False
    return re2.compile(text, options)


def _fault(text: str) -> str:
    """What RE2 finds wrong with an expression, in its own words; empty if it takes it."""
    import re2

    try:
        _compiled(text)
    except re2.error as error:
        return str(error.args[0].decode(errors="replace"))
    return ""


def _newer(text: str) -> str:
    """The first thing in an expression that proxies and istiod of 2021 do not take yet; empty if there is none."""
    for part in _PART.findall(text):
        for piece in re.findall(_ESCAPE, part) if part.startswith("[") else [part]:
            if _NEWER.match(piece):
                return str(piece)
    return ""


def _elsewhere(text: str, fault: str) -> str:
    """The part of an expression that other kinds of regular expressions have and RE2 does not; empty for a slip."""
    found = _ELSEWHERE.fullmatch(fault)
    part = found[found.lastindex or 0] if found else ""
    return next(iter(re.findall(r"\(\?P[^<]", text)), part) if part == "(?P" else part  # with the letter that tells


def _regex(text: str) -> str:
    if len(text) > LONGEST:
        raise ValueError(f"a regular expression may have {LONGEST} characters, this one has {len(text)}")
    fault = _fault(text)
    if lacking := _elsewhere(text, fault) if fault else _newer(text):
        raise ValueError(f"{show(text)}: {lacking} is not part of RE2, the syntax that Istio reads")
    repeat = _REPEAT.fullmatch(fault)
    if repeat and int(repeat[1]) <= int(repeat[2] or repeat[1]):
        raise ValueError(f"{show(text)}: RE2 repeats at most {MOST_REPEATS} times")
    if fault:
        raise ValueError(f"{show(text)} is not a regular expression: {fault}")
    return text


Regex = Annotated[str, MinLen(1), AfterValidator(_regex)]
"""A regular expression in RE2's syntax."""
