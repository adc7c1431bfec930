"""The custom resource definitions of Istio's API, generated from the classes of the kinds."""

import inspect
from copy import deepcopy
from typing import Any

from mesh.api.model import Column, Kind, Names, Versions
from mesh.api.schema import Schemas, without_descriptions
from mesh.api.status import Status

__all__ = ["definition", "definition_name", "definitions", "kinds"]

_LABELS = {"security.istio.io": {"istio": "security"}, "telemetry.istio.io": {"istio": "telemetry"}}
_PREFERRED = "v1"  # of several versions, the one that `kubectl explain` shows; no release has two others without it


def definitions(versions: Versions) -> list[dict[str, Any]]:
    """The manifest (apiextensions.k8s.io/v1) of each kind that a release serves, in alphabetical order of kinds."""
    return [definition(kind, versions) for kind in kinds() if versions.of(kind)]


def definition_name(kind: type[Kind]) -> str:
    """The name of a kind's CustomResourceDefinition, such as `gateways.networking.istio.io`."""
    return f"{kind.names.plural}.{kind.names.group}"


def kinds() -> list[type[Kind]]:
    """All kinds of Istio's API in alphabetical order: the subclasses of `Kind` that have been imported."""
    return sorted(Kind.__subclasses__(), key=lambda kind: kind.__name__)


def definition(kind: type[Kind], versions: Versions) -> dict[str, Any]:
    """The CustomResourceDefinition of one kind. All versions share one schema; the first is the storage version."""
    names, served = versions.names_of(kind), versions.of(kind)
    explained = {_PREFERRED if _PREFERRED in served else served[0]} if versions.enforced else set(served)
    shown = _shown(kind, versions)
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": _metadata(kind, names),
        "spec": {
            "group": names.group,
            "names": _names(kind, names),
            "scope": "Namespaced",
            "versions": [
                {
                    "name": version,
                    "served": True,
                    "storage": version == served[0],
                    "subresources": {"status": {}},
                    **(deepcopy(shown) if version in explained else without_descriptions(shown)),
                }
                for version in served
            ],
        },
    }


def _metadata(kind: type[Kind], names: Names) -> dict[str, Any]:
    labels = {"app": "istio-pilot", **_LABELS.get(names.group, {})}
    annotations = {"annotations": {"helm.sh/resource-policy": "keep"}} if names.kept_by_helm else {}
    return {"name": definition_name(kind), "labels": labels, **annotations}


def _names(kind: type[Kind], names: Names) -> dict[str, Any]:
    name = kind.__name__
    area = names.group.partition(".")[0]
    return {
        "kind": name,
        "listKind": f"{name}List",
        "plural": names.plural,
        "singular": name.lower(),
        **({"shortNames": list(names.short)} if names.short else {}),
        "categories": ["istio-io", f"{area}-istio-io"],
    }


def _shown(kind: type[Kind], versions: Versions) -> dict[str, Any]:
    """The schema and the columns of each version, with their descriptions."""
    names, about = versions.names_of(kind), inspect.getdoc(kind)
    schemas = Schemas(versions)
    status = schemas.message(Status) if versions.enforced else {"type": "object"}
    needs_spec = {"required": ["spec"]} if versions.enforced and names.needs_spec else {}
    schema = {
        "type": "object",
        "description": about,
        "properties": {
            "spec": {"description": about, **schemas.message(kind)},
            "status": {
                **status,
                "description": inspect.getdoc(Status),
                "x-kubernetes-preserve-unknown-fields": True,
            },
        },
        **needs_spec,
    }
    columns = {"additionalPrinterColumns": [_column(column) for column in names.columns]} if names.columns else {}
    return {"schema": {"openAPIV3Schema": schema}, **columns}


def _column(column: Column) -> dict[str, str]:
    return {
        "name": column.name,
        "type": column.type,
        "jsonPath": column.path,
        "description": column.description,
    }
