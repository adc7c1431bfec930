"""The image of an installation's proxy, of the type that is asked for (`ProxyImage` of Istio's injector)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

IMAGE_TYPE: Final = "sidecar.istio.io/proxyImageType"
"""Annotation: the type of the image, such as `distroless`; `default` is the one without a suffix."""
_SUFFIXES: Final = ("-distroless", "-debug")
"""The suffixes of the tags of images that Istio publishes."""


def proxy(settings: Mapping[str, Any], config: Mapping[str, Any], annotations: Mapping[str, str]) -> str:
    """The image reference: `settings` are `global` of the values, `config` is the pod's ProxyConfig.

    The annotation wins over `image` of the ProxyConfig, which wins over `global.variant`.
    """
    image = config.get("image")
    kind = settings.get("variant") if image is None else image.get("imageType")
    kind = annotations.get(IMAGE_TYPE, kind or "")
    name = (settings.get("proxy") or {}).get("image") or "proxyv2"
    return f"{settings.get('hub')}/{name}:{_tag(str(settings.get('tag')), kind)}"


def _tag(tag: str, kind: str) -> str:
    if not kind:
        return tag
    plain = without_type(tag)
    return plain if kind == "default" else f"{plain}-{kind}"


def without_type(image: str) -> str:
    """An image or a tag without the suffix of its type."""
    suffix = next((one for one in _SUFFIXES if image.endswith(one)), "")
    return image.removesuffix(suffix)
