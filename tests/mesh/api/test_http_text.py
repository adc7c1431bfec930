"""Which paths, hosts, origins and headers a request can have, and what to write instead of others."""

import pytest

from mesh.api import http_text
from mesh.api.regex import matches


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("/x?version=2", "match it with queryParams"),
        ("/x#top", "a path ends before the fragment"),
        ("x", "must start with /"),
        ("/my cart", 'write "/my%20cart"'),
        ("/café", 'write "/caf%C3%A9"'),
        ("/a%20b", ""),
        ("/a;v=1", ""),
    ],
)
def test_a_condition_on_a_path_is_one_that_paths_meet(text: str, said: str) -> None:
    assert said in http_text.condition(text)
    assert bool(said) == bool(http_text.condition(text))


@pytest.mark.parametrize(
    "text",
    [
        *("reviews/.*", "^reviews", "[a-z]+/.*", "[^/].*", r"\d+", "(api|web)/.*", "(?i)reviews"),
        *(r"/x\?v=.*", "/x[?]y", "/x#y"),
    ],
)
def test_a_regex_that_no_path_matches_is_found(text: str) -> None:
    assert http_text.regex_condition(text)


@pytest.mark.parametrize(
    ("text", "path"),
    [
        (".*", "/"),
        (".*/reviews", "/reviews"),
        ("/x.*", "/x"),
        ("^/x$", "/x"),
        ("a?/x", "/x"),
        ("(a|)/x", "/x"),
        ("[^/]*/x", "/x"),
        ("[a-z]{0,3}/x", "/x"),
        ("[a-z]|/x", "/x"),
        ("[!-9]x", "/x"),
        (r"\x2fx", "/x"),
        (r"\057x", "/x"),
        (r"\Q/x\E", "/x"),
        (r"\W.*", "/x"),
        (r"(?s)\D+", "/x"),
        (r"/x(\?.*)?", "/x"),
        (r"/x\??", "/x"),
        (r"/x[?]{0,1}", "/x"),
        (r"/x|/y\?z", "/x"),
        (r"/x[?#y]", "/xy"),
    ],
)
def test_a_regex_that_some_path_matches_is_not_found(text: str, path: str) -> None:
    assert matches(text, path)
    assert http_text.regex_condition(text) == ""


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("ratings/*", 'write "/ratings/*"'),
        ("/service/*health", "at the start or at the end"),
        ("*/health*", "not at both"),
        ("**", "not at both"),
        ("/x?a=b", "a policy does not see the query"),
        ("*.my file", 'write "*.my%20file"'),
        ("*", ""),
        ("/*", ""),
        ("*/health", ""),
        ("/package.Service/Method", ""),
    ],
)
def test_a_pattern_of_a_policy_is_one_that_paths_meet(text: str, said: str) -> None:
    assert said in http_text.pattern(text)
    assert bool(said) == bool(http_text.pattern(text))


@pytest.mark.parametrize(
    ("prefix", "uri", "said"),
    [
        (
            "/common",
            "/",
            "/common/x becomes //x, since / replaces only /common: match /common/* and /common",
        ),
        (
            "/old",
            "/new/",
            "/old/x becomes /new//x, since /new/ replaces only /old: write /new, or match /old/*",
        ),
        ("/api/", "/v2", "/api/x becomes /v2x, since /v2 replaces only /api/: write /v2/"),
        ("/", "/v2", "/x becomes /v2x, since /v2 replaces only /: write /v2/"),
        ("/api/", "/", ""),
        ("/api", "/v2", ""),
        ("/item-", "/items/", ""),
        ("/item/", "/items?id=", ""),
        ("", "/", ""),
    ],
)
def test_a_slash_too_much_or_too_few_where_a_rewritten_path_is_joined(prefix: str, uri: str, said: str) -> None:
    assert http_text.rewritten(prefix, uri) == said


@pytest.mark.parametrize(
    ("text", "instead"),
    [
        ("shop.example.com", "https://shop.example.com"),
        ("https://shop.example.com/", "https://shop.example.com"),
        ("https://shop.example.com:443", "https://shop.example.com"),
        ("http://shop.example.com:80/a", "http://shop.example.com"),
        ("https://Shop.example.com", "https://shop.example.com"),
    ],
)
def test_an_origin_is_what_browsers_send(text: str, instead: str) -> None:
    assert http_text.origin(text).endswith(f'write "{instead}"')
    assert http_text.origin(instead) == ""


@pytest.mark.parametrize("text", ["", "*", "null", "http://localhost:3000", "https://a.example:80", "app://x"])
def test_other_origins_are_taken(text: str) -> None:
    assert http_text.origin(text) == ""


@pytest.mark.parametrize(
    ("text", "sample"),
    [
        ("https://shop.example.com/a", "shop.example.com"),
        ("HTTPS://shop.example.com:8443", "shop.example.com:8443"),
        ("*.shop.example.com", "shop.example.com"),
        *((text, "example.com") for text in ("*", "shop.*", "a b", "https://", "/a", "caf\u00e9.example.com")),
    ],
)
def test_the_host_that_is_to_be_written_instead_is_one(text: str, sample: str) -> None:
    assert f'write one such as "{sample}"' in http_text.authority(text)
    assert http_text.authority(sample) == ""
