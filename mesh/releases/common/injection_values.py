"""The values that the injection templates read as `.Values`, from the typed ones of an installation."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel

from mesh.releases import lacks
from mesh.releases.release import Installation
from mesh.values import networks


def plain(value: Any, release: str) -> Any:
    """A typed value as plain data, with all defaults, and without the fields that a release does not have."""
    return _plain(value, lacks(release))


def _plain(value: Any, lacking: frozenset[str]) -> Any:
    if isinstance(value, BaseModel):
        kind = type(value).__name__
        fields = {name: getattr(value, name) for name in type(value).model_fields}
        return {name: _plain(item, lacking) for name, item in fields.items() if f"{kind}.{name}" not in lacking}
    if isinstance(value, dict):
        return {key: _plain(item, lacking) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item, lacking) for item in value]
    return value


def global_values(mesh: Installation) -> dict[str, Any]:
    """The section `global`: the typed settings, and what follows from the installation. An image is a full reference if
    `images` has its digest."""
    values = mesh.values
    chosen = plain(values.global_, mesh.release.name)
    for container in ("proxy", "proxy_init"):
        image = chosen[container]["image"]
        chosen[container]["image"] = values.image(image) if image in values.images else image
    return {
        **chosen,
        "hub": values.hub,
        "tag": values.tag,
        "meshNetworks": networks.wire(values.global_.meshNetworks),
        "defaultResources": values.global_.defaultResources.amounts,
    }


def drop_defaults(section: dict[str, Any], model: type[BaseModel], names: Iterable[str]) -> None:
    """Drops the fields `names` of a section with the fields of `model`, if nobody has set them: Istio's charts have no
    defaults for them."""
    for name in names:
        default = model.model_fields[name].default
        if section[name] == _plain(default, frozenset()):
            del section[name]
