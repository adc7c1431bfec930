"""Patches, compared with what kubectl makes of them, and on the embedded cluster."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

import toolchain
from mesh.core.kinds import GroupKind
from mesh.patches.merge import merged
from mesh.patches.operations import Operation, applied
from mesh.patches.paths import PatchError, merging
from tests.e2e.conftest import NO_CHANGES, SECOND_IS_LONG, Checkout, counts
from tests.generate import drawn
from tests.patching import cases, cleaned

COUNT = 80
"""Drawn cases; each takes kubectl about half a second."""
ISTIOD = "Deployment istio-system/istiod"


def kubectl(folder: Path, how: str, body: Any, patch: Any) -> Any:
    """The object as kubectl patches it, which asks no cluster for that."""
    (folder / "body.json").write_text(json.dumps(body))
    (folder / "patch.json").write_text(json.dumps(patch))
    files = ("--filename", str(folder / "body.json"), "--patch-file", str(folder / "patch.json"))
    done = subprocess.run(
        ["kubectl", "patch", "--local", f"--type={how}", *files, "--output=json"],
        env={"PATH": str(toolchain.ensure().path()), "HOME": str(folder)},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 0, f"{done.stderr}\n{body}\n{patch}"
    return json.loads(done.stdout)


def ours_of(body: Any, patch: Any) -> Any:
    """The object as it is patched here; None if the patch is refused, of which Kubernetes drops a part in silence."""
    try:
        return merged(body, patch, merging(GroupKind.of(body)))
    except PatchError:
        return None


def test_kubernetes_merges_drawn_patches_as_we_do(tmp_path: Path) -> None:
    found = [(body, patch, ours) for body, patch in drawn(cases(), COUNT) if (ours := ours_of(body, patch))]
    assert len(found) > COUNT / 2
    for body, patch, ours in found:
        theirs = cleaned(kubectl(tmp_path, "strategic", body, patch))
        assert theirs == kubectl(tmp_path, "strategic", ours, {}), f"{body}\n{patch}"


BODY: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "front", "annotations": {"a/b": "1", "c~d": "2"}},
    "spec": {"ports": [{"port": 1, "name": "a"}, {"port": 2, "name": "b"}], "externalIPs": ["x", "y"]},
}


@pytest.mark.parametrize(
    "operations",
    [
        [{"op": "add", "path": "/spec/externalIPs/-", "value": "z"}],
        [{"op": "add", "path": "/spec/externalIPs/1", "value": "z"}],
        [{"op": "remove", "path": "/spec/ports/0"}],
        [{"op": "replace", "path": "/metadata/annotations/a~1b", "value": "3"}],
        [{"op": "move", "from": "/metadata/annotations/c~0d", "path": "/metadata/annotations/e"}],
        [{"op": "move", "from": "/spec/ports/0", "path": "/spec/ports/1"}],
        [{"op": "copy", "from": "/spec/externalIPs/0", "path": "/spec/externalIPs/-"}],
        [
            {"op": "test", "path": "/spec/ports/1/port", "value": 2},
            {"op": "replace", "path": "/spec/ports/1/name", "value": "c"},
        ],
    ],
    ids=lambda found: f"{found[0]['op']} {found[0]['path']}",
)
def test_kubernetes_applies_json_patches_as_we_do(tmp_path: Path, operations: Sequence[Mapping[str, Any]]) -> None:
    ours: Any = BODY
    for one in operations:
        ours = applied(ours, Operation.model_validate(one))
    assert kubectl(tmp_path, "json", BODY, operations) == kubectl(tmp_path, "strategic", ours, {})


def pod(checkout: Checkout) -> Any:
    """The spec of istiod's pods on the cluster."""
    text = checkout.kubectl("get", "deployment/istiod", "--namespace=istio-system", "--output=json")
    return json.loads(text)["spec"]["template"]["spec"]


PATCH = {
    "object": ISTIOD,
    "merge": {
        "spec": {
            "template": {
                "spec": {
                    "priorityClassName": "system-cluster-critical",
                    "containers": [{"name": "discovery", "env": [{"name": "PILOT_PUSH_THROTTLE", "value": "2"}]}],
                }
            }
        }
    },
}
EDGE = {
    "object": "ServiceAccount istio-system/*",
    "json": [{"op": "add", "path": "/metadata/labels/team", "value": "a"}],
}


@SECOND_IS_LONG
def test_a_patch_is_shown_applied_and_taken_back_without_drift(checkout: Checkout) -> None:
    checkout.small()
    checkout.make("up")
    before = pod(checkout)
    checkout.set(patches=[PATCH, EDGE])
    shown = checkout.make("preview")
    assert "priorityClassName" in shown
    assert "PILOT_PUSH_THROTTLE" in shown
    checkout.make("up")
    found = pod(checkout)
    assert found["priorityClassName"] == "system-cluster-critical"
    assert {"name": "PILOT_PUSH_THROTTLE", "value": "2"} in found["containers"][0]["env"]
    for target in ("preview", "refresh", "up"):
        assert re.fullmatch(r"Resources: \d+ unchanged", counts(checkout.make(target, NO_CHANGES))), target
    checkout.make("preview", "ARGS=--refresh --expect-no-changes")
    checkout.set(patches=None)
    checkout.make("up")
    assert pod(checkout) == before
    checkout.make("preview", "ARGS=--refresh --expect-no-changes")


@SECOND_IS_LONG
def test_a_wrong_patch_ends_a_preview_before_anything_is_touched(checkout: Checkout) -> None:
    wrong = {"object": ISTIOD, "merge": {"spec": {"template": {"spec": {"tolerations": {"key": "a"}}}}}}
    checkout.set(patches=[wrong])
    said = checkout.make("preview", code=None)
    assert "mesh:patches[0].merge.spec.template.spec.tolerations: expected a list" in said
    assert "Traceback" not in said
    checkout.set(patches=None)
