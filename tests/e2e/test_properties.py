"""Random objects and configs that the types accept, checked by the API server and Istio's validation.

Objects of Istio's API are generated from the types, and configs of whole stacks from the types of the settings.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from commands import render
from mesh import api, releases
from mesh.releases.release import Release
from tests.e2e.conftest import Checkout
from tests.generate import SEED, configs, drawn, objects
from tests.releases import RELEASE
from toolchain.checkers import checkers

EACH = 220  # of 12 kinds; some draws do not meet the rules between fields
STACKS = 25


@pytest.fixture(scope="module")
def istio(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with random objects of every kind of Istio's API in the default release."""
    return _objects(RELEASE, tmp_path_factory)


@pytest.fixture(scope="module")
def todays(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same in the newest release."""
    return _objects(releases.get(releases.NAMES[-1]), tmp_path_factory)


def _objects(release: Release, tmp_path_factory: pytest.TempPathFactory) -> Path:
    kinds = {kind: drawn(objects(kind, release.name), EACH) for kind in api.kinds() if release.api.of(kind)}
    made = [
        one.manifest(f"{one.kind.lower()}-{number}", "default", release.api)
        for found in kinds.values()
        for number, one in enumerate(found)
    ]
    assert len(made) > 2000
    return _written(made, tmp_path_factory.mktemp("istio"))


@pytest.fixture(scope="module")
def stacks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with the objects of stacks with random configs, each different one once."""
    return _of_stacks(releases.NAMES, tmp_path_factory)


@pytest.fixture(scope="module")
def defaults(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same of stacks of the default release, whose definitions are on the cluster."""
    return _of_stacks([RELEASE.name], tmp_path_factory)


def _of_stacks(among: Sequence[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    found: dict[str, dict[str, Any]] = {}
    for config in drawn(configs(among), STACKS):
        for resource in render.record("drawn", config):
            if not resource.type.endswith("Patch"):
                found |= {json.dumps(manifest, sort_keys=True): manifest for manifest in render.manifests([resource])}
    assert len(found) > 5 * STACKS
    return _written(found.values(), tmp_path_factory.mktemp("stacks"))


def _written(manifests: Iterable[dict[str, Any]], folder: Path) -> Path:
    file = folder / "objects.yaml"
    file.write_text(yaml.dump_all(manifests, Dumper=yaml.CSafeDumper))
    return file


@pytest.fixture(scope="module")
def cluster(checkout: Checkout) -> Checkout:
    """A cluster with Istio's definitions and nothing else of Istio."""
    checkout.make("sandbox")
    checkout.make("render", "STACK=demo", "OUT=../definitions")
    folder = checkout.root.parent / "definitions" / "1-namespaces-and-definitions"
    checkout.kubectl("apply", "--server-side", "--filename", str(folder))
    checkout.kubectl("wait", "crd", "--all", "--for=condition=Established", "--timeout=60s")
    return checkout


@pytest.mark.parametrize("made", ["istio", "todays", "stacks"])
def test_istios_validation_accepts_generated_objects(made: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    manifests = yaml.load_all(request.getfixturevalue(made).read_text(), yaml.CSafeLoader)
    # of Services it wants to know the protocol of every port, its own gateways' status-port too
    file = _written((m for m in manifests if "istio.io/" in m["apiVersion"]), tmp_path)
    done = subprocess.run(
        [str(checkers() / "istioctl"), "validate", "--filename", str(file)],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, "\n".join(line for line in done.stderr.splitlines() if "arn" not in line)


@pytest.mark.parametrize("made", ["istio", "defaults"])
def test_the_api_server_accepts_generated_objects(
    made: str,
    request: pytest.FixtureRequest,
    cluster: Checkout,
    record_property: Callable[[str, object], None],
) -> None:
    file = request.getfixturevalue(made)
    manifests = list(yaml.load_all(file.read_text(), yaml.CSafeLoader))
    places = {m["metadata"].get("namespace", "default") for m in manifests}
    cluster.apply(*({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}} for name in places))
    text = cluster.kubectl("apply", "--server-side", "--dry-run=server", "--filename", str(file), code=None)
    accepted, lines = "serverside-applied (server dry run)", text.splitlines()
    assert [line for line in lines if accepted not in line and "Warning: " not in line] == []
    assert len([line for line in lines if accepted in line]) == len(manifests)
    record_property("told", f"{len(manifests)} objects, seed {SEED}")
