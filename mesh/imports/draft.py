"""A stack's config while it is put together, and the parts of the source that have no place in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from mesh.config.settings import Settings
from mesh.core.merge import merged
from mesh.core.places import written
from mesh.imports import fitting
from mesh.imports.fitting import NOTHING, Fitting
from mesh.imports.source import Data, Left, Overlay, Steps
from mesh.releases import refusals
from mesh.releases.refusals import Refusal
from mesh.releases.release import Release
from mesh.values import upstream

LIST: Final = upstream.ENTRY


class Draft:
    """The config that the parts of a source make, later ones over earlier ones."""

    def __init__(self, release: Release) -> None:
        self.release = release
        self.config: dict[str, Any] = {}
        self.left: list[Left] = []
        self.overlays: list[Overlay] = []

    def add(self, path: Steps, value: Any, shown: str = "", name: str = "") -> None:
        """Adds a part of an IstioOperator's `spec`. Messages show the path `shown` in place of `path`, if it is set;
        `name` is the name of the gateway that the part is about."""
        for at, inner in _parts(path, value):
            place = tuple(name if step == upstream.NAME else step for step in upstream.place(at))
            said = f"{shown}{''.join(f'.{step}' for step in at[len(path) :])}" if shown else ".".join(at)
            self.put(place, inner, said)

    def put(self, place: Steps, value: Any, said: str) -> None:
        """Adds a value at the path of a key; `said` is what the source calls it."""
        if not place:
            for key, inner in value.items() if isinstance(value, Mapping) else ():
                self.put((str(key),), inner, f"{said}.{key}")
            return
        for step in reversed(place):
            value = {step: value}
        fit = Fitting(self.release.name)
        kept = fit.fit(Settings, self._admitted(value, fit.rest))
        for path, why in fit.rest:
            rest = fitting.said(path[len(place) :])
            self.left.append(Left(path=f"{said}.{rest}" if rest else said, why=why))
        if kept is not NOTHING:
            self.config = merged(self.config, kept)

    def _admitted(self, data: Data, rest: fitting.Rest, path: Steps = ()) -> Data:
        """The data without the keys that the release refuses by name; `rest` gets those with a value."""
        found = {}
        for key, value in data.items():
            here = (*path, str(key))
            if refused := refusals.find(self.release.refusals, here):
                rest += [(here, _said(refused, here))] if value else []
            else:
                found[key] = self._admitted(value, rest, here) if isinstance(value, Mapping) else value
        return found

    def lay(self, config: Data) -> None:
        """Merges config over the present one."""
        self.config = merged(self.config, config)


def _said(refused: Refusal, path: Steps) -> str:
    """Why a key is refused, and the key that does the same."""
    remedy = refused.remedy(path)
    return f"{refused.why}: write mesh:{written(remedy)}" if remedy else refused.why


def _parts(path: Steps, value: Any) -> Iterator[tuple[Steps, Any]]:
    """The parts of a value that have places of their own."""
    if isinstance(value, Mapping) and value and upstream.has_parts_elsewhere(path):
        for key, inner in value.items():
            yield from _parts((*path, str(key)), inner)
    else:
        yield path, value
