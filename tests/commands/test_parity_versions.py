"""Which release another installation is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from commands.parity import report, versions
from mesh import releases
from tests.parity import ours

pytestmark = pytest.mark.slow


def istiod(image: str = "", kind: str = "Deployment", **labels: str) -> dict[str, Any]:
    spec = {"template": {"spec": {"containers": [{"name": "discovery", "image": image}]}}} if image else {}
    version = "apps/v1" if kind == "Deployment" else "v1"
    return {"apiVersion": version, "kind": kind, "metadata": {"name": "istiod-canary", "labels": labels}, "spec": spec}


@pytest.mark.parametrize(
    ("image", "version"),
    [
        ("docker.io/istio/pilot:1.30.3", "1.30.3"),
        ("gcr.io/istio-release/pilot:1.30.3-distroless", "1.30.3"),
        ("registry.example:5000/istio/pilot:v1.13.0@sha256:0", "1.13.0"),
        ("docker.io/istio/galley:1.4.9", "1.4.9"),
        ("docker.io/istio/pilot:1.31-alpha.abc", "1.31-alpha.abc"),
    ],
)
def test_the_version_is_that_of_the_control_planes_image(image: str, version: str) -> None:
    assert versions.of([istiod(image)]) == [version]


def test_labels_tell_the_version_where_an_image_has_a_digest_alone() -> None:
    digest = "docker.io/istio/pilot@sha256:0"
    assert versions.of([istiod(digest)]) == []
    assert versions.of([istiod(digest, **{"helm.sh/chart": "istiod-1.22.1"})]) == ["1.22.1"]
    assert versions.of([istiod(kind="Service", **{"app.kubernetes.io/version": "1.26.0"})]) == ["1.26.0"]


def test_another_release_is_the_headline_and_another_patch_is_not() -> None:
    said = report.headline(["1.30.3"], "1.10.3")
    assert said.startswith("ANOTHER RELEASE: Istio 1.30.3 there, 1.10.3 here. ")
    assert report.headline(["1.10.6"], "1.10.3") == report.headline([], "1.10.3") == ""
    assert report.headline(["1.1.3"], "1.10.3")


def test_the_headline_comes_before_all_differences(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "theirs.yaml"
    file.write_text(yaml.safe_dump(istiod("docker.io/istio/pilot:1.30.3")))
    assert report.run("dev", str(file)) == 1
    first, second, *_ = capsys.readouterr().out.splitlines()
    assert first.startswith("ANOTHER RELEASE: Istio 1.30.3 there, 1.10.3 here")
    assert second.startswith("stack dev (here) and ")


@pytest.mark.parametrize("name", releases.NAMES)
def test_the_objects_of_a_release_say_which_it_is(name: str) -> None:
    assert versions.of(ours.rendered(name)) == [releases.get(name).version]
