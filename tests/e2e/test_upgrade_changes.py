"""What is said of the newer release is what its own pilot makes of the same objects; and what others have on a cluster
is looked at."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from mesh import releases
from mesh.analysis.objects import Object
from mesh.core.merge import merged
from mesh.releases.release import Installation
from mesh.upgrade import settings
from mesh.upgrade.upgrade import findings
from tests.e2e.conftest import DEFAULT_RELEASE, Checkout
from tests.e2e.judge import dataplane
from tests.e2e.judge.dataplane import Manifest, custom, endpoint

OLD, NEW = releases.get("1.10"), releases.get("1.30")
CART, BANK = "cart.shop.example", "bank.shop.example"
KEPT = {"DISABLE_SHADOW_HOST_SUFFIX": "false", "DISABLE_TRACK_REMAINING_CB_METRICS": "false"}
"""Variables that keep the earlier behavior."""


def service(host: str, *versions: str, app: str) -> Manifest:
    ports = [{"number": dataplane.PORT, "name": "http", "protocol": "HTTP"}]
    endpoints = [endpoint(app, version, ["http"]) for version in versions]
    spec = {"hosts": [host], "ports": ports, "resolution": "STATIC", "endpoints": endpoints}
    return custom("ServiceEntry", host.partition(".")[0], "shop", {**spec, "location": "MESH_INTERNAL"})


def rule(host: str, policy: Mapping[str, Any]) -> Manifest:
    return custom("DestinationRule", host.partition(".")[0], "shop", {"host": host, "trafficPolicy": policy})


def objects() -> list[Manifest]:
    """A service that is mirrored, and one that is called with TLS and nothing said of certificates."""
    server = {"port": {"number": 80, "name": "http", "protocol": "HTTP"}, "hosts": ["*"]}
    to_bank = {"match": [{"uri": {"prefix": "/bank"}}], "route": [{"destination": {"host": BANK}}]}
    routes = {"hosts": ["*"], "gateways": ["way-in"], "http": [to_bank, MIRRORED]}
    return [
        service(CART, "v1", "v2", app="cart"),
        service(BANK, "v1", app="outside"),
        rule(CART, {"connectionPool": {"tcp": {"maxConnections": 10}}}),
        rule(BANK, {"tls": {"mode": "SIMPLE"}}),
        custom("Gateway", "way-in", "shop", {"selector": dataplane.LABELS, "servers": [server]}),
        custom("VirtualService", "way-in", "shop", routes),
    ]


class Seen(NamedTuple):
    """What an Envoy was told."""

    balancer: str
    remaining: bool
    """Whether it counts what is left of limits."""
    statuses: tuple[int, ...]
    """Statuses that are tried again."""
    suffix: bool
    """Whether a mirrored request's host gets a suffix."""
    authorities: str
    """The secret with the authorities of the server's certificate; empty if nobody verifies it."""
    named: bool
    """Whether the certificate must be for the name of the request's host."""


def parts(dump: Mapping[str, Any], kind: str) -> Iterator[Mapping[str, Any]]:
    """All parts of a dump under a key, those of lists one by one."""
    for key, value in dump.items():
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, dict):
                yield from [item] if key == kind else []
                yield from parts(item, kind)


def seen(dump: Mapping[str, Any]) -> Seen:
    clusters = {one["name"].rpartition("|")[2]: one for one in parts(dump, "cluster") if "name" in one}
    cart, bank = clusters[CART], clusters[BANK]
    (mirroring,) = (one for one in parts(dump, "route") if "request_mirror_policies" in one)
    context = next(parts(bank["transport_socket"], "common_tls_context"))
    validation = context.get("combined_validation_context", {}).get("validation_context_sds_secret_config", {})
    options = next(parts(bank, "upstream_http_protocol_options"), {})
    return Seen(
        balancer=cart.get("lb_policy", "ROUND_ROBIN"),
        remaining=any(one.get("track_remaining", False) for one in parts(cart, "thresholds")),
        statuses=tuple(mirroring["retry_policy"].get("retriable_status_codes", ())),
        suffix=not mirroring["request_mirror_policies"][0].get("disable_shadow_host_suffix_append", False),
        authorities=validation.get("name", ""),
        named=bool(options.get("auto_sni") and options.get("auto_san_validation")),
    )


