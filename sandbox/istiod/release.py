"""Finds the release of Istio to which an istiod's Deployment belongs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Final

from mesh import releases
from mesh.core.names import REVISION_LABEL
from mesh.releases.release import Installation
from sandbox.istiod.deployment import CONTAINER

Manifest = Mapping[str, Any]

_PROFILE: Final = "minimal"
"""A profile that has an istiod in each release."""


def of(template: Manifest) -> str:
    """The name of the release, from a pod template with istiod's container.

    It is in the image's tag. If the image has a digest or a custom tag instead, it is the release whose istiod has the
    most in common with this one: names of variables, arguments and volumes, and the service account."""
    image = container(template).get("image", "").partition("@")[0].rpartition("/")[2]
    named = releases.of_version(image.partition(":")[2])
    return named.name if named else max(releases.NAMES, key=lambda name: _likeness(_facts(template), _typical(name)))


def container(template: Manifest) -> Manifest:
    """istiod's container. Raises StopIteration if there is none."""
    found: Manifest = next(one for one in template["spec"]["containers"] if one["name"] == CONTAINER)
    return found


@cache
def _typical(name: str) -> frozenset[str]:
    release = releases.get(name)
    return _facts(release.istiod_pod(Installation(release=release, values=release.values(_PROFILE))))


def _likeness(one: frozenset[str], other: frozenset[str]) -> float:
    return len(one & other) / len(one | other)


def _facts(template: Manifest) -> frozenset[str]:
    return frozenset(_named(template))


def _named(template: Manifest) -> Iterator[str]:
    spec, istiod = template["spec"], container(template)
    revision = template["metadata"].get("labels", {}).get(REVISION_LABEL, "")
    yield f"account {str(spec.get('serviceAccountName')).removesuffix(f'-{revision}')}"
    yield from (f"variable {one['name']}" for one in istiod.get("env") or ())
    yield from (f"argument {one}" for one in istiod.get("args") or ())
    yield from (f"volume {one['name']}" for one in spec.get("volumes") or ())
