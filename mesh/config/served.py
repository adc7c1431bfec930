"""Checks of a stack's config against its release: settings and values that the release does not have or refuses."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from mesh.api import Metadata
from mesh.config.settings import NAMESPACE, Settings
from mesh.core.places import written
from mesh.releases import lacking
from mesh.traffic.objects import ConfigObject


def lacking_keys(release: str, raw: Mapping[str, Any]) -> Iterator[str]:
    """The keys and values in `raw`, the stack's own config, that the release does not have, one line each."""
    for path, text in lacking.of_config(release, Settings, raw):
        yield f"{NAMESPACE}:{written(path)}: {text}"


def refused_mesh_config(settings: Settings) -> Iterator[str]:
    """What istiod of the release would refuse of the MeshConfig, one line each."""
    for path, text in lacking.refused_mesh_config(settings.release, settings.meshConfig):
        yield f"{NAMESPACE}:{written(('meshConfig', *path))}: {text}"


def of_objects(release: str, objects: Iterable[ConfigObject]) -> Iterator[str]:
    """Problems of the objects that the config is compiled to, one line each."""
    for item in objects:
        kind = type(item.body)
        if text := lacking.of_kind(release, kind):
            yield f"{NAMESPACE}:{item.path}: {text}"
            continue
        metadata = Metadata(item.name, item.namespace, {}, item.annotations)
        for path, text in lacking.of_whole(release, item.body, metadata):
            yield f"{NAMESPACE}:{item.path}: {kind.__name__} {written(path)}: {text}"
