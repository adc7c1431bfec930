"""The source of an import: the content of an installation in the form of an IstioOperator's `spec`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from mesh import releases
from mesh.core import errors
from mesh.releases.release import Release

Data = Mapping[str, Any]
Steps = tuple[str, ...]
"""A path in steps."""


_SNAKE: Final = re.compile(r"_([a-z0-9])")


class SourceError(errors.UserError):
    """A source cannot be imported; the text says why and what to do."""


@dataclass(frozen=True, kw_only=True)
class Left:
    """A part of the source that is not in the stack."""

    path: str
    """Where it is in the source, such as `components.pilot.k8s.overlays`."""
    why: str


@dataclass(frozen=True, kw_only=True)
class Overlay:
    """A patch of an object in an IstioOperator: what it becomes depends on the object."""

    path: str
    body: Data
    """Its `kind`, `name` and `patches`."""


@dataclass(frozen=True, kw_only=True)
class GatewayChart:
    """The values of Helm's chart `gateway`."""

    name: str
    values: Data


@dataclass(frozen=True, kw_only=True)
class Source:
    """An installation as its files describe it."""

    origin: str
    """The files that it was read from, such as `operator.yaml`."""
    form: str
    """The format, such as `IstioOperator`."""
    spec: Data
    """The `spec` of an IstioOperator, with names in camel case; of Helm charts, `values` alone."""
    gateway_charts: Sequence[GatewayChart] = ()
    lists_gateways: bool = False
    """Whether the installation has only the gateways of the source, as with Helm; otherwise the profile has more."""

    @property
    def tag(self) -> str:
        """The tag of the images; empty if the source has none."""
        return str(self.spec.get("tag") or at(self.spec, ("values", "global", "tag")) or "")


def at(data: Any, path: Sequence[str]) -> Any:
    """The part of nested maps at a path; None if there is none."""
    for step in path:
        data = data.get(step) if isinstance(data, Mapping) else None
    return data


def as_map(value: Any) -> Data:
    """The value if it is a map, else an empty map: to Istio, null means not set."""
    return value if isinstance(value, Mapping) else {}


def camel(name: str) -> str:
    """The name of a field in camel case."""
    return _SNAKE.sub(lambda found: found[1].upper(), name)


RELEASE: Final = "RELEASE"
"""The variable that names the release on the command line."""


def release_of(source: Source, asked: str) -> Release:
    """The release of a source; `asked` is that of the command line. Raises SourceError if there is none."""
    choices = " or ".join(f"{RELEASE}={name}" for name in releases.NAMES)
    if asked:
        if asked not in releases.NAMES:
            raise SourceError(f"{RELEASE}={asked}: {errors.not_one_of(asked, releases.NAMES)}")
        return releases.get(asked)
    if found := releases.of_version(source.tag):
        return found
    if source.tag[:1].isdigit():
        raise SourceError(
            f"{source.origin} is of Istio {releases.minor(source.tag)} (tag {source.tag}), and the releases here are"
            f" {', '.join(releases.NAMES)}: {choices} reads it as one of these"
        )
    said = f"its tag {source.tag} does not tell" if source.tag else "it has no tag that tells"
    raise SourceError(f"{source.origin}: {said} the release: add {choices}")
