"""The forms of Istio's own objects, from a folder of what a release produces, in sets such as `profiles/demo`."""

from __future__ import annotations

import copy
import os
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

from mesh.releases.release import Release
from tests.parity import addons, forms, injection
from tests.parity.forms import Forms

REFERENCE: Final = "MESH_REFERENCE"
"""Environment variable that names the folder with a folder `istio-<version>` for each release."""
_OF_SERVICES: Final = {8080: 80}
"""Ports of the ingress gateway's Service by those of its pods, which newer samples name."""
VERSIONS: Final = "destination-rule-all"
"""The sample with the subsets to which the routes of other samples lead."""


def folder(release: Release) -> Path | None:
    """The folder of a release; None if it is not at hand."""
    found = os.environ.get(REFERENCE)
    return Path(found, f"istio-{release.version}") if found else None


@cache
def objects(at: Path, release: str) -> dict[str, Forms]:
    """The forms of all objects in the folder of a release, by set."""
    return dict(sorted(_sets(at, release)))


def _sets(at: Path, release: str) -> Iterator[tuple[str, Forms]]:
    yield "definitions", forms.of_manifests(documents(at / "crds.yaml"), istios=True)
    for kind in ("profiles", "settings"):
        for file in at.glob(f"{kind}/*.yaml"):
            yield f"{kind}/{file.stem}", forms.of_manifests(documents(file), istios=True)
    for file in at.glob("injection/*/injected-*.yaml"):
        case = f"{file.parent.name}-{file.stem.removeprefix('injected-')}"
        yield f"injection/{case}", injection.form(documents(file.with_name("workload.yaml"))[0], documents(file)[0])
    bookinfo = at / "bookinfo"
    parts = (bookinfo / "bookinfo.yaml", bookinfo / "networking/bookinfo-gateway.yaml")
    yield "bookinfo", placeless([manifest for file in parts for manifest in documents(file)])
    for file in bookinfo.glob("networking/*.yaml"):
        with_versions = [VERSIONS] if file.stem.startswith("virtual-service") else []
        names = (file.stem, *with_versions)
        yield (
            f"samples/{file.stem}",
            placeless([manifest for name in names for manifest in documents(file.with_stem(name))]),
        )
    yield from addons.istios(at / "addons", release)


def placeless(manifests: Sequence[Mapping[str, Any]]) -> Forms:
    """The forms of samples, which go to any namespace."""
    return forms.of_manifests([_placeless(manifest) for manifest in manifests], istios=True)


def _placeless(manifest: Mapping[str, Any]) -> Mapping[str, Any]:
    """Without its namespace; a Gateway with the Service's port in place of that of the pods behind it."""
    found: dict[str, Any] = copy.deepcopy({**manifest})
    found["metadata"].pop("namespace", None)
    for server in found["spec"]["servers"] if found["kind"] == "Gateway" else ():
        port = server["port"]
        port["number"] = _OF_SERVICES.get(port["number"], port["number"])
    return found


def documents(file: Path) -> list[Mapping[str, Any]]:
    """The objects in a YAML file."""
    return [manifest for manifest in yaml.safe_load_all(file.read_text()) if manifest]
