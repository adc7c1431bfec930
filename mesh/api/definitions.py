"""The custom resource definitions of Istio's API, generated from the classes of the kinds."""

import inspect
from typing import Any

from mesh.api.model import Column, Kind, Versions
from mesh.api.schema import message_schema

__all__ = ["definition", "definition_name", "definitions", "kinds"]

_LABELS = {"security.istio.io": {"istio": "security"}, "telemetry.istio.io": {"istio": "telemetry"}}


def definitions(versions: Versions) -> list[dict[str, Any]]:
    """The manifest (apiextensions.k8s.io/v1) of each kind that a release serves, in alphabetical order of kinds."""
    return [definition(kind, versions.of(kind)) for kind in kinds() if versions.of(kind)]


def definition_name(kind: type[Kind]) -> str:
    """The name of a kind's CustomResourceDefinition, such as `gateways.networking.istio.io`."""
    return f"{kind.names.plural}.{kind.names.group}"


def kinds() -> list[type[Kind]]:
    """All kinds of Istio's API in alphabetical order: the subclasses of `Kind` that have been imported."""
    return sorted(Kind.__subclasses__(), key=lambda kind: kind.__name__)


def definition(kind: type[Kind], versions: tuple[str, ...]) -> dict[str, Any]:
    """The CustomResourceDefinition of one kind. All versions share one schema; the first is the storage version."""
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": _metadata(kind),
        "spec": {
            "group": kind.names.group,
            "names": _names(kind),
            "scope": "Namespaced",
            "versions": [_version(kind, version, version == versions[0]) for version in versions],
        },
    }


def _metadata(kind: type[Kind]) -> dict[str, Any]:
    names = kind.names
    labels = {"app": "istio-pilot", **_LABELS.get(names.group, {})}
    annotations = {"annotations": {"helm.sh/resource-policy": "keep"}} if names.kept_by_helm else {}
    return {"name": definition_name(kind), "labels": labels, **annotations}


def _names(kind: type[Kind]) -> dict[str, Any]:
    names, name = kind.names, kind.__name__
    area = names.group.partition(".")[0]
    return {
        "kind": name,
        "listKind": f"{name}List",
        "plural": names.plural,
        "singular": name.lower(),
        **({"shortNames": list(names.short)} if names.short else {}),
        "categories": ["istio-io", f"{area}-istio-io"],
    }


def _version(kind: type[Kind], version: str, stored: bool) -> dict[str, Any]:
    about = inspect.getdoc(kind)
    schema = {
        "type": "object",
        "description": about,
        "properties": {
            "spec": {"description": about, **message_schema(kind)},
            "status": {
                "type": "object",
                "description": "What Istio reports about the object.",
                "x-kubernetes-preserve-unknown-fields": True,
            },
        },
    }
    columns = {"additionalPrinterColumns": [_column(column) for column in kind.names.columns]}
    return {
        "name": version,
        "served": True,
        "storage": stored,
        "subresources": {"status": {}},
        "schema": {"openAPIV3Schema": schema},
        **(columns if kind.names.columns else {}),
    }


def _column(column: Column) -> dict[str, str]:
    return {
        "name": column.name,
        "type": column.type,
        "jsonPath": column.path,
        "description": column.description,
    }
