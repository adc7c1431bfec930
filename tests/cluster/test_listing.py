"""What is read of a cluster, and how."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

from cluster import listing
from cluster.client import Answer, Request
from mesh import api, releases
from mesh.analysis import reading
from mesh.core import kinds
from tests.fake_api import denied, status

PODS = "/api/v1/pods"
ROUTES = "/apis/networking.istio.io/{}/virtualservices"


class Paged:
    """An API server that lists two objects a page, and does not serve other collections."""

    def __init__(self, collections: Mapping[str, Any]) -> None:
        self._collections = collections
        self.asked: list[str] = []

    def ask(self, request: Request) -> Answer:
        path, query = urlsplit(request.path).path, parse_qs(urlsplit(request.path).query)
        self.asked.append(path)
        found = self._collections.get(path, Answer(404))
        if isinstance(found, Answer):
            return found
        assert int(query["limit"][0]) > 0
        begin = int(query.get("continue", ["+0/"])[0].partition("+")[2].rstrip("/"))
        token = f"+{begin + 2}/" if begin + 2 < len(found) else ""
        items = [{"metadata": {"name": name, "namespace": "shop"}} for name in found[begin : begin + 2]]
        return Answer(200, {"metadata": {"continue": token}, "items": items})


def names(found: listing.Listed) -> list[str]:
    return [one["metadata"]["name"] for one in found.objects]


def test_all_pages_of_a_collection_are_read() -> None:
    server = Paged({PODS: ["a", "b", "c", "d", "e"]})
    assert names(listing.read(server)) == ["a", "b", "c", "d", "e"]
    assert server.asked.count(PODS) == 3


def test_an_object_of_a_list_says_its_kind_and_version() -> None:
    (found,) = listing.read(Paged({"/apis/apps/v1/deployments": ["a"]})).objects
    assert (found["apiVersion"], found["kind"]) == ("apps/v1", "Deployment")


def test_a_kind_is_read_in_the_oldest_version_that_is_served() -> None:
    both = Paged({ROUTES.format("v1alpha3"): ["a"], ROUTES.format("v1"): ["a"]})
    assert [one["apiVersion"] for one in listing.read(both).objects] == ["networking.istio.io/v1alpha3"]
    newer = Paged({ROUTES.format("v1"): ["a", "b", "c"]})
    assert [one["apiVersion"] for one in listing.read(newer).objects] == ["networking.istio.io/v1"] * 3


def test_every_kind_that_rules_look_at_is_read() -> None:
    paths = ("pods", "replicationcontrollers", "services", "namespaces")
    collections: dict[str, Any] = {f"/api/v1/{one}": ["a"] for one in paths}
    for kind in reading.TYPES.values():
        group, plural = api.definition_name(kind).partition(".")[::-2]
        versions = releases.get(releases.NAMES[-1]).api.of(kind)
        collections[f"/apis/{group}/{versions[0]}/{plural}"] = ["a"]
    for path in ("autoscaling/v1/horizontalpodautoscalers", "apps/v1/statefulsets", "batch/v1/cronjobs"):
        collections[f"/apis/{path}"] = ["a"]
    for path in ("install.istio.io/v1alpha1/istiooperators", "networking.x-k8s.io/v1alpha1/httproutes"):
        collections[f"/apis/{path}"] = ["a"]
    server = Paged(collections)
    assert len(listing.read(server).objects) == len(collections)
    assert len(server.asked) == len({*server.asked})


def test_what_may_not_be_listed_is_said_and_the_rest_is_read() -> None:
    server = Paged({PODS: ["a"], ROUTES.format("v1alpha3"): denied("virtualservices")})
    found = listing.read(server)
    assert names(found) == ["a"]
    assert found.unread == {kinds.VIRTUAL_SERVICE: denied("virtualservices").message}


def test_a_page_that_has_expired_is_said() -> None:
    gone = status(410, "The provided continue parameter is too old")

    class Expiring(Paged):
        def ask(self, request: Request) -> Answer:
            return gone if "continue" in request.path else super().ask(request)

    found = listing.read(Expiring({PODS: ["a", "b", "c"]}))
    assert names(found) == ["a", "b"]
    assert found.unread == {kinds.POD: gone.message}
