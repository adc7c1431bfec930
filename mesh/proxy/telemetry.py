"""The attributes of a pod in OpenTelemetry's terms, as Istio's injector computes them (`otelResourceAttributes`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

PROVIDERS: Final = "extensionProviders"
_ANNOTATION: Final = "resource.opentelemetry.io/"
_WANTED: Final = "OTEL_SEMANTIC_CONVENTIONS"


def enriching(mesh: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The providers of the MeshConfig that ask for the attributes."""
    return [
        one
        for one in mesh.get(PROVIDERS) or ()
        if (one.get("opentelemetry") or {}).get("serviceAttributeEnrichment") == _WANTED
    ]


def resource_attributes(
    mesh: Mapping[str, Any],
    annotations: Mapping[str, str],
    labels: Mapping[str, str],
    namespace: str,
    containers: Sequence[Mapping[str, Any]],
) -> str:
    """`name=value` for namespace, version and instance, separated by commas; empty if no OpenTelemetry provider of the
    MeshConfig asks for them by `serviceAttributeEnrichment`."""
    if not enriching(mesh):
        return ""
    version = labels.get("app.kubernetes.io/version") or (_version(containers[0]) if len(containers) == 1 else "")
    instance = f"{namespace}.$(POD_NAME).{containers[0]['name']}" if containers else ""
    found = {"namespace": namespace, "version": version, "instance.id": instance}
    chosen = {f"service.{name}": annotations.get(f"{_ANNOTATION}service.{name}") or own for name, own in found.items()}
    return ",".join(f"{name}={value}" for name, value in chosen.items() if value)


def _version(container: Mapping[str, Any]) -> str:
    """Tag and digest of the image, `tag@digest` if it has both."""
    name, _, digest = str(container.get("image") or "").partition("@")
    _, _, tag = name.rpartition("/")[2].partition(":")
    return "@".join(filter(None, (tag, digest)))
