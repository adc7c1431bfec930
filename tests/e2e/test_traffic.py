"""Traffic and security settings with the real engine and API server, and with Istio's own validation."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from typing import Any

import pytest
import yaml

from commands import render
from mesh.config.stack import Stack
from tests import traffic_configs
from tests.e2e.conftest import DEFAULT_RELEASE, NO_CHANGES, SECOND_IS_LONG, Checkout, counts
from tests.traffic_configs import EVERYTHING, SAMPLES, everything, sample
from toolchain.checkers import checkers

REVIEWS = {"services": {"reviews": {"versions": ["v1", "v2"], "route": {"v1": 90, "v2": 10}}}}
ELSEWHERE = [{"code": "IST0101", "object": "VirtualService *", "reason": "the services are somebody else's"}]

Validate = Callable[[list[dict[str, Any]]], str]


def manifests(stack: Stack) -> list[dict[str, Any]]:
    return [item.manifest(stack.installation.release.api) for item in (*stack.traffic, *stack.security)]


def name_of(item: dict[str, Any]) -> tuple[str, str, str]:
    """The kind, namespace and name of an object."""
    return item["kind"], item["metadata"]["namespace"], item["metadata"]["name"]


@pytest.fixture(scope="module")
def validate(tmp_path_factory: pytest.TempPathFactory) -> Validate:
    """The errors of `istioctl validate` for objects; empty if it accepts them."""
    istioctl, file = str(checkers() / "istioctl"), tmp_path_factory.mktemp("validate") / "objects.yaml"

    def run(objects: list[dict[str, Any]]) -> str:
        file.write_text(yaml.safe_dump_all(objects))
        command = [istioctl, "validate", "--filename", str(file)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        return "" if done.returncode == 0 else done.stdout + done.stderr

    return run


def test_istio_rejects_an_invalid_object(validate: Validate) -> None:
    [route] = [item for item in manifests(traffic_configs.load(REVIEWS)) if item["kind"] == "VirtualService"]
    route["spec"]["http"][0]["timeout"] = "1ns"
    assert "duration" in validate([route])


@pytest.mark.parametrize("name", sorted(file.stem for file in SAMPLES.glob("*.yaml")))
def test_istio_accepts_every_sample(validate: Validate, name: str) -> None:
    assert validate(manifests(traffic_configs.load(sample(name)))) == ""


@pytest.mark.parametrize("more", [{}, {"meshConfig": {"enableAutoMtls": False}}], ids=["auto", "told"])
def test_istio_accepts_every_traffic_and_security_setting(validate: Validate, more: dict[str, Any]) -> None:
    found = manifests(everything(**more))
    assert len({item["kind"] for item in found}) == 8
    assert validate(found) == ""


@pytest.mark.parametrize("name", ["dev", "hardened", "today", "production"])
def test_istio_accepts_a_shipped_stacks_objects(validate: Validate, name: str) -> None:
    found = [item for item in render.manifests(render.record(name)) if ".istio.io/" in item["apiVersion"]]
    assert found
    assert validate(found) == ""


@pytest.fixture(scope="module")
def before(checkout: Checkout) -> set[str]:
    """The objects on the cluster before the installation, with a namespace that the stack did not create."""
    checkout.make("sandbox")
    checkout.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}})
    checkout.small(traffic=REVIEWS)
    assert "IST0101 VirtualService default/reviews" in checkout.make("preview", code=None)
    checkout.set(analysis={"suppress": ELSEWHERE})
    return checkout.objects()


@SECOND_IS_LONG
def test_routes_and_versions_are_accepted_by_the_api_server(checkout: Checkout, before: set[str]) -> None:
    checkout.make("up")
    made = {" ".join(line.split()[:3]) for line in checkout.objects() - before}
    assert {"DestinationRule default reviews", "VirtualService default reviews"} <= made
    checkout.make("preview", NO_CHANGES)


@SECOND_IS_LONG
def test_a_canary_is_one_change_that_shows_its_weights(checkout: Checkout) -> None:
    checkout.set(traffic={"services": {"reviews": {"versions": ["v1", "v2"], "route": {"v1": 50, "v2": 50}}}})
    [step] = [step for step in checkout.preview()["steps"] if step["op"] != "same"]
    assert (step["op"], step["urn"].rpartition("::")[2]) == ("update", "reviews")
    shares = ["spec.http[0].route[0].weight", "spec.http[0].route[1].weight"]
    assert sorted(step["detailedDiff"]) == shares
    assert "~ 1 updated" in counts(checkout.make("up"))
    weights = checkout.kubectl("get", "virtualservice", "reviews", "-o=jsonpath={.spec.http[0].route[*].weight}")
    assert weights == "50 50"
    checkout.make("preview", "ARGS=--refresh --expect-no-changes")


@SECOND_IS_LONG
def test_invalid_traffic_settings_are_one_error_message_without_a_traceback(checkout: Checkout) -> None:
    checkout.set(traffic={"services": {"reviews": {"versions": ["v1", "v2"], "route": {"v1": 90, "v3": 20}}}})
    text = checkout.make("preview", code=None)
    assert "mesh:traffic.services.reviews.route" in text
    assert "Traceback" not in text


@SECOND_IS_LONG
def test_every_setting_is_stored_by_the_api_server_without_a_change(checkout: Checkout) -> None:
    checkout.set(profile="demo", gatewayServiceType="NodePort", **yaml.safe_load(EVERYTHING.read_text()))
    checkout.set(bookinfo=None)
    checkout.make("up")
    release = checkout.as_cloned.settings.release
    wanted = {name_of(item): item.get("spec", {}) for item in manifests(everything(bookinfo=False, release=release))}
    kinds = ",".join(sorted({item["kind"] for item in manifests(everything())}))
    items = json.loads(checkout.kubectl("get", kinds, "--all-namespaces", "--output=json"))["items"]
    found = {name_of(item): item.get("spec", {}) for item in items}
    assert {name: found.get(name) for name in wanted} == wanted
    checkout.make("preview", "ARGS=--refresh --expect-no-changes")


@DEFAULT_RELEASE
def test_bookinfos_default_gateway_and_one_of_the_traffic_settings_are_the_same_objects(checkout: Checkout) -> None:
    """Under another component, new resources would be applied over the old objects, and then deleted with the old
    resources."""
    way_in = {"hosts": {"bookinfo": {"hosts": ["*"], "routes": [{"to": {"service": "productpage", "port": 9080}}]}}}
    names = ("get", "gateway/bookinfo-gateway", "virtualservice/bookinfo", "-o=jsonpath={.items[*].metadata.uid}")
    checkout.reset_files()
    checkout.set(addons=None, analysis=None)
    checkout.make("up")
    uids = checkout.kubectl(*names)
    for bookinfo, traffic in (({"namespace": "default", "gateway": False}, way_in), ({"namespace": "default"}, None)):
        checkout.set(bookinfo=bookinfo, traffic=traffic)
        checkout.make("up")
        assert checkout.kubectl(*names) == uids
        checkout.make("preview", "ARGS=--refresh --expect-no-changes")


@SECOND_IS_LONG
def test_removing_the_settings_deletes_their_objects(checkout: Checkout, before: set[str]) -> None:
    checkout.make("down")
    assert checkout.objects() == before
