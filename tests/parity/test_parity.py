"""The objects of each release equal Istio's own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from mesh import releases
from tests.parity import forms, istio, lock, ours

pytestmark = pytest.mark.slow

SETS = [(name, of) for name in releases.NAMES for of in lock.read(lock.file(releases.get(name)))]


@pytest.mark.parametrize(("name", "of"), SETS, ids=[f"{name}-{of}" for name, of in SETS])
def test_the_objects_are_istios_own(name: str, of: str) -> None:
    release = releases.get(name)
    folder = istio.folder(release)
    shown = istio.objects(folder, name)[of] if folder else None
    found = list(forms.differences(lock.read(lock.file(release))[of], ours.objects(release, of), shown))
    assert found == [], "\n".join(found)


@pytest.mark.parametrize("name", releases.NAMES)
def test_the_lock_file_is_that_of_istios_objects(name: str) -> None:
    release = releases.get(name)
    if not (folder := istio.folder(release)):
        pytest.skip(f"{istio.REFERENCE} names no folder with what Istio itself produces")
    assert lock.file(release).read_text() == lock.text(istio.objects(folder, name)), "write it anew: make lock"


@pytest.mark.parametrize("profile", ["default", "demo", "ambient"])
def test_variables_and_volumes_of_1_30_are_in_istios_own_order(profile: str) -> None:
    """Another order in a pod template would replace the pods of an Istio that is adopted."""
    release = releases.get("1.30")
    if not (folder := istio.folder(release)):
        pytest.skip(f"{istio.REFERENCE} names no folder with what Istio itself produces")
    theirs = _orders(istio.documents(folder / "profiles" / f"{profile}.yaml"))
    assert theirs
    assert _orders(ours.rendered(release.name, profile=profile)) == theirs


def _orders(manifests: Sequence[Mapping[str, Any]]) -> dict[str, list[list[str]]]:
    """The names in each list of the pods of workloads, in their order."""
    found = {}
    for manifest in manifests:
        if manifest["kind"] in ("DaemonSet", "Deployment"):
            spec = manifest["spec"]["template"]["spec"]
            named = [spec["volumes"], *[c[key] for c in spec["containers"] for key in ("env", "volumeMounts")]]
            found[manifest["metadata"]["name"]] = [[item["name"] for item in items] for items in named]
    return found
