"""The syntax of CEL, as istiod's own parser reads it."""

import pytest
from pydantic import TypeAdapter, ValidationError

from mesh.api.cel import DEEPEST, Cel

READ = TypeAdapter(Cel)


@pytest.mark.parametrize(
    "text",
    [
        "response.code >= 400",
        "connection.mtls && request.headers['x-user'].startsWith('a') || !(a in [1, 2u, 3.5e-1, .5,])",
        "a ? b : c ? -d : --1 + !-1",
        "has(a.b) && has((a.b)) && has(request.headers.`x-user`)",
        "x.all(y, y > 1) && x.map(y, y % 2 == 0, y * y) == [] && x.map(1)",
        "{'a': 1, b: {}, } == {,} || [,] == a.B{c: 1, if: 2} || .f(a).g",
        r"""'\n\x41\u0041\U0001F600\101' + r'\d' + b'\377' + br"\q" + '''a'b''' + \"\"\"a\nb\"\"\"""".replace(
            '\\"', '"'
        ),
        "-9223372036854775808 < 18446744073709551615u // the rest is a comment",
        "null == true",
        "(" * 50 + "a" + ")" * 50,
    ],
)
def test_expressions_are_accepted(text: str) -> None:
    assert READ.validate_python(text) == text


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "at least 1 character"),
        ("a b", '"b" is out of place'),
        ("response.code >=", "it ends too early"),
        ("a = b", '"= b" is out of place'),
        ("a.true", '"true" is out of place'),
        ("a.?b", '"?" is out of place'),
        ("-!a", '"!" is out of place'),
        ("f(a,)", '")" is out of place'),
        ("[a,,b]", '"," is out of place'),
        ("{a}", '"}" is out of place'),
        ("(a){b: 1}", '"{" is out of place'),
        ("if", '"if" is a word that CEL reserves'),
        ("has(a)", "has() takes a field, such as has(a.b)"),
        ("x.all(1, true)", "the first argument of all() is a name for the items, such as all(item, …)"),
        ("9223372036854775808", "9223372036854775808 is too large a number"),
        ("1e999", "1e999 is too large a number"),
        (r"'\q'", "is out of place"),
        (r"b'\u0041'", "is out of place"),
        (r"'\ud800'", "is out of place"),
        ("(" * (DEEPEST + 1) + "a" + ")" * (DEEPEST + 1), "its parts are nested more than 100 deep"),
    ],
)
def test_malformed_expressions_are_refused_with_the_place(text: str, why: str) -> None:
    with pytest.raises(ValidationError) as caught:
        READ.validate_python(text)
    [error] = caught.value.errors()
    assert why in error["msg"]
