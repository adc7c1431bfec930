"""The injection gate with the real engine: it stays closed while istiod is down."""

from tests.e2e.conftest import SECOND_IS_LONG, Checkout

pytestmark = SECOND_IS_LONG


def test_no_workload_is_created_while_istiod_is_down_even_if_its_webhook_is_patched(checkout: Checkout) -> None:
    checkout.set(bookinfo=False, addons=None, analysis=None)
    checkout.make("up")
    checkout.kubectl("scale", "deployment/istiod", "--namespace=istio-system", "--replicas=0")
    checkout.set(bookinfo={"namespace": "default"})
    text = checkout.make("up", code=None)
    # The preview ends before the gate does: the API server asks istiod about the routes.
    assert "If it is scaled to zero, `kubectl scale deployment/istiod" in text
    assert checkout.kubectl("get", "deployments", "--namespace=default", "--output=name") == ""

    checkout.kubectl("scale", "deployment/istiod", "--namespace=istio-system", "--replicas=1")
    checkout.kubectl("rollout", "status", "deployment/istiod", "--namespace=istio-system", "--timeout=60s")
    assert "errored" not in checkout.make("up")
    checkout.make("preview", "ARGS=--refresh --expect-no-changes")


def test_a_manually_injected_sidecar_is_shown_in_the_preview(checkout: Checkout) -> None:
    checkout.set(injectedNamespaces={"default": {"ownership": "existing", "injection": "manual"}})
    text, chosen = checkout.make("preview"), checkout.as_cloned.settings
    assert f'"{chosen.hub}/proxyv2:{chosen.tag}"' in text
    assert "istio-init" in text
    checkout.make("down")
