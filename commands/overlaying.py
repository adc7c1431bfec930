"""Turns the overlays of an imported IstioOperator into `mesh:patches` of the stack."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from commands import render
from commands.parity.normal import Manifest
from mesh.config import overlays
from mesh.config.settings import SettingsError
from mesh.core.disclosure import Disclosure
from mesh.core.errors import UserError
from mesh.imports import pruning, secret_values
from mesh.imports.importing import Imported
from mesh.imports.source import Left, Overlay


def patched(made: Imported) -> Imported:
    """The import, with its overlays as patches of the stack's objects. Overlays that cannot be translated are listed in
    `left`."""
    if not made.overlays:
        return made
    left = list(made.left)
    try:
        objects = list(render.manifests(render.record("import", pruning.texts(made.config))))
    except SettingsError:  # the config lacks a credential, which is not written
        left += [Left(path=one.path, why="the stack is not complete yet: write mesh:patches") for one in made.overlays]
        return replace(made, left=left, overlays=())
    patches = [entry for one in made.overlays for entry in _translated(one, objects, left)]
    config = {**made.config, **({"patches": patches} if patches else {})}
    try:
        render.record("import", pruning.texts(config))
    except UserError as error:
        left += [Left(path=one.path, why=str(error).splitlines()[0]) for one in made.overlays]
        config = made.config
    covered, secrets = secret_values.hidden(config, Disclosure(made.release.variables))
    written = secret_values.without(covered)
    return replace(made, config=written, left=left, secrets=[*made.secrets, *secrets], overlays=())


def _translated(overlay: Overlay, objects: Sequence[Manifest], left: list[Left]) -> Iterator[Any]:
    kind, name = overlay.body.get("kind"), overlay.body.get("name")
    body = next((one for one in objects if (one["kind"], one["metadata"]["name"]) == (kind, name)), None)
    if body is None:
        left.append(Left(path=overlay.path, why=f"the stack has no {kind} {name}"))
        return
    found = overlays.translated(overlay.body, body)
    left += [Left(path=overlay.path, why=why) for why in found.left]
    yield from map(dict, found.patches)
