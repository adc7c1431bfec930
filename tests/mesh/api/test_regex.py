"""Validation of regular expressions with RE2."""

import pytest
from pydantic import TypeAdapter, ValidationError

from mesh.api.regex import LACKS, MAX_LENGTH, Regex, matches, replaced, substitution
from tests.releases import RELEASE

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
        "(?P<a>b)(?P<a>c)",
        r"\x{1F600}",
        r"\\C\Q\C(?<n>a\E[(?<n>a][\\p{Kawi}]",
        "a{,2}",
        "a{2}b{1,}c{3,1000}",
        "x" * MAX_LENGTH,
    ],
)
def test_an_expression_in_re2_syntax_is_accepted(text: str) -> None:
    assert READ.validate_python(text, context={LACKS: RELEASE.unsupported_regex}) == text


@pytest.mark.parametrize("text", ["(?<name>a)", r"\p{Kawi}"])
def test_an_expression_is_checked_against_the_installed_re2_alone_without_a_release(text: str) -> None:
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
        (r"\p{Foo}", r"\p{Foo}"),
        (r"[a\P{^Foo}]", r"\P{^Foo}"),
    ],
)
def test_syntax_of_other_regex_dialects_is_refused_by_name(text: str, part: str) -> None:
    with pytest.raises(ValidationError) as caught:
        READ.validate_python(text)
    assert f": {part} is not part of RE2, the syntax that Istio reads [type" in str(caught.value)


@pytest.mark.parametrize("text", ["(", "[a", "a**", "*", "a{3,2}", "\\", "(?P<a-b>c)", "[z-a]", r"\y", r"[\y]"])
def test_a_malformed_expression_is_refused(text: str) -> None:
    with pytest.raises(ValidationError, match="is not a regular expression"):
        READ.validate_python(text)


def test_an_expression_that_is_empty_too_long_or_repeats_too_often_is_refused() -> None:
    with pytest.raises(ValidationError, match="may have at most 1024 characters, this one has 1025"):
        READ.validate_python("x" * (MAX_LENGTH + 1))
    with pytest.raises(ValidationError, match="repeats at most 1000 times"):
        READ.validate_python("a{1001}")
    with pytest.raises(ValidationError):
        READ.validate_python("")


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("(?<name>a)", "(?<name>"),
        ("(?P<é>a)", "(?P<é>"),
        (r"a\C", r"\C"),
        (r"\p{Kawi}", r"\p{Kawi}"),
        (r"[^a\P{^Toto}]", r"\P{^Toto}"),
    ],
)
def test_syntax_that_a_release_does_not_support_is_refused(text: str, part: str) -> None:
    with pytest.raises(ValidationError) as caught:
        READ.validate_python(text, context={LACKS: RELEASE.unsupported_regex})
    assert f": {part} is not part of RE2, the syntax that Istio reads [type" in str(caught.value)


def test_nested_repetitions_and_programs_that_are_too_large_are_refused() -> None:
    with pytest.raises(ValidationError, match="repeats at most 1000 times"):
        READ.validate_python("(a{1000}){2}")
    with pytest.raises(ValidationError, match="is not a regular expression: pattern too large"):
        READ.validate_python(r"(?i)\p{L}{999}")


def test_re2_prints_no_errors_of_its_own(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValidationError):
        READ.validate_python("(")
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("text", "value", "good"),
    [("/n.w", "/new", True), ("/n", "/new", False), (r"\x{1F600}\pL+", "😀é", True), ("(", "(", False)],
)
def test_an_expression_must_match_the_whole_value(text: str, value: str, good: bool) -> None:
    assert matches(text, value) is good


@pytest.mark.parametrize(
    ("text", "by", "value"),
    [
        ("/v[0-9]+/(.*)", r"/\1", "/cart"),
        ("v", r"<\0>", "/<v>1/cart"),
        ("/v1", r"\\", r"\/cart"),
        ("no", "x", "/v1/cart"),
    ],
)
def test_a_substitution_has_groups_by_number_as_in_re2(text: str, by: str, value: str) -> None:
    assert substitution(text, by) == ""
    assert replaced(text, by, "/v1/cart") == value


@pytest.mark.parametrize(
    ("by", "problem"),
    [
        (r"/\2", r'"/\\2" names group 2, but "/(.*)" has 1'),
        (r"/\q", "a backslash must precede the number of a group"),
        ("/\\", "a backslash must precede the number of a group"),
    ],
)
def test_a_substitution_that_re2_does_not_know_changes_nothing(by: str, problem: str) -> None:
    assert problem in substitution("/(.*)", by)
    assert replaced("/(.*)", by, "/a") == "/a"
