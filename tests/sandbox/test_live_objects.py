"""How the live data plane reads a stack's objects, and what it leaves out."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mesh.traffic import envoy
from mesh.traffic.rate_limits import Limit
from sandbox.live import certificates, sync, translate
from sandbox.live.folder import Folder
from tests.sandbox.snapshots import INGRESS, PLAN, custom, seen, service


def test_pilot_gets_objects_without_fields_of_the_api_server() -> None:
    [one] = translate.objects(seen(custom("VirtualService", {"hosts": ["reviews"]})), PLAN)
    assert one["spec"] == {"hosts": ["reviews"]}
    assert one["metadata"] == {"name": "one", "namespace": "default"}


def test_mutual_tls_is_removed_everywhere_and_reported() -> None:
    mutual, simple = {"tls": {"mode": "ISTIO_MUTUAL"}}, {"tls": {"mode": "SIMPLE"}}
    subsets = [{"name": "v1", "trafficPolicy": {**mutual, "loadBalancer": {"simple": "RANDOM"}}}]
    ours = custom("DestinationRule", {"host": "reviews", "trafficPolicy": mutual, "subsets": subsets}, "ours")
    others = custom("DestinationRule", {"host": "example.com", "trafficPolicy": simple}, "others")
    snapshot = seen(ours, others)
    first, second = translate.objects(snapshot, PLAN)
    cleaned = [{"name": "v1", "trafficPolicy": {"loadBalancer": {"simple": "RANDOM"}}}]
    assert first["spec"] == {"host": "reviews", "subsets": cleaned}
    assert second["spec"]["trafficPolicy"] == simple
    [names] = translate.left_out(snapshot, PLAN).values()
    assert names == ["DestinationRule default/ours"]


def test_settings_of_a_port_that_are_mutual_tls_alone_are_removed_whole() -> None:
    port = {"port": {"number": 80}, "tls": {"mode": "ISTIO_MUTUAL", "sni": "old.example.com"}}
    subset = {"name": "old", "trafficPolicy": {"portLevelSettings": [port]}}
    [one] = translate.objects(seen(custom("DestinationRule", {"host": "egress", "subsets": [subset]})), PLAN)
    assert one["spec"] == {"host": "egress", "subsets": [{"name": "old"}]}


PLAIN = {"port": {"number": 80}, "hosts": ["*"]}
SECURE = {
    "port": {"number": 443},
    "hosts": ["default/books.example.com"],
    "tls": {"mode": "SIMPLE", "credentialName": "page"},
}
SELECTOR = {"selector": {"istio": "ingressgateway"}}
PAIR = {"tls.crt": "Y2hhaW4=", "tls.key": "a2V5"}


def test_a_server_whose_secret_is_missing_is_left_out_and_reported() -> None:
    both = custom("Gateway", {**SELECTOR, "servers": [PLAIN, SECURE]}, "both")
    snapshot = seen(both, custom("Gateway", {**SELECTOR, "servers": [SECURE]}, "secure"))
    [one] = translate.objects(snapshot, PLAN)
    assert one["spec"]["servers"] == [PLAIN]
    [names] = translate.left_out(snapshot, PLAN).values()
    assert names == ["Gateway default/both", "Gateway default/secure"]


@pytest.mark.parametrize("pair", [PAIR, {"cert": "Y2hhaW4=", "key": "a2V5"}])
def test_a_secret_is_written_to_files_for_its_gateway(pair: dict[str, str], folder: Folder) -> None:
    ports = [{"name": "https", "port": 443, "targetPort": 8443, "nodePort": 31443}]
    snapshot = seen(
        service(INGRESS.name, INGRESS.namespace, ports),
        custom("Gateway", {**SELECTOR, "servers": [SECURE]}),
        secrets={("istio-system", "page"): pair},
    )
    assert translate.left_out(snapshot, PLAN) == {}
    sync.write(snapshot, PLAN, folder)
    chain, key = sorted(folder.certificates.iterdir())
    assert (chain.read_text(), key.read_text()) == ("chain", "key")
    assert key.stat().st_mode & 0o077 == 0
    [one] = certificates.filters(snapshot, PLAN, folder)
    [patch] = one["spec"]["configPatches"]
    assert patch["match"]["listener"] == {"portNumber": 8443, "filterChain": {"sni": "books.example.com"}}
    assert str(key) in json.dumps(patch["patch"]["value"])
    sync.write(seen(), PLAN, folder)
    assert list(folder.certificates.iterdir()) == []


@pytest.mark.parametrize("secret", [{}, {"tls.crt": "Y2hhaW4="}, {"tls.crt": "Y2hhaW4=", "tls.key": "no base64"}])
def test_a_secret_without_certificate_and_key_counts_as_missing(secret: dict[str, str]) -> None:
    gateway = custom("Gateway", {**SELECTOR, "servers": [SECURE]})
    assert list(translate.objects(seen(gateway, secrets={("istio-system", "page"): secret}), PLAN)) == []


def policy(name: str, namespace: str = "default", **spec: Any) -> dict[str, Any]:
    return custom("AuthorizationPolicy", spec, name, namespace)


BY_CALLER: dict[str, Any] = {"rules": [{"from": [{"source": {"principals": ["cluster.local/ns/default/sa/reviews"]}}]}]}
BY_CONDITION: dict[str, Any] = {"rules": [{"when": [{"key": "source.principal", "values": ["*"]}]}]}
BY_PATH: dict[str, Any] = {"rules": [{"to": [{"operation": {"paths": ["/admin"]}}]}]}


def test_policies_without_identity_conditions_are_applied() -> None:
    names = [
        one["metadata"]["name"] for one in translate.objects(seen(policy("deny-all"), policy("p", **BY_PATH)), PLAN)
    ]
    assert names == ["deny-all", "p"]


@pytest.mark.parametrize("asking", [BY_CALLER, BY_CONDITION])
def test_all_allow_policies_of_a_namespace_are_left_out_if_one_needs_an_identity(asking: dict[str, Any]) -> None:
    snapshot = seen(
        policy("deny-all"),
        policy("by-caller", **asking),
        policy("no-admin", action="DENY", **BY_PATH),
        policy("not-him", action="DENY", **asking),
    )
    assert [one["metadata"]["name"] for one in translate.objects(snapshot, PLAN)] == ["no-admin"]
    [names] = translate.left_out(snapshot, PLAN).values()
    assert [name.rpartition("/")[2] for name in names] == ["deny-all", "by-caller", "not-him"]


def test_allow_policies_of_other_namespaces_are_applied_but_not_mesh_wide_ones() -> None:
    at_the_edge = {"selector": {"matchLabels": {"istio": "ingressgateway"}}, **BY_PATH}
    snapshot = seen(
        policy("by-caller", **BY_CALLER),
        policy("deny-all", "istio-system"),
        policy("edge", "istio-system", **at_the_edge),
        policy("other", "other", **BY_PATH),
    )
    assert [one["metadata"]["name"] for one in translate.objects(snapshot, PLAN)] == ["edge", "other"]


def test_a_mesh_wide_allow_policy_that_needs_an_identity_affects_all_namespaces() -> None:
    snapshot = seen(policy("by-caller", "istio-system", **BY_CALLER), policy("other", "other", **BY_PATH))
    assert list(translate.objects(snapshot, PLAN)) == []


def envoy_filter(*patches: dict[str, Any]) -> dict[str, Any]:
    return custom("EnvoyFilter", {"configPatches": list(patches)})


def patch(version: str = "", value: str = "envoy.filters.http.local_ratelimit") -> dict[str, Any]:
    return {"match": {"proxy": {"proxyVersion": version}}, "patch": {"value": {"name": value}}}


def test_envoy_filters_are_matched_with_the_installed_version() -> None:
    given = envoy_filter(patch("^1\\.9.*"), patch("^1\\.10.*"), patch())
    [one] = translate.objects(seen(given), PLAN)
    assert one["spec"]["configPatches"] == [patch("^1\\.10.*"), patch()]


@pytest.mark.parametrize("value", ["envoy.wasm.stats", "istio.metadata_exchange", "istio.stackdriver"])
def test_envoy_filters_with_istios_extensions_are_left_out_and_reported(value: str) -> None:
    snapshot = seen(envoy_filter(patch(value=value)))
    assert list(translate.objects(snapshot, PLAN)) == []
    assert list(translate.left_out(snapshot, PLAN).values()) == [["EnvoyFilter default/one"]]


def test_a_global_rate_limit_is_left_out_and_reported() -> None:
    limit = Limit(requests=1, scope="global")
    asking, rest = envoy.global_filter("GATEWAY", deny=True), [envoy.global_route("shop.0", "hosts.shop.0", limit)]
    local = envoy.local_filter("GATEWAY", limit)
    snapshot = seen(envoy_filter(local, asking, *rest))
    [one] = translate.objects(snapshot, PLAN)
    assert one["spec"]["configPatches"] == [local, *rest], "denied, for want of an answer, would be every request"
    [(reason, names)] = translate.left_out(snapshot, PLAN).items()
    assert reason.startswith("global limits: the rate-limit service")
    assert names == ["EnvoyFilter default/one"]


def test_an_envoy_filter_with_global_limits_only_is_reported_once() -> None:
    snapshot = seen(envoy_filter(envoy.global_filter("GATEWAY", deny=False)))
    assert list(translate.objects(snapshot, PLAN)) == []
    assert list(translate.left_out(snapshot, PLAN).values()) == [["EnvoyFilter default/one"]]


def test_a_local_rate_limit_is_not_reported_as_left_out() -> None:
    snapshot = seen(envoy_filter(envoy.local_filter("GATEWAY", Limit(requests=1))))
    assert translate.left_out(snapshot, PLAN) == {}


def test_mesh_config_fields_about_traffic_are_kept() -> None:
    config = "accessLogFile: /dev/stdout\nenableAutoMtls: true\ntrustDomain: td\nrootNamespace: mesh-root\n"
    made = translate.mesh_config(seen(mesh_config=config), PLAN)
    assert made["accessLogFile"] == "/dev/stdout"
    assert made["rootNamespace"] == "mesh-root"
    assert made["enableAutoMtls"] is False
    assert "trustDomain" not in made
