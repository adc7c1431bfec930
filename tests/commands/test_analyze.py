"""`make analyze`."""

import json

import pytest

from commands import analyze, stackfiles

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("stack", stackfiles.names())
def test_the_shipped_stacks_have_no_findings(stack: str) -> None:
    assert analyze.findings(stack) == []


def test_an_entry_without_effect_is_printed_and_does_not_fail(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    unused = {"code": "IST0101", "object": "Gateway default/x", "reason": "none"}
    budgets = {"code": "MESH0114", "object": "PodDisruptionBudget *", "reason": "a demo"}
    config = {**stackfiles.config("demo"), "mesh:analysis": json.dumps({"suppress": [unused, budgets]})}
    monkeypatch.setattr(stackfiles, "config", lambda _: config)
    assert analyze.run("demo") == 0
    assert "demo: 1 warning" in capsys.readouterr().out


def test_an_error_fails_and_names_the_config_key(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    gateways = {"istio-ingressgateway": {"enabled": False}}
    config = {"mesh:profile": "demo", "mesh:gateways": json.dumps(gateways), "mesh:bookinfo": "true"}
    config["mesh:injectedNamespaces"] = json.dumps({"default": "existing"})
    monkeypatch.setattr(stackfiles, "config", lambda _: config)
    assert analyze.run("demo") == 1
    assert "IST0101 Gateway default/bookinfo-gateway selector (from mesh:bookinfo)" in capsys.readouterr().out
