"""What is said of the newer release is what its own pilot makes of the same objects."""

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
    to_cart = {"route": [{"destination": {"host": CART}}], "mirror": {"host": BANK}}
    routes = {"hosts": ["*"], "gateways": ["way-in"], "http": [to_bank, to_cart]}
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
    """All parts of a dump under a key."""
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


def said(variables: Mapping[str, str]) -> set[str]:
    """The names of the changes that are said of the objects."""
    before = Installation(release=OLD, values=OLD.values("default"))
    own = merged(settings.own(before), {"pilot": {"env": dict(variables)}})
    after = replace(before, release=NEW, values=NEW.values("default", own))
    return {change.name for change in findings([Object.read(one) for one in objects()], before, after)}


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
