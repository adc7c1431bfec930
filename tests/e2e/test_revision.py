"""What an Istio that is gone has left, and a changed revision under sidecars that run. Each test continues from the
previous one."""

from __future__ import annotations

import re

from tests.e2e.conftest import SECOND_IS_LONG, Checkout
from tests.e2e.test_teardown import SHOP, cart, sidecar

pytestmark = SECOND_IS_LONG
VALIDATOR = {
    "apiVersion": "admissionregistration.k8s.io/v1",
    "kind": "ValidatingWebhookConfiguration",
    "metadata": {"name": "istio-validator-istio-system"},
    "webhooks": [
        {
            "name": "rev.validation.istio.io",
            "clientConfig": {"service": {"name": "istiod", "namespace": "istio-system", "path": "/validate"}},
            "rules": [
                {
                    "apiGroups": ["networking.istio.io"],
                    "apiVersions": ["*"],
                    "operations": ["CREATE", "UPDATE"],
                    "resources": ["*"],
                }
            ],
            "failurePolicy": "Fail",
            "sideEffects": "None",
            "admissionReviewVersions": ["v1"],
        }
    ],
}


def test_a_validator_that_an_istio_left_is_found_before_anything_is_touched(checkout: Checkout) -> None:
    checkout.make("sandbox")
    checkout.apply(VALIDATOR)
    before = checkout.objects()
    found = checkout.make("precheck", code=None)
    assert "istio-validator-istio-system" in found
    assert re.search(r"^owner +error  ", found, re.MULTILINE), found
    text = checkout.make("up", code=None)
    assert "its Service istio-system/istiod does not exist" in text
    assert checkout.objects() == before
    command = re.search(rf"`kubectl (delete \S+ \S+) --context {checkout.context}`", text)
    assert command, text
    checkout.kubectl(*command[1].split())


def test_a_revision_is_refused_while_pods_ask_the_old_control_plane(checkout: Checkout) -> None:
    checkout.small()
    checkout.make("up")
    checkout.apply(SHOP, cart(sidecar("istiod.istio-system.svc:15012")))
    checkout.kubectl("rollout", "status", "deployment/cart", "--namespace=shop", "--timeout=60s")
    before = checkout.objects()
    checkout.small(revision="canary")
    text = checkout.make("up", code=None)
    why = "since the update deletes the Service istio-system/istiod"
    assert f"1 pod would keep a sidecar without a control plane, {why}: shop/cart-" in text
    assert "docs/upgrade.md" in text
    assert checkout.objects() == before


def test_it_goes_on_when_they_ask_another(checkout: Checkout) -> None:
    checkout.apply(cart(sidecar("istiod-canary.istio-system.svc:15012")))
    checkout.kubectl("rollout", "status", "deployment/cart", "--namespace=shop", "--timeout=60s")
    checkout.make("up")
    services = checkout.kubectl("get", "services", "--namespace=istio-system", "--output=name").split()
    assert services == ["service/istiod-canary"]
    checkout.kubectl("delete", "namespace", "shop")
    checkout.make("down")
