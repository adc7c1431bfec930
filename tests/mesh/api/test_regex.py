"""Which regular expressions Istio's proxies could read."""

import warnings

import pytest
from pydantic import TypeAdapter, ValidationError

from mesh.api.regex import LONGEST, Regex

READ = TypeAdapter(Regex)


@pytest.mark.parametrize(
    "text",
    [
        "^(.*?;)?(user=jason)(;.*)?$",
        "a*?b+?c??d{2,}?",
        r"\.x\++",
        r"\*+",
        "[*+]",
        "[?+]+",
        "a}+",
        r"\d{3}-\w+\b",
        r"\p{Greek}\pN\P{L}[\p{L}_]",
        "[[:alpha:][:^digit:]]",
        r"[\w-.]+",
        r"[\]+]",
        "[]+]",
        "[^]+]",
        "a(?i)b(?-s)",
        "(?i:a)(?U:b)",
        r"\Qa+(\E",
        r"\Aa\z",
        "(?P<name>a)",
        "a{2}b{1,}c{3,1000}",
        "x" * LONGEST,
    ],
)
def test_what_re2_reads_is_accepted(text: str) -> None:
    assert READ.validate_python(text) == text


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("(?=a)", "(?="),
        ("(?!a)", "(?!"),
        ("(?<=a)", "(?<="),
        ("(?<!a)", "(?<!"),
        ("(?>a)", "(?>"),
        ("(?#a)", "(?#"),
        ("(?P<a>b)(?P=a)", "(?P="),
        ("(?x)a", "(?x"),
        (r"(a)\1", r"\1"),
        (r"(a)\1[b]", r"\1"),
        (r"a\Z", r"\Z"),
        (r"\u0041", r"\u"),
        (r"\p", r"\p"),
        ("a*+", "*+"),
        ("a++", "++"),
        ("a{2}+", "{2}+"),
        ("[[:alfa:]]", "[:alfa:]"),
    ],
)
def test_what_only_other_kinds_of_expression_have_is_named(text: str, part: str) -> None:
    with pytest.raises(ValidationError) as caught:
        READ.validate_python(text)
    assert f": {part} is not part of RE2, the syntax that Istio reads [type" in str(caught.value)


@pytest.mark.parametrize("text", ["(", "[a", "a**", "*", "a{3,2}", "\\", "(?P<a>b)(?P<a>c)", "[z-a]", r"\y", r"[\y]"])
def test_what_is_no_expression_at_all_is_refused(text: str) -> None:
    with pytest.raises(ValidationError, match="is not a regular expression"):
        READ.validate_python(text)


def test_an_expression_has_limits() -> None:
    with pytest.raises(ValidationError, match="may have 1024 characters, this one has 1025"):
        READ.validate_python("x" * (LONGEST + 1))
    with pytest.raises(ValidationError, match="repeats at most 1000 times"):
        READ.validate_python("a{1001}")
    with pytest.raises(ValidationError):
        READ.validate_python("")


def test_pythons_own_warnings_stay_unheard() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        READ.validate_python("[[a]")
