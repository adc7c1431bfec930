"""A source as a stack's config: the differences from the profile, and the parts that could not be carried over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from mesh.config.settings import Settings
from mesh.core.disclosure import Disclosure
from mesh.imports import layers, pruning, secret_values
from mesh.imports.fitting import NOTHING, Fitting
from mesh.imports.source import Left, Overlay, Source, as_map, release_of
from mesh.releases.release import Release


@dataclass(frozen=True, kw_only=True)
class Imported:
    """The config of a stack that corresponds to an installation."""

    config: dict[str, Any]
    """The keys without `mesh:`; without credentials."""
    left: Sequence[Left]
    secrets: Sequence[str]
    """The paths of credentials, which are left out of the config."""
    release: Release
    profile: str
    overlays: Sequence[Overlay] = ()
    """Overlays that are still to be translated into patches."""


def imported(source: Source, asked: str = "") -> Imported:
    """The config of a source. `asked` is the release that the user names. Raises SourceError."""
    release = release_of(source, asked)
    profile = layers.profile_of(source, release)
    draft = layers.laid(source, release, profile)
    chosen = {"release": release.name, "profile": profile}
    return replace(finished({**chosen, **draft.config}, draft.left, release), overlays=draft.overlays)


def finished(config: Mapping[str, Any], left: Sequence[Left], release: Release) -> Imported:
    """A complete config without invalid parts, credentials, and values that the profile has anyway."""
    sound, unfit = pruning.valid(config)
    covered, secrets = secret_values.hidden(sound, Disclosure(release.variables))
    scaled, idle = _without_idle_counts(covered)
    found = Fitting(release.name).fit(Settings, secret_values.without(pruning.pruned(scaled)))
    return Imported(
        config={} if found is NOTHING else found,
        left=[*left, *unfit, *idle],
        secrets=secrets,
        release=release,
        profile=str(config["profile"]),
    )


def _without_idle_counts(config: dict[str, Any]) -> tuple[dict[str, Any], list[Left]]:
    """The config without the numbers of pods that an autoscaler sets."""
    settings, left = pruning.settings_of(config), list[Left]()
    parts: list[tuple[str, Any, Any]] = [("pilot", config.get("pilot"), settings.pilot)]
    parts += [
        (f"gateways.{name}", part, settings.gateways[name]) for name, part in as_map(config.get("gateways")).items()
    ]
    for path, part, workload in parts:
        if as_map(part).get("replicaCount") is not None and workload.autoscaleEnabled:
            del part["replicaCount"]
            why = "an autoscaler sets the number of pods: autoscaleMin is the minimum"
            left.append(Left(path=f"{path}.replicaCount", why=why))
    return config, left
