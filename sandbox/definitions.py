"""Repairs custom resource definitions that an API server left incomplete when it was killed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from cluster import client
from cluster.client import Api, Request

_PATH: Final = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
_MERGE: Final = "application/merge-patch+json"


def establish(api: Api) -> None:
    """Makes the API server continue with definitions whose names it has accepted but which it does not serve yet.

    It handles such a definition only when the definition changes (`establishingController` of
    k8s.io/apiextensions-apiserver). If it was killed in between, the definition would never be served. Removing the
    condition `Established` is such a change.
    """
    for definition in client.items(api, _PATH):
        conditions = definition.get("status", {}).get("conditions", [])
        if _holds(conditions, "NamesAccepted") and not _holds(conditions, "Established"):
            kept = [condition for condition in conditions if condition["type"] != "Established"]
            path = f"{_PATH}/{definition['metadata']['name']}/status"
            client.object_in(api.ask(Request("PATCH", path, {"status": {"conditions": kept}}, _MERGE)))


def _holds(conditions: list[Mapping[str, Any]], kind: str) -> bool:
    return any(condition["type"] == kind and condition["status"] == "True" for condition in conditions)