def said(variables: Mapping[str, str], *more: Manifest) -> set[str]:
    """The names of the changes that are said of the objects, and of more."""
    before = Installation(release=OLD, values=OLD.values("default"))
    own = merged(settings.own(before), {"pilot": {"env": dict(variables)}})
    after = replace(before, release=NEW, values=NEW.values("default", own))
    return {change.name for change in findings([Object.read(one) for one in (*objects(), *more)], before, after)}


@pytest.mark.parametrize("variables", [{}, KEPT], ids=["by default", "with what keeps the earlier behavior"])
def test_pilot_configures_proxies_as_is_said(variables: Mapping[str, str], tmp_path: Path) -> None:
    release = replace(NEW, requests=replace(NEW.requests, pilot=variables))
    with dataplane.running(objects(), tmp_path, release) as plane:
        told = seen(plane.configuration())
    names = said(variables)
    assert {"default-load-balancer", "default-retries", "server-certificates"} <= names
    assert told == Seen(
        balancer="LEAST_REQUEST",
        remaining="circuit-breaker-metrics" not in names,
        statuses=(),
        suffix="mirror-host" not in names,
        authorities="file-root:system",
        named=True,
    )
    assert ("mirror-host" in names) is (not variables)


MIRRORED = {"route": [{"destination": {"host": CART}}], "mirror": {"host": BANK}}
LUA = "type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua"
CODE = {"inlineString": "function envoy_on_request(handle) end"}
TYPED = {"typed_config": {"@type": LUA, "defaultSourceCode": CODE}}


def inserted(before: str, **config: Any) -> Manifest:
    """An EnvoyFilter that inserts the filter `added` before another one in the gateway."""
    manager = {"name": "envoy.filters.network.http_connection_manager", "subFilter": {"name": before}}
    match = {"context": "GATEWAY", "listener": {"filterChain": {"filter": manager}}}
    patch = {"operation": "INSERT_BEFORE", "value": {"name": "added", **config}}
    spec = {"configPatches": [{"applyTo": "HTTP_FILTER", "match": match, "patch": patch}]}
    return {**custom("EnvoyFilter", "extra", "istio-system", spec), "apiVersion": "networking.istio.io/v1alpha3"}


@pytest.mark.parametrize("name", ["envoy.router", "envoy.filters.http.router"])
def test_pilot_finds_filters_by_the_names_that_are_said_to_be_known(name: str, tmp_path: Path) -> None:
    extra = inserted(name, **TYPED)
    with dataplane.running([*objects(), extra], tmp_path, NEW) as plane:
        filters = {one["name"] for one in parts(plane.configuration(), "http_filters")}
    assert "envoy.filters.http.router" in filters
    assert ("added" in filters) is ("filter-names" not in said({}, extra))


def test_envoy_rejects_a_filter_that_is_said_to_need_its_type(tmp_path: Path) -> None:
    extra = inserted("envoy.filters.http.router")
    assert "filter-types" in said({}, extra)
    with (
        pytest.raises(AssertionError, match=r"lds\.update_rejected: 1"),
        dataplane.running([*objects(), extra], tmp_path, NEW),
    ):
        pass


@DEFAULT_RELEASE
def test_what_others_have_on_the_cluster_is_named_by_make_upgrade(checkout: Checkout) -> None:
    checkout.small()
    checkout.make("up")
    pod = {"containers": [{"name": "istio-proxy", "image": "istio/proxyv2:1.9.9"}]}
    meta = {"name": "old", "namespace": "default", "annotations": {"sidecar.istio.io/inject": "false"}}
    theirs = custom("VirtualService", "theirs", "default", {"hosts": ["a.example.com"], "http": [MIRRORED]})
    checkout.apply(
        inserted("envoy.router"),
        {**theirs, "apiVersion": "networking.istio.io/v1beta1"},
        {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": pod},
    )
    text = " ".join(checkout.make("upgrade", "TO=1.30").split())
    elsewhere = "(from the cluster, not of this stack)"
    assert "was checked" not in text
    assert "was not checked" not in text
    assert f"EnvoyFilter istio-system/extra configPatches[0].patch.value {elsewhere}" in text
    assert f"VirtualService default/theirs http[0].mirror {elsewhere}" in text
    assert f"Pod default/old {elsewhere}" in text
