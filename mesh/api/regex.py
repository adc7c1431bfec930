"""Regular expressions as Istio and Envoy read them: RE2's syntax.

There is no RE2 in Python's library. So what RE2 lacks is refused first, then what only RE2 has is
put into Python's words, and Python's own compiler judges the rest: a close check, not a perfect one.
"""

import re
import warnings
from typing import Annotated

from annotated_types import MinLen
from pydantic import AfterValidator

from mesh.core.errors import show

LONGEST = 1024
"""Envoy's limit on the size of an expression, taken as characters."""
MOST_REPEATS = 1000
"""RE2's limit on the numbers in `{n,m}`."""

_UNICODE_CLASS = r"\\[pP](?:\{\^?[A-Za-z_]+\}|[CLMNPSZ])"
_POSIX = "alnum alpha ascii blank cntrl digit graph lower print punct space upper word xdigit".replace(" ", "|")
# What stands for characters, where signs such as `+` have no meaning: quotes, escapes, classes.
_ATOM = re.compile(rf"\\Q.*?(?:\\E|$)|{_UNICODE_CLASS}|\\.|\[\^?\]?(?:\\.|\[:\^?\w+:\]|[^\]\\])*\]", re.DOTALL)
_ATOM_RE2_LACKS = re.compile(r"\\[1-9ZGNuUpP]")
_CLASS_RE2_LACKS = re.compile(rf"\[:(?!\^?(?:{_POSIX}):\])[^\]]*:\]")
_RE2_LACKS = re.compile(r"\(\?(?:<?[=!]|[>(#]|P=|[imsU]*[aLux])|(?:[*+?]|\{\d+(?:,\d*)?\})\+")
_ATOM_ONLY_RE2 = re.compile(r"\\Q.*|\\[pP].*|\\[zC]", re.DOTALL)
_IN_CLASS_ONLY_RE2 = re.compile(rf"{_UNICODE_CLASS}|\[:\^?\w+:\]|\\[dswDSW]-(?!\])|(\\.)")
_REPEAT = re.compile(r"\{(\d+)(?:,(\d*))?\}")
_FLAGS = re.compile(r"(?<!\\)\(\?[imsU]*-?[imsU]*(\)|:)")  # RE2 takes them anywhere, Python only in front


def _atom_in_python(match: re.Match[str]) -> str:
    atom = match.group()
    if atom.startswith("["):
        return _IN_CLASS_ONLY_RE2.sub(lambda part: part[1] or "x", atom)
    return "x" if _ATOM_ONLY_RE2.fullmatch(atom) else atom


def _lacking(text: str, skeleton: str) -> str:
    """The first thing in an expression that RE2 does not have, or nothing."""
    found = _RE2_LACKS.search(skeleton)
    for atom in _ATOM.findall(text):
        found = found or (_CLASS_RE2_LACKS.search(atom) if atom[0] == "[" else _ATOM_RE2_LACKS.fullmatch(atom))
    return found.group() if found else ""


def in_python(text: str) -> str:
    """An expression in Python's words that matches the same; classes that only RE2 has are taken for any character."""
    quoted = re.sub(r"\\Q(.*?)(?:\\E|$)", lambda part: re.escape(part[1]), text, flags=re.DOTALL)
    plain = re.sub(_UNICODE_CLASS, ".", quoted).replace(r"\z", r"\Z").replace(r"\C", ".")
    flags = "".join(dict.fromkeys(re.findall(r"(?<!\\)\(\?([ims]+)\)", plain)))
    return (f"(?{flags})" if flags else "") + re.sub(r"(?<!\\)\(\?[imsU]+\)", "", plain)


def _regex(text: str) -> str:
    if len(text) > LONGEST:
        raise ValueError(f"a regular expression may have {LONGEST} characters, this one has {len(text)}")
    skeleton = _ATOM.sub("x", text)
    lacking = _lacking(text, skeleton)
    if lacking:
        raise ValueError(f"{show(text)}: {lacking} is not part of RE2, the syntax that Istio reads")
    if any(int(number) > MOST_REPEATS for numbers in _REPEAT.findall(skeleton) for number in numbers if number):
        raise ValueError(f"{show(text)}: RE2 repeats at most {MOST_REPEATS} times")
    judged = _FLAGS.sub(lambda flags: "(?:" if flags[1] == ":" else "", _ATOM.sub(_atom_in_python, text))
    try:
        with warnings.catch_warnings(action="ignore", category=FutureWarning):
            re.compile(judged)
    except (re.error, OverflowError) as error:
        raise ValueError(f"{show(text)} is not a regular expression: {error}") from None
    return text


Regex = Annotated[str, MinLen(1), AfterValidator(_regex)]
"""A regular expression in RE2's syntax."""
