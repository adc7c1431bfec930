"""Fields that others set in the stack's objects are neither shown as drift nor reverted."""

from __future__ import annotations

import json
import re

from tests import owned
from tests.e2e.conftest import NO_CHANGES, SECOND_IS_LONG, Checkout, counts

REPLICAS = 3


@SECOND_IS_LONG
def test_fields_that_others_have_set_are_not_shown_as_drift(checkout: Checkout) -> None:
    checkout.set(profile="default", bookinfo=False, gatewayServiceType="LoadBalancer", ingressNodePorts=None)
    checkout.set(addons=None, analysis=None)
    checkout.make("up")
    # as the autoscaler does, which has no measurements on a simulated cluster
    scaled = ("istiod", "istio-ingressgateway")
    for name in scaled:
        checkout.kubectl("scale", f"deployment/{name}", "--namespace=istio-system", f"--replicas={REPLICAS}")
    for row in owned.fields():
        found = json.loads(checkout.kubectl("get", row.kind, "--namespace=istio-system", "--output=json"))["items"]
        assert any(True for manifest in found for _ in row.values(manifest)), f"nobody has set {row}"
    for target in ("preview", "refresh", "up"):
        assert re.fullmatch(r"Resources: \d+ unchanged", counts(checkout.make(target, NO_CHANGES))), target
    checkout.make("preview", "ARGS=--refresh --expect-no-changes")
    for name in scaled:
        path = "--output=jsonpath={.spec.replicas}"
        assert checkout.kubectl("get", f"deployment/{name}", "--namespace=istio-system", path) == str(REPLICAS)
