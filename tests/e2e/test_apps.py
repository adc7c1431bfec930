"""Services of one's own (`mesh:apps`): what stands on the cluster is what their files say, and stays so. Each test
continues from the previous one."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from typing import Any

import pytest

from commands.parity import compare
from mesh.apps.exported import cleaned
from mesh.core import documents, names
from mesh.core.diff import Comparison
from tests.e2e.conftest import NO_CHANGES, Checkout, counts
from tests.e2e.drawn import SECRET, Drawing

SEED = int(os.environ.get("MESH_DRAWN_SEED", "1"))
DRAWN = int(os.environ.get("MESH_DRAWN_COUNT", "38"))
OF_THE_STACK = (*(names.FIELD_MANAGER, names.SKIP_AWAIT, names.DELETION_PROPAGATION, names.FORCE), names.DIGEST)
"""Annotations for Pulumi and of the stack."""
WEIGHT = "spec.http[*].route[*].weight"
CANARY = [
    {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name},
        "spec": {"selector": {"app": name}, "ports": [{"name": "http", "port": 80}]},
    }
    for name in ("cart", "cart-canary")
]


def route(first: int, **more: Any) -> dict[str, Any]:
    """A VirtualService that divides requests between two Services."""
    to = [
        {"destination": {"host": name}, "weight": weight}
        for name, weight in (("cart", first), ("cart-canary", 100 - first))
    ]
    return {
        "apiVersion": "networking.istio.io/v1beta1",
        "kind": "VirtualService",
        "metadata": {"name": "cart"},
        "spec": {"hosts": ["cart"], "http": [{"route": to, **more}]},
    }


def versioned(route: str, *subsets: str) -> list[dict[str, Any]]:
    """A host outside, a VirtualService that leads to one subset of it, and the DestinationRule with several."""
    to = {"destination": {"host": "stock.example.com", "subset": route}}
    port = {"number": 80, "name": "http", "protocol": "HTTP"}
    specs = {
        "ServiceEntry": {"hosts": ["stock.example.com"], "ports": [port], "resolution": "DNS"},
        "VirtualService": {"hosts": ["stock.example.com"], "http": [{"route": [to]}]},
        "DestinationRule": {"host": "stock.example.com", "subsets": [{"name": one} for one in subsets]},
    }
    version = "networking.istio.io/v1beta1"
    return [
        {"apiVersion": version, "kind": kind, "metadata": {"name": "stock"}, "spec": spec}
        for kind, spec in specs.items()
    ]


def write(checkout: Checkout, name: str, *objects: Mapping[str, Any]) -> None:
    file = checkout.root / "apps" / f"{name}.yaml"
    file.parent.mkdir(exist_ok=True)
    file.write_text("---\n".join(map(documents.dump, objects)))


def content(whole: Mapping[str, Any]) -> dict[str, Any]:
    """An object of the cluster without what differs between two that are alike: its namespace and addresses, and the
    annotations of the stack."""
    found = cleaned(whole)
    meta = found["metadata"]
    notes = {key: value for key, value in (meta.pop("annotations", None) or {}).items() if key not in OF_THE_STACK}
    spec = {key: value for key, value in (found.get("spec") or {}).items() if key not in ("clusterIP", "clusterIPs")}
    spec.pop("nodeName", None)
    text = json.dumps({**found, "spec": spec, "metadata": {**meta, "annotations": notes, "namespace": ""}})
    # What Jobs and Pods get anew each time.
    text = re.sub(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|kube-api-access-\w{5}", "", text)
    return dict(json.loads(text))


@pytest.fixture(scope="module")
def drawn() -> list[dict[str, Any]]:
    return list(Drawing(SEED).objects(DRAWN))


def test_what_stands_is_what_kubectl_applies_of_the_same_files(checkout: Checkout, drawn: list[dict[str, Any]]) -> None:
    write(checkout, "drawn", *drawn)
    write(checkout, "route", *CANARY, route(90))
    write(checkout, "stock", *versioned("v1", "v1", "v2"))
    shared = {"object": "VirtualService cart", "fields": [WEIGHT], "by": "flagger"}
    app = {"namespace": "shop", "manifests": ["apps"], "ownedByOthers": [shared]}
    checkout.small(injectedNamespaces={"shop": "create"}, apps={"shop": app})
    checkout.make("up")
    for state in (checkout.home / "state").rglob("*.json"):
        assert SECRET not in state.read_text()
    file = str(checkout.root / "apps" / "drawn.yaml")
    checkout.kubectl("create", "namespace", "plain")
    listed = [{**one, "metadata": {**cleaned(one)["metadata"], "namespace": "plain"}} for one in drawn]
    plain = checkout.root.parent / "plain.json"
    plain.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": listed}))
    checkout.kubectl("apply", "--server-side", "--filename", str(plain))
    theirs = json.loads(checkout.kubectl("get", "--filename", str(plain), "--output=json"))["items"]
    ours = json.loads(checkout.kubectl("get", "--namespace=shop", "--filename", file, "--output=json"))["items"]
    assert len(ours) == len(theirs) == DRAWN
    differences = {
        f"{one['kind']} {one['metadata']['name']}": found
        for one, other in zip(ours, theirs, strict=True)
        if one["kind"] != "Pod"  # istiod injects those of the stack's namespace
        and (found := list(Comparison().walk(content(other), content(one))))
    }
    assert not differences
    # What the API server has filled in is no difference for `make parity` and `make adopt` either.
    assert not list(compare.differences(theirs, listed))
    checkout.kubectl("delete", "namespace", "plain")


def test_nothing_drifts(checkout: Checkout) -> None:
    checkout.kubectl("scale", "deployment/drawn-0", "--namespace=shop", "--replicas=3")
    checkout.kubectl("rollout", "status", "deployment/drawn-0", "--namespace=shop", "--timeout=60s")
    move(checkout, 30)
    assert re.fullmatch(r"Resources: \d+ unchanged", counts(checkout.make("up", NO_CHANGES)))
    checkout.make("preview", "ARGS=--refresh --expect-no-changes")


def standing(checkout: Checkout) -> dict[str, Any]:
    """The VirtualService as it is on the cluster."""
    found: dict[str, Any] = json.loads(
        checkout.kubectl("get", "virtualservice/cart", "--namespace=shop", "--output=json")
    )
    return found


def move(checkout: Checkout, weight: int, **more: Any) -> None:
    """Moves the weight as a controller does, which writes the whole list."""
    patch = json.dumps({"spec": {"http": route(weight, **more)["spec"]["http"]}})
    options = ("--namespace=shop", "--type=merge", "--field-manager=flagger")
    checkout.kubectl("patch", "virtualservice/cart", *options, f"--patch={patch}")


def test_a_weight_that_another_controller_moves_stays_when_the_timeout_beside_it_changes(checkout: Checkout) -> None:
    write(checkout, "route", *CANARY, route(90, timeout="7s"))
    shown = checkout.make("preview", "ARGS=--diff")
    assert "timeout" in shown
    assert "weight" not in shown
    assert "1 updated" in counts(checkout.make("up"))
    assert standing(checkout)["spec"]["http"] == route(30, timeout="7s")["spec"]["http"]


def test_a_route_more_and_another_version_of_the_api_leave_weight_and_object_as_they_are(checkout: Checkout) -> None:
    move(checkout, 20, timeout="7s")
    before = standing(checkout)["metadata"]["uid"]
    new = {"match": [{"uri": {"prefix": "/new"}}], "route": [{"destination": {"host": "cart-canary"}}]}
    whole = {**route(90, timeout="7s"), "apiVersion": "networking.istio.io/v1alpha3"}
    whole["spec"]["http"].insert(0, new)
    write(checkout, "route", *CANARY, whole)
    write(checkout, "stock", *versioned("v2", "v2"))
    assert "3 updated" in counts(checkout.make("up"))
    get = ("get", "virtualservice/stock", "destinationrule/stock", "--namespace=shop", "--output=json")
    led, rule = (int(one["metadata"]["resourceVersion"]) for one in json.loads(checkout.kubectl(*get))["items"])
    assert led < rule, "the subset v1 went away while requests were led to it"
    found = standing(checkout)
    assert found["metadata"]["uid"] == before
    assert [[one.get("weight") for one in http["route"]] for http in found["spec"]["http"]] == [[None], [20, 80]]
    checkout.make("preview", "ARGS=--refresh --expect-no-changes")


def test_objects_that_others_made_are_refused_until_they_are_adopted_as_they_stand(checkout: Checkout) -> None:
    till = [{**one, "metadata": {"name": "till"}} for one in Drawing(SEED).objects(6)]
    canary = {**route(70), "metadata": {"name": "till"}}
    canary["spec"]["hosts"] = ["till"]
    write(checkout, "till", *till, canary)
    file = str(checkout.root / "apps" / "till.yaml")
    checkout.kubectl("apply", "--namespace=shop", "--filename", file)
    patch = json.dumps({"spec": {"http": route(5)["spec"]["http"]}})
    checkout.kubectl("patch", "virtualservice/till", "--namespace=shop", "--type=merge", f"--patch={patch}")
    app = checkout.given("apps")["shop"]
    shared = [*app["ownedByOthers"], {"object": "VirtualService till", "fields": [WEIGHT], "by": "flagger"}]
    checkout.set(apps={"shop": {**app, "ownedByOthers": shared}})
    for target in ("preview", "up"):
        text = checkout.make(target, code=2)
        assert "mesh-dev: 7 objects already exist, created by others: ConfigMap shop/till by kubectl" in text
        assert "make adopt" in text
    before = checkout.kubectl(
        "get", "--namespace=shop", "--filename", file, "--output=jsonpath={.items[*].metadata.uid}"
    )
    assert "no difference" in checkout.make("adopt")
    assert re.fullmatch(r"Resources: \d+ unchanged", counts(checkout.make("up", NO_CHANGES)))
    after = checkout.kubectl(
        "get", "--namespace=shop", "--filename", file, "--output=jsonpath={.items[*].metadata.uid}"
    )
    assert after == before
    stands = json.loads(checkout.kubectl("get", "virtualservice/till", "--namespace=shop", "--output=json"))
    assert [to["weight"] for to in stands["spec"]["http"][0]["route"]] == [5, 95]


def test_an_object_that_the_stack_makes_already_is_refused_before_anything_is_touched(checkout: Checkout) -> None:
    write(checkout, "own", {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "bookinfo-reviews"}})
    checkout.set(bookinfo={"namespace": "shop"})
    for target in ("preview", "analyze"):
        text = checkout.make(target, code=2)
        assert "ServiceAccount shop/bookinfo-reviews comes from mesh:bookinfo and from apps/own.yaml:1" in text
    checkout.set(bookinfo=False)
    (checkout.root / "apps" / "own.yaml").unlink()


def test_down_leaves_nothing_of_an_app(checkout: Checkout) -> None:
    checkout.make("down")
    assert "shop" not in " ".join(checkout.objects())
    checkout.reset_files()
