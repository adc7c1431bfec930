"""Checks the certificate and key (PEM) that istiod reads from the Secret in a gateway's `credentialName`.

Unknown values, such as secrets that Pulumi encrypts, count as valid. Messages never show a value.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from mesh.core.secure import HIDDEN

_PAIRS: Final = (("cert", "key"), ("tls.crt", "tls.key"))
"""The keys of certificate and private key, in the order in which istiod looks for them."""
_BLOCK: Final = re.compile(rb"-----BEGIN ([^\n]*)-----\s*\n(.*?)-----END \1-----", re.DOTALL)
_CONTEXT, _UTC_TIME = 0xA0, 0x17


def problem(secret: Mapping[str, Any], now: datetime) -> str | None:
    """What is wrong with the certificate in a Secret at the time `now`; None if nothing is, or values are unknown."""
    plain, encoded = secret.get("stringData") or {}, secret.get("data") or {}
    if not (plain or encoded) or any(HIDDEN in value for value in (*plain.values(), *encoded.values())):
        return None
    values = {key: value.encode() for key, value in plain.items()}
    for key in encoded.keys() - values.keys():
        try:
            values[key] = base64.b64decode(re.sub(r"\s", "", encoded[key]), validate=True)
        except ValueError:
            return f"{key} is not in base64"
    for certificate, key in _PAIRS:
        if values.get(certificate) and values.get(key):
            text = _of_certificate(values[certificate], now)
            return text and f"{certificate} {text}"
    has = ", ".join(sorted(key for key, value in values.items() if value)) or "nothing"
    return f"has no certificate: it needs {' and '.join(_PAIRS[-1])}, but has {has}"


def _of_certificate(text: bytes, now: datetime) -> str | None:
    import ssl

    found = _BLOCK.search(text)
    if not found:
        return "is not in PEM format, which begins with -----BEGIN CERTIFICATE-----"
    try:
        der = base64.b64decode(found[2])
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=der)
        begin, end = _validity(der)
    except (ssl.SSLError, ValueError, IndexError):
        return "is not a valid certificate"
    if now < begin:
        return f"is not valid before {begin:%Y-%m-%d %H:%M} UTC"
    return f"expired on {end:%Y-%m-%d}: renew it" if now > end else None


def _validity(der: bytes) -> tuple[datetime, datetime]:
    """The start and end of the validity of an X.509 certificate (RFC 5280).

    The validity is the fourth element of the first part, after serial number, algorithm and issuer; an optional version
    comes before these.
    """
    _, whole, _ = _element(der, 0)
    _, place, _ = _element(der, whole)
    tag, _, after = _element(der, place)
    place = after if tag == _CONTEXT else place
    for _ in range(3):
        _, _, place = _element(der, place)
    _, first, _ = _element(der, place)
    _, _, second = _element(der, first)
    return _time(der, first), _time(der, second)


def _element(der: bytes, place: int) -> tuple[int, int, int]:
    """The tag of an element of ASN.1, where its content begins, and where it ends."""
    tag, length, begin = der[place], der[place + 1], place + 2
    if length & 0x80:
        size = length & 0x7F
        length, begin = int.from_bytes(der[begin : begin + size]), begin + size
    return tag, begin, begin + length


def _time(der: bytes, place: int) -> datetime:
    tag, begin, end = _element(der, place)
    text = der[begin:end].decode("ascii")
    if tag == _UTC_TIME:  # two digits of the year, from 1950 on
        text = f"{'19' if text >= '50' else '20'}{text}"
    return datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)
