"""Custom resource definitions that an API server has left half made when it was killed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from cluster import client
from cluster.client import Api, Request

_PATH: Final = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
_MERGE: Final = "application/merge-patch+json"


def establish(api: Api) -> None:
    """Has the API server go on with definitions whose names it has accepted, and which it does not serve yet.

    It looks at such a definition only when it changes (`establishingController` of k8s.io/apiextensions-apiserver), so
    one of which it was killed in between would never be served. Taking the condition away is a change.
    """
    for definition in client.items(api, _PATH):
        conditions = definition.get("status", {}).get("conditions", [])
        if _holds(conditions, "NamesAccepted") and not _holds(conditions, "Established"):
            kept = [condition for condition in conditions if condition["type"] != "Established"]
            path = f"{_PATH}/{definition['metadata']['name']}/status"
            client.object_in(api.ask(Request("PATCH", path, {"status": {"conditions": kept}}, _MERGE)))


def _holds(conditions: list[Mapping[str, Any]], kind: str) -> bool:
    return any(condition["type"] == kind and condition["status"] == "True" for condition in conditions)
