"""Names of releases, and tags of images that belong to another release than the stack's."""

from __future__ import annotations

import re
from typing import Final

from mesh import releases
from mesh.core import errors
from mesh.core.typed import Findings, Path
from mesh.values.values import Values

_ISTIO: Final = re.compile(r"v?(1\.[0-9]+)")
"""The minor version with which tags of Istio's own images begin, such as `1.10.3-distroless`."""


def unknown_release(name: str) -> str:
    """Why `name` is not the name of a release, and what was probably meant."""
    for known in releases.NAMES:
        if name == str(float(known)):
            return f"{known} has no quotes, and YAML reads it as the number {name}: put it in quotes"
    return errors.not_one_of(name, releases.NAMES)


def release_mismatches(values: Values, release: str) -> Findings:
    """The tag, and full references of Istio's images, that begin with another minor version than that of the release.
    Tags that a mirror has chosen by itself, such as `prod-7`, are not looked into."""
    chosen = values.global_
    images: dict[Path, str] = {
        ("pilot", "image"): values.pilot.image,
        ("global", "proxy", "image"): chosen.proxy.image,
        ("global", "proxy_init", "image"): chosen.proxy_init.image,
        ("cni", "image"): values.cni.image,
    }
    full = {path: (image, _tag(image)) for path, image in images.items() if "/" in image}
    for path, (value, tag) in {("tag",): (values.tag, values.tag), **full}.items():
        found = _ISTIO.match(tag)
        if found and found[1] != release:
            yield path, _refusal(value, found[1], release)


def _tag(reference: str) -> str:
    """The tag of a full reference; empty if it has none."""
    return reference.partition("@")[0].rpartition("/")[2].partition(":")[2]


def _refusal(value: str, version: str, release: str) -> str:
    other = f', or set mesh:release to "{version}"' if version in releases.NAMES else ""
    return (
        f"{errors.show(value)} is of Istio {version}, but mesh:release is {release}, and all that is installed with the"
        f" images is made for {release}: use a tag of {release}, such as {releases.get(release).version}{other}"
    )
