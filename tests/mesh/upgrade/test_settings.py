"""An installation's own values, and the installation of another release with them."""

from __future__ import annotations

import json

import pytest

from mesh import releases
from mesh.config import loading
from mesh.releases.release import Installation
from mesh.upgrade import settings

OLD, NEW = releases.get("1.10"), releases.get("1.30")


COMPLETE = [name for name in OLD.profiles.names if not [*OLD.remote_problems(OLD.values(name), name)]]
"""The profiles that need no value."""


@pytest.mark.parametrize("profile", COMPLETE)
def test_a_profile_alone_has_no_values_of_its_own(profile: str) -> None:
    assert settings.own(loading.load({"mesh:profile": profile}, None).installation) == {}


def test_what_a_stack_says_is_its_own() -> None:
    config = {"mesh:profile": "demo", "mesh:pilot": '{"traceSampling": 5, "env": {"PILOT_HTTP10": "true"}}'}
    found = settings.own(loading.load(config, None).installation)
    assert found == {"pilot": {"traceSampling": 5.0, "env": {"PILOT_HTTP10": "true"}}}


def test_the_installation_moves_with_its_own_values_over_the_other_profile() -> None:
    config = {"mesh:profile": "demo", "mesh:global": '{"proxy": {"logLevel": "info"}}'}
    moved = settings.moved(loading.load(config, None).installation, NEW)
    wanted = NEW.values("demo", {"global": {"proxy": {"logLevel": "info"}}})
    assert moved == Installation(release=NEW, values=wanted)


def test_what_the_other_release_lacks_stays_behind() -> None:
    config = {"mesh:global": '{"jwtPolicy": "first-party-jwt", "logging": {"level": "default:debug"}}'}
    moved = settings.moved(loading.load(config, None).installation, NEW)
    assert moved.values == NEW.values("default", {"global": {"logging": {"level": "default:debug"}}})


def test_a_profile_that_the_other_release_lacks_becomes_the_chosen_one_or_the_default() -> None:
    remote = {"injectionURL": "https://istiod.example.com/inject"}
    old = loading.load({"mesh:profile": "external", "mesh:istiodRemote": json.dumps(remote)}, None).installation
    assert settings.moved(old, NEW).values == NEW.values("default", {"istiodRemote": remote})
    assert settings.moved(old, NEW, "remote").values == NEW.values("remote", {"istiodRemote": remote})
