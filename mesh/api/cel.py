"""The syntax of CEL (Common Expression Language), the language of conditions in Istio's access logs.

The checks are those of istiod: they are about the form of an expression. Only Envoy checks its names and types.
"""

import re
from collections.abc import Callable
from math import inf
from typing import Annotated, Final

from annotated_types import MinLen
from pydantic import AfterValidator

from mesh.core.errors import show

DEEPEST: Final = 100
"""The maximum nesting of an expression's parts."""

_CHARACTER: Final = r"(?!0000[dD][89a-fA-F])(?:000[0-9a-fA-F]|0010)[0-9a-fA-F]{4}"
"""A character's number in eight hexadecimal digits, without surrogates."""
_BYTE: Final = r"""[abfnrtv"'\\?`]|[xX][0-9a-fA-F]{2}|[0-3][0-7]{2}"""
_UNICODE: Final = rf"u(?![dD][89a-fA-F])[0-9a-fA-F]{{4}}|U{_CHARACTER}"


def _quoted(escapes: str) -> str:
    """The pattern of texts in quotes, with these escapes behind a backslash."""
    kept = rf"\\(?:{escapes})"
    return rf"""(?:[rR](?:\"\"\".*?\"\"\"|\'\'\'.*?\'\'\'|"[^"\n\r]*"|'[^'\n\r]*')
        |\"\"\"(?:{kept}|[^\\])*?\"\"\"|\'\'\'(?:{kept}|[^\\])*?\'\'\'
        |"(?:{kept}|[^\\"\n\r])*"|'(?:{kept}|[^\\'\n\r])*')"""


_TOKEN: Final = re.compile(
    rf"""(?P<space>[\t \r\n\f]+|//[^\n]*)
    |(?P<text>{_quoted(f"{_BYTE}|{_UNICODE}")}|[bB]{_quoted(_BYTE)})
    |(?P<float>\d*\.\d+(?:[eE][-+]?\d+)?|\d+[eE][-+]?\d+)
    |(?P<uint>(?:0x[0-9a-fA-F]+|\d+)[uU])
    |(?P<int>0x[0-9a-fA-F]+|\d+)
    |(?P<word>(?:true|false|null|in)(?![A-Za-z0-9_]))
    |(?P<name>[A-Za-z_][A-Za-z0-9_]*)
    |(?P<field>`[-A-Za-z0-9_./ ]+`)
    |(?P<sign>==|!=|<=|>=|&&|\|\||[][{{}}().,?:<>!+*/%-])""",
    re.DOTALL | re.VERBOSE | re.ASCII,
)
_BINARY: Final = ("||", "&&", "<", "<=", ">=", ">", "==", "!=", "in", "*", "/", "%", "+", "-")
_RESERVED: Final = (
    *("as", "break", "const", "continue", "else", "for", "function", "if", "import", "let", "loop", "package"),
    *("namespace", "return", "var", "void", "while"),
)
_NUMBERS: Final = {"int": 2**63 - 1, "uint": 2**64 - 1}
"""The largest number of each sort."""
_OVER_ITEMS: Final = {"all": (2,), "exists": (2,), "exists_one": (2,), "existsOne": (2,), "filter": (2,), "map": (2, 3)}
"""Macros over items, with their possible numbers of arguments. The first argument is a name for the items."""


class _Malformed(Exception):
    """The expression is malformed; the message says where."""


