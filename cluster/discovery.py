"""The paths at which an API server serves the kinds of objects."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from cluster.client import Api, Request, ask_all


@dataclass(frozen=True)
class Kind:
    """A kind as the API server serves it."""

    group: str
    version: str
    plural: str
    namespaced: bool
    served: bool = True
    """False for a kind whose custom resource definition is not installed yet."""

    def collection(self, namespace: str) -> str:
        """The API path of the kind's objects in a namespace, or of all of them if the kind is cluster-scoped."""
        root = f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"
        return f"{root}/namespaces/{namespace}/{self.plural}" if self.namespaced else f"{root}/{self.plural}"

    def path(self, namespace: str, name: str) -> str:
        """The API path of an object."""
        return f"{self.collection(namespace)}/{name}"


def served(api: Api, types: Collection[tuple[str, str]]) -> dict[tuple[str, str], Kind]:
    """The kinds among `types`, pairs of API version and kind, that the API server serves."""
    versions = sorted({version for version, _ in types})
    paths = [f"/apis/{version}" if "/" in version else f"/api/{version}" for version in versions]
    found: dict[tuple[str, str], Kind] = {}
    for version, answer in zip(versions, ask_all(api, [Request("GET", path) for path in paths]), strict=True):
        group, _, number = version.rpartition("/")
        for one in answer.body.get("resources") or []:
            if (version, one["kind"]) in types and "/" not in one["name"]:
                found[version, one["kind"]] = Kind(group, number, one["name"], one["namespaced"])
    return found
