"""Which values are shown, and the placeholders of encrypted ones."""

from __future__ import annotations

from typing import Any

import pytest

from mesh.core import disclosure, errors, secure
from mesh.core.disclosure import DEFAULT, Disclosure
from mesh.core.secure import HIDDEN


def env(name: str) -> tuple[str, ...]:
    return ("spec", "containers", "[discovery]", "env", f"[{name}]", "value")


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (env("AWS_SECRET_ACCESS_KEY"), "a"),
        (env("DATADOG_API_KEY"), "a"),
        (env("AUTH_SECRET"), "a"),
        (("pilot", "env", "GITHUB_TOKEN"), "a"),
        (("defaultConfig", "proxyMetadata", "DB_PASSWORD"), "a"),
        (("defaultConfig", "tracing", "lightstep", "accessToken"), "a"),
        (("annotations", "vault.example.com/token"), "a"),
        (("http", "[0]", "headers", "request", "set", "authorization"), "a"),
        (("http", "[0]", "match", "[0]", "headers", "x-api-key", "exact"), "a"),
        (("http", "[0]", "match", "[0]", "headers", "cookie", "regex"), "(.*;)?session=a(;.*)?"),
        (("http", "[0]", "match", "[0]", "headers", "@request.auth.claims[session]", "exact"), "a"),
        (("rules", "[0]", "when", "[request.headers[x-api-key]]", "values", "[0]"), "a"),
        (("jwks", "keys", "[0]", "k"), "a"),
        (("anything",), "https://user:word@example.com/"),
        (("anything",), "https://example.com/?api_key=a"),
        (("anything",), "Bearer a"),
        (("anything",), "eyJhbGciOiJIUzI1NiJ9.e30.a"),
        (("anything",), "-----BEGIN RSA PRIVATE KEY-----"),
    ],
)
def test_credentials_are_known_by_name_or_form(path: tuple[str, ...], value: str) -> None:
    assert DEFAULT.is_credential(path, value)
    assert DEFAULT.hides(path, value)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (env("FLAG"), "a"),
        (("defaultConfig", "proxyMetadata", "TEAM"), "a"),
        (("http", "[0]", "headers", "response", "add", "x-version"), "v2"),
    ],
)
def test_what_is_set_freely_is_hidden_unless_it_is_declared_public(path: tuple[str, ...], value: str) -> None:
    names = frozenset(("FLAG", "TEAM", "x-version"))
    assert not DEFAULT.is_credential(path, value)
    assert DEFAULT.hides(path, value)
    assert not Disclosure(names).hides(path, value)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        *((env("FLAG"), value) for value in ("", "1", "-2.5", "true", "off", "30s", "1h30m", "50%")),
        (env("BADGER_DIRECTORY_KEY"), "/badger/key"),
        (("tls", "privateKey"), "/etc/certificates/key.pem"),
        (("tls", "credentialName"), "certificate"),
        (("tls", "secret"), "certificate"),
        (("volumes", "[a]", "secret", "secretName"), "certificate"),
        (("http", "[0]", "match", "[0]", "headers", "end-user", "exact"), "jason"),
        (("http", "[0]", "match", "[0]", "headers", ":authority", "exact"), "example.com"),
        (("http", "[0]", "match", "[0]", "headers", "@request.auth.claims[group]", "exact"), "staff"),
        (("http", "[0]", "match", "[0]", "withoutHeaders", "@Request.auth.claims.group", "exact"), "staff"),
        (("http", "[0]", "match", "[0]", "headers", "cookie", "regex"), "(.*;)?group=beta(;.*)?"),
        (("rules", "[0]", "when", "[request.headers[x-team]]", "values", "[0]"), "a"),
        (("jwks", "keys", "[0]", "n"), "a"),
        (("jwksUri",), "https://example.com/keys?v=1"),
        (("data", "mesh"), "accessLogFile: /dev/stdout\nrootNamespace: istio-system\n"),
        (("metadata", "name"), "basic"),
    ],
)
def test_what_is_harmless_is_shown(path: tuple[str, ...], value: str) -> None:
    assert not DEFAULT.hides(path, value)


def test_variables_that_istio_defines_are_public_unless_they_hold_a_credential() -> None:
    shown = Disclosure(frozenset(("TOKEN_ISSUER",)))
    assert not shown.hides(env("TOKEN_ISSUER"), "https://issuer.example.com")
    assert shown.hides(env("TOKEN_ISSUER"), "https://user:word@issuer.example.com")


def test_values_are_hidden_in_documents_within_texts() -> None:
    inner = '{"proxyMetadata": {"TEAM": "a"}, "concurrency": 2}'
    manifest = {
        "data": {"mesh": "tracing:\n  lightstep:\n    accessToken: a\n"},
        "env": [{"name": "X", "value": inner}],
    }
    assert Disclosure(frozenset("X")).masked(manifest) == {
        "data": {"mesh": f"tracing:\n  lightstep:\n    accessToken: '{HIDDEN}'\n"},
        "env": [{"name": "X", "value": '{"proxyMetadata": {"TEAM": "[secret]"}, "concurrency": 2}'}],
    }


def test_pseudonyms_are_equal_for_equal_credentials_alone() -> None:
    one, same, other = (DEFAULT.pseudonymous({"password": text}) for text in ("a", "a", "b"))
    assert one == same != other
    assert one["password"].startswith(HIDDEN)


@pytest.mark.parametrize("value", ['long "word" of 26 letters', "short", "x" * 80])
def test_a_message_is_told_without_the_hidden_values_of_a_config(value: str) -> None:
    config = {"mesh:pilot": {"env": {"PASSWORD": value, "PILOT_HTTP10": "1"}}}
    told = DEFAULT.concealed(f"mesh:pilot: {errors.show(value)} is wrong, and 1 is not", config)
    assert told == f"mesh:pilot: {HIDDEN} is wrong, and 1 is not"


def test_a_placeholder_names_the_key_and_the_encrypted_value() -> None:
    one, other = (secure.placeholder("mesh:pilot.env.TOKEN", text) for text in ("v1:a", "v1:b"))
    assert one != other
    assert secure.is_placeholder(one)
    assert list(secure.keys_of({"a": [f"x {one} y"], "b": other})) == ["mesh:pilot.env.TOKEN"] * 2
    assert not secure.is_placeholder(f"{one} ")
    assert errors.show({"a" * 60: one}).endswith('"}')


def test_secrets_that_the_config_does_not_encrypt_are_told_apart() -> None:
    named = secure.placeholder("mesh:hub", "v1:a")
    assert not secure.has_unnamed({"a": named})
    assert secure.has_unnamed({"a": [named, HIDDEN]})


@pytest.mark.parametrize(
    ("problem", "said"),
    [
        ("mesh:a.b[0].c: must start with /", "mesh:a.b.c: is encrypted"),
        ("mesh:x: must start with /", "mesh:x: must start with /"),
        (f"mesh:x: {secure.placeholder('mesh:y', 'v1:a')} is no name", "mesh:y: is encrypted"),
    ],
)
def test_a_problem_of_an_encrypted_value_is_told_as_such(problem: str, said: str) -> None:
    assert secure.refusal(problem, ["mesh:a.b.c"]).startswith(said)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('{"a": 1}', {"a": 1}),
        ("a: 1\nb: 2\n", {"a": 1, "b": 2}),
        ("a: 1", None),
        ("- a\n- b", None),
        ("{{ .x }}", None),
    ],
)
def test_documents_are_texts_of_several_lines_or_json(text: str, found: Any) -> None:
    assert disclosure.document(text) == found
