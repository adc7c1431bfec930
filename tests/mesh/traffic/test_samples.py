"""Bookinfo's networking samples, each of which has a config; tests/parity compares their objects with Istio's."""

import pytest

from mesh import api, releases
from tests.parity import lock
from tests.releases import RELEASE
from tests.traffic_configs import SAMPLES, objects, sample

NAMES = sorted(file.stem for file in SAMPLES.glob("*.yaml"))


def test_every_networking_sample_has_a_config() -> None:
    of_releases = {name: {sample for of, sample in lock.names("samples") if of == name} for name in releases.NAMES}
    assert of_releases[RELEASE.name] == set(NAMES)
    assert all(samples and samples <= set(NAMES) for samples in of_releases.values())


@pytest.mark.parametrize("name", NAMES)
def test_the_objects_of_a_sample_are_valid_and_keep_their_wire_form(name: str) -> None:
    for item in objects(sample(name)):
        manifest = item.manifest(RELEASE.api)
        built = getattr(api, manifest["kind"]).from_wire(manifest["spec"])
        assert built.spec() == manifest["spec"]
        assert RELEASE.api.stored(type(built)) == manifest["apiVersion"]
