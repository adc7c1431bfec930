"""The objects of each release equal Istio's own."""

from __future__ import annotations

import pytest

from mesh import releases
from tests.parity import forms, istio, lock, ours

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
