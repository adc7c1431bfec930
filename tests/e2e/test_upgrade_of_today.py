"""From 1.30 to 1.30 with another revision and other settings, both istiods real: `make upgrade TO=1.30 REVISION=blue
APPLY=1`, then `make up`, until the old control plane is gone. Each test continues from the previous one."""

from __future__ import annotations

import json
import socket
import ssl
from typing import Any, Final, NamedTuple

import pytest
import yaml

from tests.e2e.conftest import NO_CHANGES, Checkout, with_stacks

pytestmark = [with_stacks("today"), pytest.mark.long]
NEW: Final = "blue"
NEXT: Final = ("upgrade", "TO=1.30", f"REVISION={NEW}", "APPLY=1")
OTHER: Final = {
    "meshConfig": {"defaultConfig": {"concurrency": 3}},
    "global": {"proxy": {"resources": {"requests": {"cpu": "37m"}}}},
}
"""What differs between the control planes, apart from their names."""
IMAGE: Final = "registry.istio.io/release/proxyv2:1.30.3"


class Sidecar(NamedTuple):
    """What shows who injected a pod."""

    revision: str
    address: str
    """Where the proxy finds istiod, and its CA."""
    concurrency: str
    cpu: str
    image: str


OLD_ONE: Final = Sidecar("default", "istiod.istio-system.svc:15012", "", "100m", IMAGE)
NEW_ONE: Final = Sidecar(NEW, f"istiod-{NEW}.istio-system.svc:15012", "3", "37m", IMAGE)


def sidecars(checkout: Checkout) -> dict[str, Sidecar]:
    """The sidecars of the shop, by pod. Each pod has one."""
    pods = json.loads(checkout.kubectl("get", "pods", "--namespace=shop", "--output=json"))["items"]
    return {pod["metadata"]["uid"]: _sidecar(pod) for pod in pods if "deletionTimestamp" not in pod["metadata"]}


def _sidecar(pod: dict[str, Any]) -> Sidecar:
    (proxy,) = (one for one in pod["spec"]["initContainers"] if one["name"] == "istio-proxy")
    variables = {one["name"]: one.get("value", "") for one in proxy["env"]}
    config = yaml.safe_load(variables["PROXY_CONFIG"])
    address = variables["CA_ADDR"]
    assert config.get("discoveryAddress", address) == address
    revision = pod["metadata"]["annotations"]["istio.io/rev"]
    cpu = proxy["resources"]["requests"]["cpu"]
    return Sidecar(revision, address, str(config.get("concurrency", "")), cpu, proxy["image"])


def trusted(checkout: Checkout) -> str:
    """The certificate of the CA that the pods of the shop trust."""
    text = checkout.kubectl("get", "configmap/istio-ca-root-cert", "--namespace=shop", "--output=json")
    return str(json.loads(text)["data"]["root-cert.pem"])


def check_certificate(checkout: Checkout, service: str, root: str) -> None:
    """Connects to an istiod as a proxy does, which trusts this root alone."""
    at = checkout.kubectl("get", "service", service, "--namespace=istio-system", "--output=jsonpath={.spec.clusterIP}")
    context = ssl.create_default_context(cadata=root)
    with socket.create_connection((at, 15012), timeout=10) as plain:
        context.wrap_socket(plain, server_hostname=f"{service}.istio-system.svc").close()


def control_planes(checkout: Checkout) -> list[str]:
    """What `make status` says of control planes: the revision, and whether it is real."""
    lines = checkout.make("status").splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith("control "))
    found = [line.split() for line in (lines[start].removeprefix("control"), *lines[start + 1 :])]
    return [f"{line[0]} {line[-1]}" for line in found if "supported" in line]


def stack_file(checkout: Checkout) -> str:
    return (checkout.root / "stacks" / "Pulumi.today.yaml").read_text()


def take(checkout: Checkout, step: str) -> None:
    """Takes the next step, which is to be this one."""
    assert f"next step: {step}\n" in checkout.make(*NEXT)
    checkout.make("up")


@pytest.fixture(scope="module")
def root(checkout: Checkout, before: set[str]) -> str:
    """The CA's certificate while the first control plane is alone, with an app."""
    assert before
    checkout.small(
        apps={"shop": {"namespace": "shop", "manifests": ["examples/shop/manifests/cart.yaml"]}},
        injectedNamespaces={"shop": "create"},
        timeout=60,
    )
    checkout.make("up")
    return trusted(checkout)


def test_a_second_control_plane_of_the_release_has_settings_of_its_own_and_the_same_ca(
    checkout: Checkout, root: str
) -> None:
    pods = sidecars(checkout)
    assert list(pods.values()) == [OLD_ONE] * 3
    assert "next step: control plane\n" in checkout.make(*NEXT)
    entry = checkout.given("controlPlanes")[NEW]
    assert entry == {"release": "1.30", "profile": "minimal"}
    checkout.set(controlPlanes={NEW: {**entry, **OTHER}})
    checkout.make("up")
    assert sidecars(checkout) == pods
    assert control_planes(checkout) == ["default real", f"{NEW} real"]
    check_certificate(checkout, "istiod", root)
    check_certificate(checkout, f"istiod-{NEW}", root)


def test_pods_move_to_the_new_istiod_and_back_and_again(checkout: Checkout, root: str) -> None:
    station = stack_file(checkout)
    take(checkout, "canary namespace")
    moved = stack_file(checkout)
    assert list(sidecars(checkout).values()) == [NEW_ONE] * 3
    for text, sidecar in ((station, OLD_ONE), (moved, NEW_ONE)):
        (checkout.root / "stacks" / "Pulumi.today.yaml").write_text(text)
        checkout.make("up")
        assert list(sidecars(checkout).values()) == [sidecar] * 3
    assert trusted(checkout) == root


def test_the_last_steps_take_the_old_control_plane_and_restart_no_pod(checkout: Checkout, root: str) -> None:
    pods = sidecars(checkout)
    take(checkout, "default tag")
    take(checkout, "old control plane")
    assert sidecars(checkout) == pods
    names = checkout.kubectl("get", "deployments", "--namespace=istio-system", "--output=name").split()
    assert names == [f"deployment.apps/istiod-{NEW}"]
    assert control_planes(checkout) == [f"{NEW} real"]
    assert {key: checkout.given(key) for key in ("revision", "controlPlanes", *OTHER)} == {
        "revision": NEW,
        "controlPlanes": None,
        **OTHER,
    }
    checkout.make("preview", NO_CHANGES)
    check_certificate(checkout, f"istiod-{NEW}", root)


def test_a_pod_of_somebody_else_is_injected_by_what_is_left(checkout: Checkout, root: str) -> None:
    checkout.kubectl("run", "guest", "--image=guest", "--namespace=shop")
    assert list(sidecars(checkout).values()) == [NEW_ONE] * 4
    assert trusted(checkout) == root
    checkout.kubectl("delete", "pod", "guest", "--namespace=shop")


def test_down_leaves_nothing_of_either(checkout: Checkout, before: set[str]) -> None:
    checkout.make("down")
    assert checkout.objects() == before
