"""Loading a stack: it is compiled once, and each object has its config key."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import pytest

from commands import analyze, map, policy, precheck, render, report, stackfiles, stacks
from mesh.analysis.analyse import analyse
from mesh.analysis.objects import Object
from mesh.config import loading
from mesh.config.settings import Settings
from mesh.core.names import DEFAULT_NAMES
from mesh.security import config as security
from mesh.traffic import config as traffic

pytestmark = pytest.mark.slow

CONFIG: Mapping[str, Any] = {
    "profile": "demo",
    "injectedNamespaces": {
        "default": "existing",
        "shop": "create",
        "bare": {"ownership": "create", "injection": "manual"},
    },
    "namespaces": {"plain": "create", "edge": "create"},
    "gateways": {"edge-gateway": {"namespace": "edge"}},
    "cni": {"enabled": True},
    "addons": ["prometheus", "grafana", "jaeger", "kiali"],
    "bookinfo": True,
    "traffic": {
        "services": {
            "reviews": {"versions": ["v1"], "limit": {"requests": 5, "per": "second", "scope": "global"}},
        }
    },
    "security": {"mtls": {"namespaces": {"shop": "STRICT"}}, "authorization": {"defaultDeny": True}},
}
KEYS = {
    "Namespace shop": "injectedNamespaces.shop",
    "Namespace default": "injectedNamespaces.default",
    "Namespace bare": "injectedNamespaces.bare",
    "Namespace plain": "namespaces.plain",
    "Namespace edge": "namespaces.edge",
    "Namespace istio-system": "base",
    "Deployment istio-system/istiod": "pilot",
    "Deployment istio-system/istio-ingressgateway": "gateways.istio-ingressgateway",
    "Service edge/edge-gateway": "gateways.edge-gateway",
    "DaemonSet istio-system/istio-cni-node": "cni",
    **{f"Deployment istio-system/{name}": f"addons.{name}" for name in ("prometheus", "grafana", "jaeger", "kiali")},
    "Deployment default/reviews-v1": "bookinfo",
    "VirtualService default/bookinfo": "bookinfo",
    "Deployment istio-system/ratelimit": "rateLimit",
    "DestinationRule default/reviews": "traffic.services.reviews",
    "EnvoyFilter default/reviews-limit": "traffic.services.reviews.limit",
    "PeerAuthentication shop/namespace-shop": "security.mtls.namespaces.shop",
    "AuthorizationPolicy default/ratings": "security.authorization.bookinfo",
    "AuthorizationPolicy shop/shop-default-deny": "security.authorization",
}


def text(config: Mapping[str, Any]) -> dict[str, str]:
    """The config in Pulumi's format."""
    return {f"mesh:{key}": value if isinstance(value, str) else json.dumps(value) for key, value in config.items()}


@cache
def objects() -> dict[str, Object]:
    """The objects of a stack that uses many settings, with their config keys."""
    config = text(CONFIG)
    stack = loading.load(config)
    return {str(thing.ref): thing for thing in stack.with_origins(analyze.objects(render.record("x", config, stack)))}


@pytest.mark.parametrize("ref", KEYS)
def test_an_object_has_the_config_key_that_it_comes_from(ref: str) -> None:
    assert objects()[ref].origin == f"mesh:{KEYS[ref]}"


def test_a_remote_control_plane_has_its_config_key() -> None:
    remote = {"injectionURL": "https://istiod.example.com/inject"}
    config = text({"profile": "external", "injectedNamespaces": {"shop": "create"}, "istiodRemote": remote})
    made = {str(thing.ref): thing.origin for thing in analyze.objects(render.record("x", config))}
    assert made["MutatingWebhookConfiguration istio-sidecar-injector"] == "mesh:istiodRemote"


@pytest.mark.parametrize("key", ["namespaces.plain", "injectedNamespaces.bare"])
def test_a_finding_on_a_namespace_names_the_key_that_declares_it(key: str) -> None:
    found = [f for f in analyse(objects().values(), DEFAULT_NAMES) if f.code == "IST0102"]
    assert f"mesh:{key}" in {f.origin for f in found}


@pytest.fixture
def done(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Counts how often settings are validated, and traffic and security are compiled."""
    calls = Counter[str]()

    def count(owner: Any, name: str, what: str) -> None:
        original = getattr(owner, name)

        def counted(*args: Any, **named: Any) -> Any:
            calls[what] += 1
            return original(*args, **named)

        monkeypatch.setattr(owner, name, counted)

    count(Settings, "model_validate", "settings")
    count(traffic, "parts", "traffic")
    count(security, "parts", "security")
    return calls


@pytest.mark.parametrize(
    "run",
    [
        lambda: render.record("hardened"),
        lambda: analyze.findings("hardened"),
        lambda: policy.findings("hardened"),
        lambda: map.of("hardened"),
        lambda: report.of("hardened", "HEAD"),
        lambda: precheck._plan("hardened", stacks.load("hardened")),
    ],
    ids=["render", "analyze", "policy", "map", "report", "precheck"],
)
def test_a_command_compiles_the_stack_once(
    run: Callable[[], object], done: Counter[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("commands.sources._rendered", lambda *_: ())  # the base's own code, in a process of its own
    run()
    assert done == {"settings": 1, "traffic": 1, "security": 1}


def test_the_short_forms_of_the_ingress_gateway_take_no_second_validation(done: Counter[str]) -> None:
    assert {"mesh:gatewayServiceType", "mesh:ingressNodePorts"} <= stackfiles.config("dev").keys()
    stacks.load("dev")
    assert done["settings"] == 1
