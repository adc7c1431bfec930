"""Names of releases, and tags of images that belong to another release than the stack's."""

from __future__ import annotations

import re
from typing import Final

from mesh import releases
from mesh.core import errors
from mesh.core.typed import Findings, Path
from mesh.values.values import Values

_ISTIO: Final = re.compile(r"v?(1\.[0-9]+)(?![0-9])")
"""The minor version with which tags of Istio's own images begin, such as `1.10.3-distroless`."""


def no_release(name: str) -> str:
    """Why `name` is not the name of a release, and what was probably meant."""
    for known in releases.NAMES:
        if name == str(float(known)):
            return f"YAML reads an unquoted {known} as the number {name}: put it in quotes"
    return errors.none_of(name, releases.NAMES)


def of_other_releases(values: Values, release: str) -> Findings:
    """The tag, and full references of Istio's images, that begin with another minor version than that of the release.
    A mirror's own tags, such as `prod-7`, are taken for what they should be."""
    chosen = values.global_
    images: dict[Path, str] = {
        ("pilot", "image"): values.pilot.image,
        ("global", "proxy", "image"): chosen.proxy.image,
        ("global", "proxy_init", "image"): chosen.proxy_init.image,
        ("cni", "image"): values.cni.image,
    }
    named = {("tag",): values.tag, **{path: _tag(image) for path, image in images.items() if "/" in image}}
    for path, tag in named.items():
        found = _ISTIO.match(tag)
        if found and found[1] != release:
            value = values.tag if path == ("tag",) else images[path]
            yield path, _refusal(value, found[1], release)


def _tag(reference: str) -> str:
    """The tag of a full reference; empty if it has none."""
    return reference.partition("@")[0].rpartition("/")[2].partition(":")[2]


def _refusal(value: str, version: str, release: str) -> str:
    choice = f'set mesh:release to "{version}"' if version in releases.NAMES else f"there is no release {version} here"
    return (
        f"{errors.show(value)} is of Istio {version}, and mesh:release is {release}, whose definitions, filters and"
        f" injection templates are for {release} alone: use a tag of {release} ({choice})"
    )
