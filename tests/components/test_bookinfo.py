"""Bookinfo, compared with Istio's own sample."""

import os
from pathlib import Path
from typing import Any

import pytest
import yaml

from commands import render
from tests.releases import RELEASE

REFERENCE = os.environ.get("MESH_REFERENCE", "")
SAMPLE = Path(REFERENCE, f"istio-{RELEASE.version}", "bookinfo")
FILES = ("bookinfo.yaml", "networking/bookinfo-gateway.yaml")


def placed(manifest: dict[str, Any]) -> dict[str, Any]:
    """An object without its namespace, and with volume mounts sorted by name, since their order has no meaning."""
    meta = {key: value for key, value in manifest["metadata"].items() if key != "namespace"}
    pod = manifest.get("spec", {}).get("template", {}).get("spec", {})
    for container in pod.get("containers", []):
        container.get("volumeMounts", []).sort(key=lambda mount: mount["name"])
    return {**manifest, "metadata": meta}


def by_name(manifests: list[dict[str, Any]]) -> dict[tuple[str, str], dict[str, Any]]:
    return {(m["kind"], m["metadata"]["name"]): placed(m) for m in manifests}


@pytest.mark.skipif(not REFERENCE, reason="MESH_REFERENCE does not name a folder with Istio's own output")
def test_bookinfo_equals_istios_sample() -> None:
    recorded = render.manifests(render.record("dev"))
    ours = by_name([m for m in recorded if m["metadata"].get("namespace") == "default"])
    theirs = by_name([m for name in FILES for m in yaml.safe_load_all((SAMPLE / name).read_text()) if m])
    assert len(theirs) == 16
    assert ours == theirs
