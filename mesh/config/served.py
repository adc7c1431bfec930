"""Checks of a stack's config against its release: settings and values that the release does not have or refuses."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from mesh.api import Metadata
from mesh.config.revisions import ControlPlane
from mesh.config.settings import NAMESPACE, Settings
from mesh.core.places import written
from mesh.releases import lacking
from mesh.traffic.objects import ConfigObject

_FURTHER: Final = "controlPlanes"


def lacking_keys(settings: Settings, raw: Mapping[str, Any]) -> Iterator[str]:
    """The keys and values in `raw`, the stack's own config, that the release of the control plane in question does not
    have, one line each."""
    own = {key: value for key, value in raw.items() if key != _FURTHER}
    for path, text in lacking.of_config(settings.release, Settings, own):
        yield f"{NAMESPACE}:{written(path)}: {text}"
    for revision, entry in settings.controlPlanes.items():
        for path, text in lacking.of_config(entry.release, ControlPlane, raw[_FURTHER][revision]):
            yield f"{NAMESPACE}:{written((_FURTHER, revision, *path))}: {text}"


def refused_mesh_config(settings: Settings) -> Iterator[str]:
    """What istiod of the release would refuse of the MeshConfig, one line each."""
    for path, text in lacking.refused_mesh_config(settings.release, settings.meshConfig):
        yield f"{NAMESPACE}:{written(('meshConfig', *path))}: {text}"
    for revision, entry in settings.controlPlanes.items():
        for path, text in lacking.refused_mesh_config(entry.release, entry.meshConfig):
            yield f"{NAMESPACE}:{written((_FURTHER, revision, 'meshConfig', *path))}: {text}"


def of_objects(settings: Settings, objects: Iterable[ConfigObject]) -> Iterator[str]:
    """Problems of the objects that the config is compiled to with any of the stack's releases, one line each."""
    made = list(objects)
    for release in settings.releases:
        yield from _of_objects(release, made)


def _of_objects(release: str, objects: Iterable[ConfigObject]) -> Iterator[str]:
    for item in objects:
        kind = type(item.body)
        if text := lacking.of_kind(release, kind):
            yield f"{NAMESPACE}:{item.path}: {text}"
            continue
        metadata = Metadata(item.name, item.namespace, {}, item.annotations)
        for path, text in lacking.of_whole(release, item.body, metadata):
            yield f"{NAMESPACE}:{item.path}: {kind.__name__} {written(path)}: {text}"
