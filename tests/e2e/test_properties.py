"""Random objects and configs that the types accept, checked by the API server and Istio's validation.

Objects of Istio's API are generated from the types, and configs of whole stacks from the types of the settings.
"""

from __future__ import annotations

import copy
import json
import os
import subprocess
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from commands import render
from mesh import api, releases
from mesh.releases.release import Release
from tests.e2e.conftest import EACH_RELEASE, Checkout
from tests.generate import SEED, configs, drawn, objects
from toolchain.checkers import checkers

pytestmark = pytest.mark.drawn
EACH = int(os.environ.get("MESH_TORTURE_DRAWS", "60"))  # of 12 kinds; some draws do not meet the rules between fields
STACKS = EACH // 9


Drawn = Callable[[str], list[dict[str, Any]]]


@pytest.fixture(scope="module")
def drawn_of() -> Drawn:
    """A function that returns random objects of every kind of Istio's API in a release, and the objects of its stacks
    with random configs, each different one once."""
    return cache(lambda name: [*_of_api(releases.get(name)), *_of_stacks(name)])


def _of_api(release: Release) -> Iterator[dict[str, Any]]:
    for kind in api.kinds():
        if release.api.of(kind):
            for number, one in enumerate(drawn(objects(kind, release.name), EACH)):
                yield one.manifest(f"{one.kind.lower()}-{number}", "default", release.api)


def _of_stacks(release: str) -> list[dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for config in drawn(configs([release]), STACKS):
        for resource in render.record("drawn", config):
            if not resource.type.endswith("Patch"):
                found |= {json.dumps(manifest, sort_keys=True): manifest for manifest in render.manifests([resource])}
    assert len(found) > 5 * STACKS
    return list(found.values())


def _without_ignored_files(manifest: dict[str, Any]) -> dict[str, Any]:
    if manifest["kind"] != "Gateway":
        return manifest
    found = copy.deepcopy(manifest)
    for tls in (server.get("tls") or {} for server in found["spec"].get("servers") or ()):
        for name in ("serverCertificate", "privateKey") if tls.get("credentialName") else ():
            tls.pop(name, None)
    return found


def _written(manifests: Iterable[dict[str, Any]], folder: Path) -> Path:
    file = folder / "objects.yaml"
    file.write_text(yaml.dump_all(manifests, Dumper=yaml.CSafeDumper))
    return file


@pytest.mark.parametrize("release", releases.NAMES)
def test_istios_validation_accepts_generated_objects(release: str, drawn_of: Drawn, tmp_path: Path) -> None:
    # of Services it wants to know the protocol of every port, its own gateways' status-port too
    asked = (m for m in drawn_of(release) if "istio.io/" in m["apiVersion"])
    # Istio 1.10 ignores a certificate's files beside credentialName; this istioctl is of a newer one, and refuses them.
    file = _written((_without_ignored_files(m) if release == "1.10" else m for m in asked), tmp_path)
    done = subprocess.run(
        [str(checkers() / "istioctl"), "validate", "--filename", str(file)],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, "\n".join(line for line in done.stderr.splitlines() if "arn" not in line)


@EACH_RELEASE
def test_the_api_server_accepts_generated_objects(
    checkout: Checkout, drawn_of: Drawn, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    checkout.make("sandbox")
    checkout.install(checkout.rendered(checkout.stack)[:1], "--server-side")  # namespaces and definitions
    found = drawn_of(checkout.as_cloned.settings.release)
    manifests = [one for one in found if one["kind"] != "NetworkAttachmentDefinition"]  # of Multus, which is not there
    places = {m["metadata"].get("namespace", "default") for m in manifests}
    checkout.apply(*({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}} for name in places))
    command = ("apply", "--server-side", "--dry-run=server", "--filename", str(_written(manifests, tmp_path)))
    text = checkout.kubectl(*command, code=None)
    accepted, lines = "serverside-applied (server dry run)", text.splitlines()
    told = [line for line in lines if accepted not in line and "Warning: " not in line]
    dual = [line for line in told if "not configured for dual-stack services" in line]  # this cluster has one family
    assert told == dual, "\n".join(told)
    assert len([line for line in lines if accepted in line]) == len(manifests) - len(dual)
    assert len(manifests) > 2000 * EACH / 220
    record_property("told", f"{len(manifests)} objects, seed {SEED}")
