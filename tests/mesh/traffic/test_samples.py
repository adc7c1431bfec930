"""The config for each of Bookinfo's networking samples renders to the sample's own objects."""

import os
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.releases import RELEASE
from tests.traffic_configs import SAMPLES, VERSIONS, objects, sample

REFERENCE = os.environ.get("MESH_REFERENCE")
NAMES = sorted(file.stem for file in SAMPLES.glob("*.yaml"))


def networking() -> Path:
    """The folder of Istio's own samples."""
    return Path(REFERENCE or "", "istio-1.10.3", "bookinfo", "networking")


def by_name(documents: list[dict[str, Any]]) -> dict[tuple[str, str], Any]:
    return {(document["kind"], document["metadata"]["name"]): document["spec"] for document in documents}


def documents(name: str) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all((networking() / f"{name}.yaml").read_text()))


@pytest.mark.skipif(not REFERENCE, reason="MESH_REFERENCE does not name a folder with Istio's own samples")
@pytest.mark.parametrize("name", NAMES)
def test_the_config_of_a_sample_renders_to_exactly_its_objects(name: str) -> None:
    expected = by_name(documents(name))
    if name.startswith("virtual-service"):
        expected |= by_name(documents(VERSIONS))
    assert by_name([item.manifest(RELEASE.api) for item in objects(sample(name))]) == expected


@pytest.mark.skipif(not REFERENCE, reason="MESH_REFERENCE does not name a folder with Istio's own samples")
def test_every_networking_sample_has_a_config() -> None:
    assert sorted(file.stem for file in networking().glob("*.yaml")) == NAMES
