"""Checks of the release's name, and of image tags that belong to another release."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from mesh import releases
from mesh.core import errors
from mesh.core.typed import Findings, Path
from mesh.values.pilot import Pilot
from mesh.values.proxy import Global
from mesh.values.values import Values

_VERSION: Final = re.compile(r"v?(1\.[0-9]+)")
"""The minor version at the start of a tag of Istio's own images, such as `1.10.3-distroless`."""


def unknown_release(name: str) -> str:
    """The message that `name` is not a release, with the most similar one, or the advice to put it in quotes."""
    for release in releases.NAMES:
        if name == str(float(release)):
            return f"{release} has no quotes, and YAML reads it as the number {name}: put it in quotes"
    return errors.not_one_of(name, releases.NAMES)


def images_of_nodes(values: Values) -> dict[Path, str]:
    """The images of the node agents."""
    return {("cni", "image"): values.cni.image, ("ztunnel", "image"): values.ztunnel.image}


def images_of_control_plane(pilot: Pilot, global_: Global) -> dict[Path, str]:
    """The images of istiod and of the proxies."""
    return {
        ("pilot", "image"): pilot.image,
        ("global", "proxy", "image"): global_.proxy.image,
        ("global", "proxy_init", "image"): global_.proxy_init.image,
    }


def tags_of_proxies(values: Values) -> dict[Path, str]:
    """The tags that node agents and gateways set for themselves."""
    gateways: dict[Path, str] = {("gateways", name, "tag"): spec.tag for name, spec in values.gateways.items()}
    return {("cni", "tag"): values.cni.tag, ("ztunnel", "tag"): values.ztunnel.tag, **gateways}


def tags_of_control_plane(tag: str, pilot: Pilot) -> dict[Path, str]:
    """The tag of all images, and istiod's own tag."""
    return {("tag",): tag, ("pilot", "tag"): pilot.tag}


def release_mismatches(given: Mapping[Path, str], images: Mapping[Path, str], release: str) -> Findings:
    """Problems of the tags `given`, and of full image references, whose tag begins with another minor version than
    `release`. Tags without a version, such as a mirror's `prod-7`, are accepted."""
    full = {path: (image, _tag(image)) for path, image in images.items() if "/" in image}
    for path, (value, found_tag) in {**{path: (tag, tag) for path, tag in given.items()}, **full}.items():
        found = _VERSION.match(found_tag)
        if found and found[1] != release:
            yield path, _message(value, found[1], release)


def unknown_compatibility(version: str, release: str) -> Findings:
    """The problem of a `compatibilityVersion` from which the release did not change anything."""
    earlier = tuple(releases.get(release).profiles.changed)
    if version and version not in earlier:
        yield ("compatibilityVersion",), errors.not_one_of(version, earlier)


def _tag(reference: str) -> str:
    """The tag of a full image reference; empty if it has none."""
    return reference.partition("@")[0].rpartition("/")[2].partition(":")[2]


def _message(value: str, version: str, release: str) -> str:
    other = f', or set mesh:release to "{version}"' if version in releases.NAMES else ""
    return (
        f"{errors.show(value)} is of Istio {version}, but mesh:release is {release}, and everything else is made for"
        f" {release}: use a tag of {release}, such as {releases.get(release).version}{other}"
    )
