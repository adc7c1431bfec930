"""Tokens of requests, and the RequestAuthentication of the gateway, which proves them by a key that both know."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any

from mesh.requests.samples import Sample
from mesh.requests.texts import SOMEBODY
from tests.e2e.judge.dataplane import LABELS, ROOT, Manifest, custom

ISSUER = SOMEBODY.partition("/")[0]
_KEY = b"a key that everybody may know, of tests alone"


def authentication() -> Manifest:
    key = {"kty": "oct", "alg": "HS256", "kid": "one", "k": _base64(_KEY)}
    rule = {"issuer": ISSUER, "jwks": json.dumps({"keys": [key]})}
    return custom("RequestAuthentication", "tokens", ROOT, {"selector": {"matchLabels": LABELS}, "jwtRules": [rule]})


def can_be_proven(sample: Sample) -> bool:
    """Whether a sample has no token, or one of the issuer whose key is known."""
    return not sample.principal or sample.principal.rpartition("/")[0] == ISSUER


def token(sample: Sample) -> str:
    """The token that a sample asks for."""
    issuer, _, subject = sample.principal.rpartition("/")
    payload: dict[str, Any] = {"iss": issuer, "sub": subject}
    for name, value in sample.claims:
        outer, *inner = name.removesuffix("]").replace("][", "[").split("[")
        place = payload
        for step in inner:
            place, outer = place.setdefault(outer, {}), step
        place[outer] = value
    signed = ".".join(map(_part, ({"alg": "HS256", "kid": "one"}, payload)))
    return f"{signed}.{_base64(hmac.new(_KEY, signed.encode(), hashlib.sha256).digest())}"


def _part(content: Mapping[str, Any]) -> str:
    return _base64(json.dumps(content).encode())


def _base64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")
