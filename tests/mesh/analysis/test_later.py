"""What is right in a release beside what istioctl finds, or would find: claims of tokens, access logs, injection,
targets of policies."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from mesh import releases
from mesh.analysis.analyse import analyse
from mesh.analysis.mesh import Mesh
from mesh.analysis.objects import Object
from mesh.analysis.rules.envoy_filters import patched
from mesh.core.names import DEFAULT_NAMES, GATEWAY_NAME_LABEL
from tests import meshes
from tests.faults import TOKENS
from tests.faults_of_later import CLAIM, EVERYWHERE, attached, injector, telemetry, with_proxy
from tests.faults_of_requests import visitors
from tests.meshes import Manifest, deployment, gateway, manifest_of, routes, server, service, to

LATEST = releases.NAMES[-1]
LOG: Manifest = {"filter": {"expression": "response.code >= 400"}}
TO_ENVOY: Manifest = {"providers": [{"name": "envoy"}]}


def codes(*objects: Manifest, release: str = LATEST) -> list[str]:
    names = replace(DEFAULT_NAMES, release=release)
    return [f.code for f in analyse([Object.read(one) for one in meshes.changed(objects)], names)]


def asking(**more: Any) -> Manifest:
    """Routes that ask for a claim, and have other gateways as well."""
    match = [{"headers": CLAIM, **more}]
    return routes(
        "visitors",
        to("front", timeout="1s", match=match),
        to("front"),
        hosts=["shop.example.com"],
        gateways=["way-in", "other"],
    )


def proving(selector: Manifest, namespace: str = "istio-system") -> Manifest:
    rules = [{"issuer": "a", "jwks": '{"keys": []}'}]
    return manifest_of("RequestAuthentication", "tokens", {**selector, "jwtRules": rules}, namespace)


@pytest.mark.parametrize(
    ("policies", "found"),
    [
        ([proving({"selector": {"matchLabels": {"istio": "ingress"}}})], []),
        ([proving({})], []),
        ([proving({}, "shop")], ["IST0149"]),
        ([TOKENS[0] | {"spec": {"selector": {"matchLabels": {"istio": "ingress"}}}}], ["IST0149"]),
    ],
    ids=["its pods", "the mesh", "another namespace", "no issuer"],
)
def test_a_gateway_proves_the_tokens_for_which_an_authentication_is(policies: list[Manifest], found: list[str]) -> None:
    assert codes(visitors(to("front", timeout="1s", match=[{"headers": CLAIM}]), to("front")), *policies) == found


def test_a_match_for_one_gateway_asks_no_other_for_claims() -> None:
    pods = deployment("edge", {"istio": "edge"}, "istio-system", containers=with_proxy("proxyv2")[1:])
    other = gateway("other", server(80, ["shop.example.com"]), selector="edge")
    proven = proving({"selector": {"matchLabels": {"istio": "edge"}}})
    claims = [code for code in codes(pods, other, proven, asking(gateways=["other"])) if code == "IST0149"]
    assert (claims, "IST0149" in codes(pods, other, proven, asking())) == ([], True)


@pytest.mark.parametrize(
    ("telemetries", "found"),
    [
        ([telemetry("a", accessLogging=[TO_ENVOY])], []),
        ([telemetry("a", accessLogging=[{"disabled": True}])], []),
        ([telemetry("a", accessLogging=[TO_ENVOY]), telemetry("b", "front", accessLogging=[LOG])], []),
        ([telemetry("a", "cart", accessLogging=[TO_ENVOY]), telemetry("b", "front", accessLogging=[LOG])], ["IST0157"]),
    ],
    ids=["its own", "off", "of the namespace", "of another workload"],
)
def test_a_telemetry_logs_to_its_provider_or_to_one_that_it_inherits(
    telemetries: list[Manifest], found: list[str]
) -> None:
    assert codes(*telemetries) == found


def test_pods_that_a_label_or_a_setting_has_injected_may_leave_the_image_to_the_injector() -> None:
    waiting = [
        deployment("a", {"app": "a", "istio.io/rev": "default"}, "istio-system", containers=with_proxy("auto")),
        deployment("b", {"app": "b", "sidecar.istio.io/inject": "true"}, "istio-system", containers=with_proxy("auto")),
    ]
    plain = deployment("c", {"app": "c"}, "istio-system", containers=with_proxy("auto"))
    assert (codes(*waiting), codes(plain)) == ([], ["IST0146"])
    assert codes(plain, injector(sidecarInjectorWebhook=EVERYWHERE)) == []


@pytest.mark.parametrize(
    ("image", "annotations", "found"),
    [
        ("docker.io/istio/proxyv2:1.10.3", {}, []),
        ("docker.io/istio/proxyv2:1.10.3-distroless", {}, []),
        ("docker.io/istio/proxyv2:1.10.4", {}, ["IST0105"]),
        ("mine:1", {"sidecar.istio.io/proxyImage": "mine:1"}, []),
    ],
)
def test_a_proxy_in_a_template_is_of_the_injectors_version(
    image: str, annotations: dict[str, str], found: list[str]
) -> None:
    own = deployment(
        "front", {"app": "front"}, serviceAccountName="front", containers=with_proxy(image), annotations=annotations
    )
    assert codes(own, injector(), release="1.10") == found


def test_a_namespace_of_ambient_mode_needs_no_injection() -> None:
    labels = {"istio.io/dataplane-mode": "ambient"}
    assert codes(manifest_of("Namespace", "other", labels=labels)) == []


def test_an_injector_whose_values_are_no_json_says_nothing() -> None:
    assert codes(injector() | {"data": {"values": "{{ .Values }}"}}) == []


@pytest.mark.parametrize(
    "objects",
    [
        [manifest_of("Namespace", "shop", labels={"istio-injection": "enabled", "istio.io/use-waypoint": "w"})],
        [
            service("cart")
            | {"metadata": {"name": "cart", "namespace": "shop", "labels": {"istio.io/use-waypoint": "w"}}}
        ],
        [attached("Service", "elsewhere")],
        [attached("GatewayClass", "istio-waypoint", "gateway.networking.k8s.io")],
        [attached("Gateway", "elsewhere", "gateway.networking.k8s.io")],
        [
            attached("Gateway", "way-in", "gateway.networking.k8s.io"),
            manifest_of("Gateway", "way-in") | {"apiVersion": "gateway.networking.k8s.io/v1"},
            gateway("way-in", server(80, ["shop.example.com"])),
        ],
    ],
    ids=["waypoint of the namespace", "waypoint of the Service", "unknown", "class", "unknown Gateway", "two Gateways"],
)
def test_a_policy_may_be_for_what_a_waypoint_or_the_gateway_api_serves(objects: list[Manifest]) -> None:
    assert codes(attached("Service", "cart"), *objects) == []


def test_a_telemetry_for_a_target_is_none_of_the_namespace() -> None:
    targets = [{"kind": "Service", "name": "cart"}]
    assert codes(telemetry("a"), telemetry("b", targetRefs=targets)) == []


def test_a_policy_for_a_target_selects_no_pods_but_those_of_its_gateway() -> None:
    labelled = {"app": "edge", "gateway.networking.k8s.io/gateway-name": "edge"}
    pods = [deployment("edge", labelled), deployment("edge", labelled, "istio-system")]
    policies = [
        attached("Service", "cart"),
        attached("Gateway", "edge", "gateway.networking.k8s.io"),
        manifest_of(
            "EnvoyFilter",
            "y",
            {"targetRefs": [{"kind": "Service", "name": "cart"}], "configPatches": []},
            "istio-system",
        ),
    ]
    mesh = Mesh([Object.read(one) for one in [*meshes.valid_mesh(), *pods]], DEFAULT_NAMES)
    none, edge, filtered = (Object.read(one) for one in policies)
    assert (mesh.selected_by(none), patched(mesh, filtered)) == ([], [])
    assert [str(pod.object.ref) for pod in mesh.selected_by(edge)] == ["Deployment shop/edge"]


@pytest.mark.parametrize(("value", "said"), [("false", True), ("true", False)])
def test_selectors_count_at_gateways_of_the_gateway_api_unless_istiod_is_told_otherwise(value: str, said: bool) -> None:
    label = {GATEWAY_NAME_LABEL: "way"}
    told = [{"name": "discovery", "env": [{"name": "ENABLE_SELECTOR_BASED_K8S_GATEWAY_POLICY", "value": value}]}]
    istiod = deployment("istiod", {"app": "istiod"}, "istio-system", containers=told)
    istiod["metadata"]["labels"] = {"app": "istiod"}
    found = codes(
        istiod,
        deployment("way", label, containers=[{"name": "istio-proxy", "image": "proxyv2"}]),
        manifest_of("AuthorizationPolicy", "calls", {"selector": {"matchLabels": label}, "rules": [{}]}),
    )
    assert ("IST0166" in found) == said