class _Parser:
    """Reads an expression. Each method reads one rule of CEL's grammar, and returns the form of the expression: `name`,
    `field` (`a.b`), or an empty text for any other."""

    def __init__(self, text: str) -> None:
        self._tokens = list(_tokens(text))
        self._next = 0
        self._depth = 0

    def whole(self) -> None:
        self._expression()
        if self._peek()[0] != "end":
            self._fail()

    def _peek(self) -> tuple[str, str]:
        return self._tokens[self._next]

    def _take(self, *texts: str) -> str:
        """Goes on if the next token is one of the texts, and returns it; else returns an empty text."""
        sort, text = self._peek()
        if sort not in ("sign", "word") or text not in texts:
            return ""
        self._next += 1
        return text

    def _expect(self, text: str) -> None:
        if not self._take(text):
            self._fail()

    def _fail(self) -> None:
        sort, text = self._peek()
        raise _Malformed("it ends too early" if sort == "end" else f"{show(text)} is out of place")

    def _expression(self) -> str:
        self._depth += 1
        if self._depth > DEEPEST:
            raise _Malformed(f"its parts are nested more than {DEEPEST} deep")
        form = self._operations()
        if self._take("?"):
            self._operations()
            self._expect(":")
            self._expression()
            form = ""
        self._depth -= 1
        return form

    def _operations(self) -> str:
        form = self._unary()
        while self._take(*_BINARY):
            self._unary()
            form = ""
        return form

    def _unary(self) -> str:
        operator = self._take("!", "-")
        while operator and self._take(operator):
            pass
        if operator == "!" and self._peek() == ("sign", "-") and self._tokens[self._next + 1][0] in ("int", "float"):
            self._next += 1
        form = self._member()
        return "" if operator else form

    def _member(self) -> str:
        named = self._peek()[0] == "name" or self._peek() == ("sign", ".")
        form = self._primary()
        path = named and form == "name"
        while sign := self._take(".", "[", *("{" if path else ())):
            if sign == "[":
                self._expression()
                self._expect("]")
                path, form = False, ""
            elif sign == "{":
                self._series("}", self._field)
                path, form = False, ""
            else:
                sort, name, form = self._peek()[0], self._name("field"), "field"
                if sort == "name" and self._take("("):
                    self._call(name, method=True)
                    path, form = False, ""
        return form

    def _primary(self) -> str:
        sort, text = self._peek()
        if self._take("("):
            form = self._expression()
            self._expect(")")
            return form
        if self._take("["):
            self._series("]", self._expression)
        elif self._take("{"):
            self._series("}", self._entry)
        elif sort in ("text", "float", *_NUMBERS):
            self._literal(sort, text)
        elif not self._take("true", "false", "null"):
            return self._named()
        return ""

    def _named(self) -> str:
        dot, name = self._take("."), self._name()
        if name in _RESERVED:
            raise _Malformed(f"{show(name)} is a word that CEL reserves")
        if not self._take("("):
            return "name"
        self._call(dot + name, method=False)
        return ""

    def _name(self, *others: str) -> str:
        sort, text = self._peek()
        if sort not in ("name", *others):
            self._fail()
        self._next += 1
        return text

    def _literal(self, sort: str, text: str) -> None:
        negative = self._next > 0 and self._tokens[self._next - 1] == ("sign", "-")
        self._next += 1
        if sort == "float":
            too_large = float(text) == inf
        else:
            value = int(text.rstrip("uU"), 16 if text.startswith("0x") else 10) if sort in _NUMBERS else 0
            too_large = value > _NUMBERS.get(sort, 0) + (negative and sort == "int")
        if too_large:
            raise _Malformed(f"{text} is too large a number")

    def _call(self, name: str, method: bool) -> None:
        """Reads the arguments of a function. A few functions are macros, which need arguments of a certain form."""
        forms = self._series(")", self._expression)
        if not method and name == "has" and len(forms) == 1 and forms[0] != "field":
            raise _Malformed("has() takes a field, such as has(a.b)")
        if method and len(forms) in _OVER_ITEMS.get(name, ()) and forms[0] != "name":
            raise _Malformed(f"the first argument of {name}() is a name for the items, such as {name}(item, …)")

    def _series(self, end: str, read: Callable[[], str]) -> list[str]:
        """The forms of all parts up to `end`, each read by `read`, with commas between them. A comma may follow the
        last one, except in a call; an empty list may be a single comma."""
        forms: list[str] = []
        last = ("sign", end)
        more = self._peek() not in (("sign", ","), last)
        while more:
            forms.append(read())
            more = bool(self._take(",")) and (end == ")" or self._peek() != last)
        if not forms and end != ")":
            self._take(",")
        self._expect(end)
        return forms

    def _entry(self) -> str:
        self._expression()
        return self._value()

    def _field(self) -> str:
        self._name("field")
        return self._value()

    def _value(self) -> str:
        self._expect(":")
        return self._expression()


def _tokens(text: str) -> list[tuple[str, str]]:
    found, at = [], 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if not match:
            raise _Malformed(f"{show(text[at:])} is out of place")
        if match.lastgroup != "space":
            found.append((str(match.lastgroup), match.group()))
        at = match.end()
    return [*found, ("end", "")]


def _cel(text: str) -> str:
    try:
        _Parser(text).whole()
    except _Malformed as problem:
        raise ValueError(f"{show(text)} is not an expression in CEL: {problem}") from None
    return text


Cel = Annotated[str, MinLen(1), AfterValidator(_cel)]
"""An expression in CEL."""
