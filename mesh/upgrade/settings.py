"""The settings of an installation that differ from its profile, and the same installation of another release."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from mesh.config.settings import Settings
from mesh.core.lacking import Lacks
from mesh.core.merge import Data, differing
from mesh.releases.release import Installation, Release
from mesh.values.values import Values


def profile(installation: Installation) -> str:
    """The name of the installation's profile; `default` if only its values are known."""
    return installation.values.profile if isinstance(installation.values, Settings) else "default"


def own(installation: Installation) -> Data:
    """The installation's values that differ from its profile, in the form of YAML."""
    release = installation.release
    return differing(_data(installation.values), _data(release.values(profile(installation))))


def moved(before: Installation, release: Release, to_profile: str = "") -> Installation:
    """The same installation of another release: its own values on top of a profile, without values that it lacks.

    `to_profile` is the new profile: if empty, the one of before; `default` if the release does not have it. Raises
    pydantic's ValidationError if the release refuses a value.
    """
    chosen = to_profile or profile(before)
    there = chosen if chosen in release.profiles.names else "default"
    values = without_lacking(own(before), release)
    return replace(before, release=release, values=release.values(there, values), others={})


def without_lacking(values: Data, release: Release) -> Data:
    """The values that a release has."""
    for part in Lacks(release.api.lacks).parts(Values, values):
        values = _without(values, part.path)
    return values


def _data(values: Values) -> Mapping[str, Any]:
    return values.model_dump(mode="json", by_alias=True, exclude_none=True, include=set(Values.model_fields))


def _without(value: Any, path: tuple[str | int, ...]) -> Any:
    step, *rest = path
    if isinstance(value, list):
        return [_without(item, tuple(rest)) if i == step and rest else item for i, item in enumerate(value)]
    if not rest:
        return {key: item for key, item in value.items() if key != step}
    return {key: _without(item, tuple(rest)) if key == step else item for key, item in value.items()}
