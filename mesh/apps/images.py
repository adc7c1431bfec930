"""Other images in pod templates, as the `images` of a kustomization."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

_CONTAINERS: Final = ("containers", "initContainers", "ephemeralContainers")


def replaced(body: Any, images: Mapping[str, str]) -> Any:
    """The object with other images in its containers, wherever in it a list of containers is."""
    if isinstance(body, list):
        return [replaced(one, images) for one in body]
    if not isinstance(body, Mapping):
        return body
    return {
        key: [_container(one, images) for one in value]
        if key in _CONTAINERS and isinstance(value, list)
        else replaced(value, images)
        for key, value in body.items()
    }


def _container(container: Any, images: Mapping[str, str]) -> Any:
    image = container.get("image") if isinstance(container, Mapping) else None
    other = images.get(name(image)) if isinstance(image, str) else None
    return {**container, "image": other} if other else container


def of(body: Any) -> Iterator[str]:
    """The images of an object's containers."""
    if isinstance(body, list):
        for one in body:
            yield from of(one)
    elif isinstance(body, Mapping):
        for key, value in body.items():
            if key in _CONTAINERS and isinstance(value, list):
                yield from (
                    one["image"] for one in value if isinstance(one, Mapping) and isinstance(one.get("image"), str)
                )
            else:
                yield from of(value)


def name(image: str) -> str:
    """The image without its tag and digest: `registry:5000/cart:1@sha256:…` is `registry:5000/cart`."""
    rest = image.partition("@")[0]
    path, colon, tag = rest.rpartition(":")
    return path if colon and "/" not in tag else rest
