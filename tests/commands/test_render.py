"""`make render`."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from commands import render
from engine.recorder import Resource
from mesh import releases
from tests.parity import lock, ours

pytestmark = pytest.mark.slow

REFERENCE = os.environ.get("MESH_REFERENCE")
PROFILES = lock.names("profiles")


def test_each_object_is_one_file_and_definitions_come_first(tmp_path: Path) -> None:
    count = render.render("demo", tmp_path).count
    files = [yaml.safe_load(f.read_text()) for f in tmp_path.rglob("*.yaml")]
    assert len(files) == count
    first = {yaml.safe_load(f.read_text())["kind"] for f in (tmp_path / render.FIRST).iterdir()}
    assert first == {"Namespace", "CustomResourceDefinition"}


def test_what_istiod_injects_or_validates_comes_last(tmp_path: Path) -> None:
    done = render.render("dev", tmp_path)
    assert done.folders == [render.FIRST, render.THEN, render.LAST]
    last = {yaml.safe_load(file.read_text())["kind"] for file in (tmp_path / render.LAST).iterdir()}
    assert {"Deployment", "Gateway", "VirtualService", "EnvoyFilter"} <= last
    then = [yaml.safe_load(file.read_text()) for file in (tmp_path / render.THEN).iterdir()]
    assert not [one for one in then if "istio.io" in one["apiVersion"].partition("/")[0]]
    assert {one["metadata"]["namespace"] for one in then if one["kind"] == "Deployment"} == {"istio-system"}


def test_rendering_logs_nothing_about_a_cluster(caplog: pytest.LogCaptureFixture) -> None:
    render.record("dev")
    assert caplog.text == ""


def test_rendering_again_removes_what_is_no_longer_there(tmp_path: Path) -> None:
    stale = tmp_path / render.THEN / "stale.yaml"
    stale.parent.mkdir()
    stale.write_text("kind: Old")
    render.render("demo", tmp_path)
    assert not stale.exists()


def test_writing_files_logs_nothing_about_a_cluster(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    render.render("dev", tmp_path)
    assert caplog.text == ""


def test_the_values_of_a_secret_are_never_written() -> None:
    inputs = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "stringData": {"password": "hunter2"}}
    (manifest,) = render.manifests([Resource("kubernetes:core/v1:Secret", "s", inputs, None)])
    assert manifest["stringData"] == {"password": "[secret]"}
    assert "hunter2" not in yaml.safe_dump(manifest)


def test_a_secret_without_its_values_can_still_be_applied() -> None:
    inputs = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "data": {"password": "aHVudGVyMg=="}}
    (manifest,) = render.manifests([Resource("kubernetes:core/v1:Secret", "s", inputs, None)])
    assert "data" not in manifest


def test_annotations_that_only_pulumi_reads_are_left_out(tmp_path: Path) -> None:
    render.render("demo", tmp_path)
    text = "".join(f.read_text() for f in tmp_path.rglob("*.yaml"))
    assert "pulumi.com/" not in text
    assert "mesh/id" not in text


@pytest.mark.skipif(not REFERENCE, reason="MESH_REFERENCE does not name a folder with Istio's own output")
@pytest.mark.parametrize(("name", "profile"), PROFILES, ids=map("-".join, PROFILES))
def test_a_profile_renders_what_istio_installs(name: str, profile: str, tmp_path: Path) -> None:
    rendered = tmp_path / "rendered.yaml"
    rendered.write_text(yaml.safe_dump_all(ours.rendered(name, profile=profile)))
    parity = Path(str(REFERENCE)).parent / "bin" / "parity"
    done = subprocess.run(
        [sys.executable, str(parity), "--release", releases.get(name).version, profile, str(rendered)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    *found, _ = done.stdout.splitlines()
    tag = "istio-revision-tag-default", "istiod-default-validator"
    assert [line for line in found if not any(f" {name}: not in the reference" in line for name in tag)] == []
