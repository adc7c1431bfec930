"""Regular expressions of Istio and Envoy: the syntax of RE2, validated with RE2 itself.

A release of Istio may have an older RE2 than the installed one: validation with the context `{LACKS: pattern}` refuses
what the pattern matches too. RE2 is imported only when there is an expression to check.
"""

import re
from functools import lru_cache
from typing import Annotated, Any, Final

from annotated_types import MinLen
from pydantic import AfterValidator, ValidationInfo

from mesh.core.errors import show

MAX_LENGTH: Final = 1024
"""Envoy's limit on the program size of an expression, applied to its length in characters."""
MAX_REPEATS: Final = 1000
"""RE2's limit on the counts of `{n,m}`, and on the product of nested counts."""
LACKS: Final = "unsupported regex"
"""Key of the validation context whose value (a compiled pattern) matches the parts of an expression that a release does
not support: `Release.unsupported_regex`."""

_ESCAPE: Final = r"\\[pP]\{[^}]*\}|\\."
_QUOTING: Final = rf"\\Q.*?(?:\\E|$)|{_ESCAPE}|\[\^?\]?(?:\[:\^?\w+:\]|\\.|[^\]\\])*\]"
_PART: Final = re.compile(rf"{_QUOTING}|\(\?P?<[^>]*>", re.DOTALL)
"""Tokens of an expression that may hold unsupported syntax, or quote it: quotations, escapes, classes, group starts."""
_STEP: Final = re.compile(rf"{_QUOTING}|.", re.DOTALL)
"""All tokens of an expression: quotations, escapes, classes, single characters."""
_RANGE: Final = 16
"""The length of the bounds that RE2 is asked for, in characters."""

_FOREIGN_SYNTAX: Final = re.compile(
    r"invalid perl operator: (.+)|bad repetition operator: (.+\+)"
    r"|invalid escape sequence: (\\[1-9GhkKNRuUXZ])|invalid character class range: (\[:.+|\\[pP].*)",
    re.DOTALL,
)
"""RE2's errors for syntax of other regular expression dialects (Perl, PCRE); each group holds the offending part."""
_ESCAPED: Final = re.compile(r"\\(.?)", re.DOTALL)
"""A backslash in a substitution, with what it stands before."""
_REPEAT: Final = re.compile(r"invalid repetition size: \{(\d+)(?:,(\d*))?\}")


def matches(text: str, value: str) -> bool:
    """Whether the whole value matches the expression. An invalid expression matches nothing."""
    compiled = _known(text)
    return compiled is not None and compiled.fullmatch(value) is not None


def replaced(text: str, by: str, value: str) -> str:
    """The value with another text in place of each match of the expression: `\\1` in it is the first group, `\\0`
    the whole match, `\\\\` a backslash. An invalid expression or text replaces nothing."""
    compiled = _known(text)
    if compiled is None or substitution(text, by):
        return value

    def expanded(match: Any) -> str:
        return _ESCAPED.sub(lambda sign: "\\" if sign[1] == "\\" else match.group(int(sign[1])) or "", by)

    return str(compiled.sub(expanded, value))


def substitution(text: str, by: str) -> str:
    """Why RE2 cannot put `by` in place of a match; empty if it can, or if the expression is invalid."""
    compiled = _known(text)
    for sign in _ESCAPED.finditer(by) if compiled is not None else ():
        if sign[1].isdigit() and int(sign[1]) > compiled.groups:
            return f"{show(by)} names group {sign[1]}, but {show(text)} has {compiled.groups or 'none'}"
        if not (sign[1].isdigit() or sign[1] == "\\"):
            return f"{show(by)}: a backslash must precede the number of a group, 0 to 9, or another backslash"
    return ""


@lru_cache(maxsize=1024)
def _known(text: str) -> Any:
    """The compiled expression; None if it is invalid."""
    return None if _error(text) else _compiled(text)


def _compiled(text: str) -> Any:
    """The compiled expression, which RE2 caches. Raises re2.error."""
    import re2  # type: ignore[import-untyped]

    options = re2.Options()
    options.log_errors = False
    return re2.compile(text, options)


def _error(text: str) -> str:
    """RE2's error message for the expression; empty if it is valid."""
    import re2

    try:
        _compiled(text)
    except re2.error as error:
        return str(error.args[0].decode(errors="replace"))
    return ""


def _unsupported(text: str, lacks: re.Pattern[str]) -> str:
    """The first part of the expression that `lacks` matches; empty if there is none."""
    for part in _PART.findall(text):
        for piece in re.findall(_ESCAPE, part) if part.startswith("[") else [part]:
            if lacks.match(piece):
                return str(piece)
    return ""


def _foreign_syntax(text: str, error: str) -> str:
    """The part of the expression that is syntax of another dialect; empty if RE2's error is about something else."""
    found = _FOREIGN_SYNTAX.fullmatch(error)
    part = found[found.lastindex or 0] if found else ""
    return (
        next(iter(re.findall(r"\(\?P[^<]", text)), part) if part == "(?P" else part
    )  # with the character that follows it


def _regex(text: str, info: ValidationInfo) -> str:
    if len(text) > MAX_LENGTH:
        raise ValueError(f"a regular expression may have at most {MAX_LENGTH} characters, this one has {len(text)}")
    error = _error(text)
    lacks = (info.context or {}).get(LACKS)
    if lacking := _foreign_syntax(text, error) if error else lacks and _unsupported(text, lacks):
        raise ValueError(f"{show(text)}: {lacking} is not part of RE2, the syntax that Istio reads")
    repeat = _REPEAT.fullmatch(error)
    if repeat and int(repeat[1]) <= int(repeat[2] or repeat[1]):
        raise ValueError(f"{show(text)}: RE2 repeats at most {MAX_REPEATS} times")
    if error:
        raise ValueError(f"{show(text)} is not a regular expression: {error}")
    return text


Regex = Annotated[str, MinLen(1), AfterValidator(_regex)]
"""A regular expression in RE2 syntax."""


def excludes_start(text: str, start: str) -> bool:
    """Whether RE2 says that no string which begins with the character `start` matches the expression as a whole. False
    where it cannot tell."""
    import re2

    if _error(text):
        return False
    steps = [step.group() for step in _STEP.finditer(text.lstrip("^"))]
    first, after = (*steps, "", "")[:2]
    if first.startswith("[") and "|" not in steps and after not in ("?", "*", "{"):
        return not matches(first, start)
    try:
        least, most = _compiled(f"^(?:{text})$").possiblematchrange(_RANGE)
    except re2.error:
        return False  # no bounds
    return bool(most < start.encode() or least > start.encode() + b"\xff")


def requires(text: str, sign: str) -> bool:
    """Whether every string that matches the expression as a whole has the punctuation character `sign`, as far as the
    expression says so outside of groups and alternatives."""
    depth, found = 0, False
    literal = {f"\\{sign}", f"[{sign}]", f"[\\{sign}]", *({sign} - {"?"})}  # a bare ? is an operator
    for match in _STEP.finditer(text):
        step, after = match.group(), text[match.end() : match.end() + 1]
        if step == "|" and depth == 0:
            return False
        depth += (step == "(") - (step == ")")
        found = found or (depth == 0 and step in literal and after not in ("?", "*", "{"))
    return found
