"""A stack that is written as an IstioOperator and imported is the same stack."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mesh import releases
from mesh.config.settings import SettingsError
from mesh.core.names import ROOT
from mesh.imports import importing, operators, pruning, secret_values
from tests import generate
from tests.mesh.imports import writer

pytestmark = pytest.mark.slow

COUNT = 30


def drawn(release: str) -> list[dict[str, Any]]:
    """Valid configs with keys alone that an IstioOperator has."""
    found = []
    for config in generate.drawn(generate.configs([release]), COUNT):
        data = {key.removeprefix("mesh:"): _read(value) for key, value in config.items()}
        kept = {key: value for key, value in data.items() if key in writer.WRITTEN}
        kept.pop("tag", None)
        if isinstance(kept.get("base"), dict):
            kept["base"] = {key: value for key, value in kept["base"].items() if key != "release"}
        if isinstance(kept.get("pilot"), dict) and kept["pilot"].get("autoscaleEnabled", True):
            kept["pilot"].pop("replicaCount", None)  # an autoscaler sets it
        homes = [kept.get(part, {}).get("namespace") for part in ("cni", "ztunnel")]
        kept["namespaces"] = {name: "existing" for name in homes if name and name != ROOT}
        try:
            if secret_values.hidden(kept, pruning.settings_of(kept).disclosure)[1]:
                continue  # these are not written
        except SettingsError:
            continue  # what was taken away was needed
        found.append(kept)
    return found


def _read(text: str) -> Any:
    try:
        return json.loads(text) if text[:1] in "{[" or text in ("true", "false") else text
    except ValueError:
        return text


@pytest.mark.parametrize("release", releases.NAMES)
def test_a_drawn_stack_comes_back_from_its_istio_operator(release: str) -> None:
    configs = drawn(release)
    assert len(configs) > COUNT // 3
    for config in configs:
        document = {"apiVersion": "install.istio.io/v1alpha1", "kind": "IstioOperator", "spec": writer.spec(config)}
        made = importing.imported(operators.of_documents([document], "drawn"))
        assert (made.left, pruning.settings_of(made.config)) == ([], pruning.settings_of(config)), config
