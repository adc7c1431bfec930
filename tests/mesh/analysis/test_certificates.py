"""What is said of the certificate in the Secret of a Gateway."""

import base64
from datetime import UTC, datetime

import pytest

from mesh.analysis.certificates import problem
from mesh.core.secure import HIDDEN, placeholder
from tests.meshes import ENDED, VALID

NOW = datetime(2026, 1, 1, tzinfo=UTC)
KEY = "-----BEGIN PRIVATE KEY-----\naHVudGVyMg==\n-----END PRIVATE KEY-----\n"


def pem(certificate: str = VALID) -> str:
    return f"-----BEGIN CERTIFICATE-----\n{certificate}\n-----END CERTIFICATE-----\n"


def said(*, now: datetime = NOW, **values: str) -> str | None:
    return problem({"stringData": {name.replace("_", "."): value for name, value in values.items()}}, now)


def test_a_valid_certificate_under_either_pair_of_keys_is_fine() -> None:
    assert said(tls_crt=pem(), tls_key=KEY) is None
    assert said(cert=pem(), key=KEY) is None


def test_values_in_base64_are_read_and_plain_ones_take_their_place() -> None:
    encoded = {"tls.crt": base64.b64encode(pem(ENDED).encode()).decode(), "tls.key": "a2V5"}
    assert problem({"data": encoded}, NOW) == "tls.crt expired on 2021-01-01: renew it"
    assert problem({"data": encoded, "stringData": {"tls.crt": pem()}}, NOW) is None
    for text in ("a!", "é"):
        assert problem({"data": {**encoded, "tls.crt": text}}, NOW) == "tls.crt is not in base64"


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"tls_crt": pem(ENDED), "tls_key": KEY}, "tls.crt expired on 2021-01-01: renew it"),
        ({"tls_crt": KEY, "tls_key": KEY}, "tls.crt is not a valid certificate"),
        ({"tls_crt": pem(VALID[:-40]), "tls_key": KEY}, "tls.crt is not a valid certificate"),
        ({"cert": "hunter2", "key": KEY}, "cert is not in PEM format, which begins with -----BEGIN CERTIFICATE-----"),
        ({"tls_crt": pem(), "tls_key": ""}, "has no certificate: it needs tls.crt and tls.key, but has tls.crt"),
        ({"a": "b"}, "has no certificate: it needs tls.crt and tls.key, but has a"),
    ],
)
def test_what_istiod_cannot_use_is_told_by_its_key_without_the_value(values: dict[str, str], text: str) -> None:
    assert problem({"stringData": {name.replace("_", "."): value for name, value in values.items()}}, NOW) == text


def test_a_certificate_is_not_valid_before_its_time() -> None:
    assert said(now=datetime(2019, 1, 1, tzinfo=UTC), tls_crt=pem(), tls_key=KEY) == (
        "tls.crt is not valid before 2020-01-01 00:00 UTC"
    )


@pytest.mark.parametrize("value", [HIDDEN, placeholder("mesh:certificate", "v1:abc")])
def test_nothing_is_said_of_values_that_are_not_known_here(value: str) -> None:
    assert said(tls_crt=value, tls_key=value) is None
    assert problem({}, NOW) is None
