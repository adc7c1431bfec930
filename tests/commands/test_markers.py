"""Credentials and encrypted values in every string of the settings that can hold one, which no output may show."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from commands import render, report, sources, stackfiles
from mesh.analysis.mesh import Mesh
from mesh.core.merge import merged
from mesh.core.names import DEFAULT_NAMES
from mesh.pictures import map as drawing
from mesh.pictures import mermaid
from mesh.review import data, markdown
from mesh.review.changes import StackObject
from mesh.review.review import Review, Source
from tests import markers

pytestmark = pytest.mark.slow

MARKER: Final = "m4rker"
FORMS: Final = (f"Bearer {MARKER}", f"https://user:{MARKER}@host.example.com/a?token={MARKER}")
ENCRYPTED: Final = {"secure": "v1:a"}
NAMED: Final = yaml.safe_load(f"""
pilot:
  env: {{AWS_SECRET_ACCESS_KEY: {MARKER}1, FLAG: {MARKER}2}}
  podAnnotations: {{vault.example.com/token: {MARKER}3}}
gateways: {{istio-ingressgateway: {{env: {{FLAG: {MARKER}4}}}}}}
meshConfig:
  defaultConfig:
    tracing: {{lightstep: {{address: "tracer.example.com:80", accessToken: {MARKER}5}}}}
    proxyMetadata: {{FLAG: {MARKER}6}}
traffic:
  services:
    reviews:
      headers: {{request: {{set: {{x-a: {MARKER}7}}}}, response: {{add: {{x-b: {MARKER}8}}}}}}
      rules:
      - {{match: {{headers: {{x-api-key: {MARKER}9}}, cookie: {{session: {MARKER}10}}}}, route: v2}}
security:
  jwt: {{issuers: [{{issuer: a, jwks: '{{"keys": [{{"kty": "oct", "k": "{MARKER}11"}}]}}'}}], require: []}}
""")
"""Values that their place alone makes credentials, or that are set freely."""


def recorded(settings: dict[str, Any]) -> list[StackObject]:
    return list(sources.registered(render.record("case", markers.config(settings))))


def outputs(old: list[StackObject], new: dict[str, Any]) -> str:
    """All texts about a change: the report in its forms, and the map."""
    stack, objects = markers.load(new), recorded(new)
    settings = stack.settings
    found = Review.of("case", Source(kind="", text=""), old, objects, settings.mesh_names, shown=settings.disclosure)
    picture = drawing.of(Mesh([item.object for item in objects], DEFAULT_NAMES), "case")
    return "\n".join([markdown.write(found), json.dumps(data.plain(found)), mermaid.write(picture)])


def shown(text: str) -> list[str]:
    """The lines of a text that show the marker, also in base64."""
    encoded = [base64.b64encode(b" " * shift + MARKER.encode()).decode()[2 * (shift > 0) : -4] for shift in range(3)]
    return [line for line in text.splitlines() if any(part in line for part in (MARKER, *encoded))]


@pytest.fixture(scope="module")
def plain() -> list[StackObject]:
    return recorded(dict(markers.WHOLE))


@pytest.mark.parametrize("form", FORMS)
def test_no_report_map_or_message_shows_a_credential(form: str, plain: list[StackObject]) -> None:
    settings, refused = markers.planted(form)
    accepted = [path for path in markers.strings(markers.WHOLE) if path not in refused]
    assert len(accepted) > 40
    assert shown(outputs(plain, settings)) == []
    assert shown(outputs(recorded(settings), dict(markers.WHOLE))) == []
    assert shown("\n".join(refused.values())) == []


def test_no_report_shows_what_its_place_makes_a_credential(plain: list[StackObject]) -> None:
    settings = merged(markers.WHOLE, NAMED)
    assert shown(outputs(plain, settings)) == []
    changed = json.loads(json.dumps(settings).replace(MARKER, f"{MARKER}-"))
    text = outputs(recorded(settings), changed)
    assert shown(text) == []
    for part in ("env[AWS_SECRET_ACCESS_KEY].value", "accessToken", "proxyMetadata.FLAG", "set.x-a", "x-api-key.exact"):
        assert f"{part}`: `[secret]` → `[secret]`" in text


def test_an_encrypted_string_is_accepted_or_refused_with_its_key() -> None:
    settings, refused = markers.planted(ENCRYPTED)
    for path, said in refused.items():
        assert said.split(": ")[0] == markers.key(path)
        assert "is encrypted (`secure:`), but" in said
        assert "\n" not in said
    accepted = {markers.key(path) for path in markers.strings(markers.WHOLE) if path not in refused}
    assert {
        "mesh:hub",
        "mesh:pilot.env.TOKEN",
        "mesh:meshConfig.defaultConfig.tracing.lightstep.accessToken",
        "mesh:meshConfig.defaultConfig.proxyMetadata.TOKEN",
        "mesh:traffic.services.reviews.headers.request.set.x-seen",
        "mesh:traffic.services.reviews.rules[0].match.user",
        "mesh:security.jwt.issuers[0].jwksUri",
    } <= accepted
    assert outputs(recorded(dict(markers.WHOLE)), settings)


def test_what_decides_which_objects_there_are_cannot_be_encrypted() -> None:
    _, refused = markers.planted(ENCRYPTED)
    keys = {markers.key(path) for path in refused}
    assert {"mesh:profile", "mesh:namespaces.shop", "mesh:traffic.hosts.bookinfo.gateway"} <= keys
    assert {"mesh:context", "mesh:nodeAddress"} <= keys
    assert {"mesh:traffic.hosts.bookinfo.routes[1].to[0].service", "mesh:addons.grafana.host"} <= keys


def test_a_render_leaves_out_encrypted_values_and_names_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = merged(markers.WHOLE, {"pilot": {"env": {"A": ENCRYPTED, "B": "in clear"}}})
    monkeypatch.setattr(stackfiles, "config", lambda _: markers.config(settings))
    done = render.render("case", tmp_path)
    assert "mesh:pilot.env.A of Deployment istio-system/istiod" in done.left_out
    assert "the values of Secret istio-system/grafana" in done.left_out
    assert "in clear" in (tmp_path / render.THEN / "deployment-istio-system-istiod.yaml").read_text()


def test_a_value_that_the_stack_declares_public_is_shown(plain: list[StackObject]) -> None:
    settings = {**merged(markers.WHOLE, {"pilot": {"env": {"FLAG": "a-flag"}}}), "publicValues": ["FLAG"]}
    assert "a-flag" in outputs(plain, settings)


def test_a_report_is_written_from_the_same_review(tmp_path: Path, plain: list[StackObject]) -> None:
    settings = merged(markers.WHOLE, NAMED)
    found = Review.of("case", Source(kind="", text=""), plain, recorded(settings), DEFAULT_NAMES)
    report.write(found, tmp_path, "dev")
    assert shown("".join(file.read_text() for file in tmp_path.iterdir())) == []
