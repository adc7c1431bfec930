"""The injection gate with the real engine: it stays closed while istiod is down."""

from tests.e2e.conftest import Checkout


def test_no_workload_is_created_while_istiod_is_down_even_if_its_webhook_is_patched(checkout: Checkout) -> None:
    checkout.set(bookinfo=False)
    checkout.make("up")
    checkout.kubectl("scale", "deployment/istiod", "--namespace=istio-system", "--replicas=0")
    checkout.reset_files()
    text = checkout.make("up", code=None)
    assert "reviews-v1 would start without a sidecar: Deployment istio-system/istiod has no available pod" in text
    assert checkout.kubectl("get", "deployments", "--namespace=default", "--output=name") == ""

    checkout.kubectl("scale", "deployment/istiod", "--namespace=istio-system", "--replicas=1")
    checkout.kubectl("rollout", "status", "deployment/istiod", "--namespace=istio-system", "--timeout=60s")
    assert "errored" not in checkout.make("up")
    checkout.make("preview", "ARGS=--refresh --expect-no-changes")


def test_a_manually_injected_sidecar_is_shown_in_the_preview(checkout: Checkout) -> None:
    checkout.set(injectedNamespaces={"default": {"ownership": "existing", "injection": "manual"}})
    text = checkout.make("preview")
    checkout.reset_files()
    assert '"docker.io/istio/proxyv2:1.10.3"' in text
    assert "istio-init" in text
    checkout.make("down")
