"""IstioOperators, in camel or snake case, as one `spec`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from mesh.core.merge import merged
from mesh.imports.source import Data, Source, SourceError, as_map, camel

GROUP: Final = "install.istio.io"
KIND: Final = "IstioOperator"
LISTS: Final = ("ingressGateways", "egressGateways")
"""The lists among an IstioOperator's components, whose entries have names."""
_OPEN: Final = frozenset(("label", "podAnnotations", "serviceAnnotations", "nodeSelector", "matchLabels", "overlays"))
"""Maps whose keys are chosen by users, or belong to another format."""


def is_operator(document: Data) -> bool:
    """Whether a document is an IstioOperator."""
    return document.get("kind") == KIND and str(document.get("apiVersion", "")).startswith(f"{GROUP}/")


def of_documents(documents: Sequence[Data], origin: str) -> Source:
    """The source of IstioOperators, later ones over earlier ones. Raises SourceError if one has an invalid form."""
    spec: Data = {}
    for document in documents:
        spec = overlaid(spec, _spec(document, origin))
    return Source(origin=origin, form=KIND, spec=spec)


def overlaid(base: Data, over: Data) -> dict[str, Any]:
    """A `spec` over another; gateways are merged by name."""
    found = merged(base, over)
    mine, theirs = as_map(base.get("components")), as_map(over.get("components"))
    for name in LISTS:
        if isinstance(mine.get(name), list) and isinstance(theirs.get(name), list):
            entries: dict[str, Data] = {}
            for entry in (*mine[name], *theirs[name]):
                entries[str(entry.get("name"))] = merged(entries.get(str(entry.get("name")), {}), entry)
            found["components"][name] = list(entries.values())
    return found


def _spec(document: Data, origin: str) -> Data:
    spec = document.get("spec") or {}
    if not isinstance(spec, Mapping):
        raise SourceError(f"{origin}: the spec of {KIND} is not a map")
    found: dict[str, Any] = {camel(key): value for key, value in spec.items()}
    namespace = as_map(document.get("metadata")).get("namespace")
    if namespace and "namespace" not in found:
        found["namespace"] = namespace
    if "values" in found:
        found["values"] = as_map(found["values"])
    if "components" in found:
        found["components"] = _components(found["components"], origin)
    return found


def _components(components: Any, origin: str) -> Data:
    found: Data = _camels(as_map(components))
    for name in LISTS:
        entries = found.get(name) or []
        if not isinstance(entries, list) or not all(
            isinstance(entry, Mapping) and "name" in entry for entry in entries
        ):
            raise SourceError(f"{origin}: components.{name} is not a list of gateways with names")
    return found


def _camels(value: Any) -> Any:
    """The value with names of fields in camel case."""
    if isinstance(value, list):
        return [_camels(item) for item in value]
    if not isinstance(value, Mapping):
        return value
    pairs = ((camel(str(key)), item) for key, item in value.items())
    return {key: item if key in _OPEN else _camels(item) for key, item in pairs}
