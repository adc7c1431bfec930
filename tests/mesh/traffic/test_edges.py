"""`mesh:traffic.hosts` at ingress gateways and `mesh:traffic.egress` for hosts outside the mesh."""

from typing import Any

import pytest

from tests.traffic_configs import objects, refusal, specs

TO_PAGE = {"to": "productpage"}
MOVED = {"redirect": {"uri": "/new"}}


def host(**fields: Any) -> dict[str, Any]:
    return {"hosts": {"shop": {"hosts": ["shop.example.com"], "routes": [TO_PAGE], **fields}}}


def outside(**fields: Any) -> dict[str, Any]:
    return {"egress": {"api": {"hosts": ["api.example.com"], **fields}}}


def servers(**fields: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = specs(host(**fields))["Gateway/shop-gateway"]["servers"]
    return found


def test_tls_redirects_plain_http_by_default() -> None:
    secured, plain = servers(tls="shop-certificate")
    assert secured == {
        "port": {"number": 443, "protocol": "HTTPS", "name": "https"},
        "hosts": ["shop.example.com"],
        "tls": {"mode": "SIMPLE", "credentialName": "shop-certificate", "minProtocolVersion": "TLSV1_2"},
    }
    assert plain == {
        "port": {"number": 80, "protocol": "HTTP", "name": "http"},
        "hosts": ["shop.example.com"],
        "tls": {"httpsRedirect": True},
    }


def test_without_the_redirect_plain_http_is_not_served() -> None:
    [secured] = servers(tls={"secret": "shop-certificate", "mode": "MUTUAL", "redirect": False})
    assert secured["tls"]["mode"] == "MUTUAL"


TRUSTING = {"defaultConfig": {"gatewayTopology": {"numTrustedProxies": 1}}}


def test_where_the_load_balancer_ends_tls_the_gateway_serves_plain_http_and_redirects_by_the_clients_scheme() -> None:
    found = specs(host(tls={"endsAt": "loadBalancer"}), meshConfig=TRUSTING)["Gateway/shop-gateway"]["servers"]
    port = {"number": 80, "protocol": "HTTP", "name": "http"}
    assert found == [{"port": port, "hosts": ["shop.example.com"], "tls": {"httpsRedirect": True}}]
    [both] = servers(tls={"endsAt": "loadBalancer", "redirect": False})
    assert "tls" not in both


@pytest.mark.parametrize("own", [None, {"proxy.istio.io/config": "gatewayTopology: {numTrustedProxies: 1}"}])
def test_a_gateway_that_would_redirect_for_ever_is_refused(own: dict[str, str] | None) -> None:
    traffic = host(tls={"endsAt": "loadBalancer"})
    if own:
        assert specs(traffic, gateways={"istio-ingressgateway": {"podAnnotations": own}})
    else:
        assert refusal(traffic).startswith(
            "mesh:traffic.hosts.shop.tls: istio-ingressgateway does not trust x-forwarded-proto, and would redirect"
            " forever: set mesh:meshConfig.defaultConfig.gatewayTopology.numTrustedProxies to the number"
        )


def test_tls_that_is_passed_on_is_routed_by_server_name() -> None:
    found = specs(host(tls="PASSTHROUGH"))
    [server] = found["Gateway/shop-gateway"]["servers"]
    assert (server["port"]["protocol"], server["tls"]) == ("TLS", {"mode": "PASSTHROUGH"})
    [route] = found["VirtualService/shop"]["tls"]
    assert route["match"] == [{"sniHosts": ["shop.example.com"], "port": 443}]
    assert route["route"] == [{"destination": {"host": "productpage"}}]


@pytest.mark.parametrize(
    ("fields", "protocol", "tls"),
    [
        ({"hosts": ["*"]}, "TCP", None),
        ({"tls": "shop-certificate"}, "TLS", "SIMPLE"),
    ],
)
def test_connections_are_routed_by_port(fields: dict[str, Any], protocol: str, tls: str | None) -> None:
    found = specs(host(protocol="TCP", port=31400, **fields))
    [server] = found["Gateway/shop-gateway"]["servers"]
    assert server["port"] == {"number": 31400, "protocol": protocol, "name": protocol.lower()}
    assert server.get("tls", {}).get("mode") == tls
    [route] = found["VirtualService/shop"]["tcp"]
    assert route["match"] == [{"port": 31400}]


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"tls": {}}, "tls.secret: is required"),
        ({"tls": {"mode": "PASSTHROUGH", "secret": "x"}}, "tls.secret: is for TLS that the gateway terminates"),
        ({"tls": {"mode": "PASSTHROUGH", "redirect": True}}, "tls.redirect: is not possible in mode PASSTHROUGH"),
        ({"tls": {"endsAt": "loadBalancer", "secret": "x"}}, "tls.secret: is for TLS that the gateway speaks"),
        ({"protocol": "TCP", "hosts": ["*"]}, "port: is required with protocol TCP"),
        ({"protocol": "TCP", "port": 31400}, 'hosts: must be ["*"] with protocol TCP and no tls'),
        ({"protocol": "TCP", "port": 443, "tls": {"mode": "PASSTHROUGH"}}, "tls: is not possible with protocol"),
        (
            {"tls": {"mode": "PASSTHROUGH"}, "routes": [{"to": "a", "timeout": "1s"}]},
            "routes[0].timeout: is for requests",
        ),
        (
            {"tls": {"mode": "PASSTHROUGH"}, "routes": [{"to": "a", "match": {"path": "/"}}, TO_PAGE]},
            "routes[1]: is never reached: connections have one route",
        ),
    ],
)
def test_tls_and_connections_that_cannot_be_are_refused(fields: dict[str, Any], problem: str) -> None:
    assert f"mesh:traffic.hosts.shop.{problem}" in refusal(host(**fields))


def test_connections_are_refused_at_a_gateway_that_requires_tokens() -> None:
    jwt = {"jwt": {"issuers": [{"issuer": "https://issuer.example.com"}]}}
    assert "mesh:traffic.hosts.shop.gateway: istio-ingressgateway requires tokens" in refusal(
        host(tls={"mode": "PASSTHROUGH"}), security=jwt
    )


def test_the_gateway_object_selects_the_named_gateway_and_its_port() -> None:
    internal = {"internal": {"type": "ClusterIP", "ports": [{"name": "web", "port": 8080}]}}
    found = specs(host(gateway="internal", port=8080), gateways=internal)["Gateway/shop-gateway"]
    assert found["selector"] == {"istio": "internal"}
    assert found["servers"][0]["port"]["number"] == 8080


def test_routes_keep_their_order_and_have_matches_weights_and_redirects() -> None:
    split = [
        {"service": "reviews", "version": "v1", "weight": 90},
        {"service": "reviews", "version": "v3", "weight": 10},
    ]
    ways = [
        {"match": {"path": "/reviews*"}, "to": split, "timeout": "1s"},
        {"match": {"path": "/old"}, "redirect": {"uri": "/new"}},
        {"to": {"service": "productpage", "port": 9080}},
    ]
    found = specs({**host(routes=ways), "services": {"reviews": {"versions": ["v1", "v3"]}}})
    first, second, third = found["VirtualService/shop"]["http"]
    assert [share["weight"] for share in first["route"]] == [90, 10]
    assert first["timeout"] == "1s"
    assert second == {"match": [{"uri": {"exact": "/old"}}], "redirect": {"uri": "/new"}}
    assert third == {"route": [{"destination": {"host": "productpage", "port": {"number": 9080}}}]}


def test_a_service_of_another_namespace_is_called_by_its_full_name() -> None:
    services = {"web": {"host": "frontend", "namespace": "shop", "versions": ["v1"]}}
    found = specs({**host(routes=[{"to": "web"}]), "services": services}, namespaces={"shop": "existing"})
    [route] = found["VirtualService/shop"]["http"]
    assert route["route"][0]["destination"]["host"] == "frontend.shop.svc.cluster.local"


@pytest.mark.parametrize(
    ("traffic", "text"),
    [
        (host(gateway="istio-ingresgateway"), 'gateway "istio-ingresgateway" is not one of'),
        (host(port=8081), "port 8081 is not a port of the Service of istio-ingressgateway"),
        (host(hosts=["shop"]), "hosts.shop.hosts[0]: "),
        (host(hosts=["a.example.com", "a.example.com"]), 'hosts.shop.hosts[1]: "a.example.com" is listed twice'),
        (host(routes=[TO_PAGE, TO_PAGE]), "hosts.shop.routes[1]: is never reached: routes[0] has no match"),
        (host(routes=[{"match": {"path": "/"}}]), "hosts.shop.routes[0]: needs to or redirect"),
        (host(routes=[{"redirect": {"uri": "https://a.example/b"}}]), "redirect.uri: "),
        (host(routes=[{"redirect": {"uri": "/new/*"}}]), 'redirect.uri: "/new/*": * is no wildcard here'),
        (host(routes=[{"redirect": {"authority": "a/b"}}]), 'redirect.authority: "a/b" is not a host'),
        (host(routes=[{"redirect": {"uri": "/", "redirectCode": 304}}]), "redirectCode: must be one of 301, 302"),
        (host(routes=[{"to": [{"service": "a", "weight": 50}, {"service": "b"}]}]), "add up to 100, not 50"),
        (host(routes=[{"to": {"service": "a", "weight": 50}}]), "add up to 100, not 50"),
        (
            {"services": {"a": {"versions": ["v2"]}}, **host(routes=[{"to": {"service": "a", "version": "v1"}}])},
            "to[0].version: v1 is not in services.a.versions (v2)",
        ),
        (host(routes=[{**TO_PAGE, "mirror": {"version": "v1"}}]), "routes[0].mirror.service: is required"),
        (host(routes=[{**MOVED, "cors": {"allowOrigins": [{"exact": "*"}]}}]), "routes[0].cors: does nothing with"),
        (host(routes=[{**MOVED, "timeout": "1s"}]), "routes[0].timeout: does nothing with redirect"),
        (host(routes=[{**MOVED, "retries": 0}]), "routes[0].retries: does nothing with redirect"),
        (host(routes=[{**MOVED, "mirror": {"service": "a"}}]), "routes[0].mirror: does nothing with redirect"),
        (
            host(routes=[{**TO_PAGE, "match": {"sourceNamespace": "x"}}]),
            "match[0].sourceNamespace: is not possible at a gateway",
        ),
        (
            {"hosts": {**host()["hosts"], "copy": host()["hosts"]["shop"]}},
            'hosts.copy.hosts[0]: "shop.example.com" on port 80 of istio-ingressgateway is also in hosts.shop',
        ),
        (outside(protocol="TCP"), "egress.api.port: is required with protocol TCP"),
        (outside(protocol="TCP", port=1, gateway="istio-egressgateway"), "egress.api.gateway: is for HTTP and TLS"),
        (outside(protocol="TCP", port=1, hosts=["a.example.com", "b.example.com"]), "egress.api.hosts: only one"),
        (outside(addresses=["192.0.2.1"]), "egress.api.addresses: are for protocol TCP"),
        (outside(originateTls=True), "egress.api.originateTls: is for protocol HTTP"),
        (outside(originateTls=True, protocol="HTTP", port=443), "egress.api.port: "),
        (outside(hosts=["*.example.com"], gateway="istio-egressgateway"), "egress.api.hosts[0]: has no address"),
        (outside(gateway="istio-egressgateway", port=444), "port 444 is not a port of the Service"),
        (outside(gateway="other"), 'gateway "other" is not one of'),
    ],
)  # fmt: skip
def test_an_invalid_value_is_reported_in_one_line_with_its_key(traffic: dict[str, Any], text: str) -> None:
    message = refusal(traffic)
    assert text in message
    assert message.startswith("mesh:traffic.")
    assert len(message.splitlines()) == 1


def test_an_entry_for_all_hosts_conflicts_with_bookinfos_own_gateway() -> None:
    everything = {"bookinfo": {"hosts": ["*"], "routes": [TO_PAGE]}}
    message = refusal({"hosts": everything}, bookinfo=True)
    assert (
        "hosts.bookinfo: Bookinfo already has a VirtualService bookinfo; set mesh:bookinfo.gateway to false" in message
    )
    assert 'hosts.bookinfo: Bookinfo already has all hosts ("*")' in message
    specs({"hosts": everything}, bookinfo={"gateway": False})


def test_an_egress_host_becomes_a_service_entry() -> None:
    assert specs(outside()) == {
        "ServiceEntry/api": {
            "hosts": ["api.example.com"],
            "ports": [{"number": 443, "protocol": "TLS", "name": "tls"}],
            "location": "MESH_EXTERNAL",
            "resolution": "DNS",
        }
    }


def test_a_wildcard_egress_host_is_not_resolved_by_dns() -> None:
    assert specs(outside(hosts=["*.example.com"]))["ServiceEntry/api"]["resolution"] == "NONE"


def test_the_egress_gateway_passes_tls_through() -> None:
    found = specs(outside(gateway="istio-egressgateway"))
    [server] = found["Gateway/api-egress"]["servers"]
    assert server["tls"] == {"mode": "PASSTHROUGH"}
    gateway = "istio-egressgateway.istio-system.svc.cluster.local"
    assert found["DestinationRule/api-egress"] == {"host": gateway, "subsets": [{"name": "api"}]}
    inner, outer = found["VirtualService/api-egress"]["tls"]
    assert inner == {
        "match": [{"sniHosts": ["api.example.com"], "port": 443, "gateways": ["mesh"]}],
        "route": [{"destination": {"host": gateway, "subset": "api", "port": {"number": 443}}}],
    }
    assert outer == {
        "match": [{"sniHosts": ["api.example.com"], "port": 443, "gateways": ["api-egress"]}],
        "route": [{"destination": {"host": "api.example.com", "port": {"number": 443}}}],
    }


def test_the_egress_gateway_gets_plain_http_over_mutual_tls_and_originates_tls() -> None:
    found = specs(outside(gateway="istio-egressgateway", protocol="HTTP", originateTls=True))
    [server] = found["Gateway/api-egress"]["servers"]
    assert (server["port"]["protocol"], server["tls"]) == ("HTTPS", {"mode": "ISTIO_MUTUAL"})
    [subset] = found["DestinationRule/api-egress"]["subsets"]
    [port] = subset["trafficPolicy"]["portLevelSettings"]
    assert port == {"port": {"number": 80}, "tls": {"mode": "ISTIO_MUTUAL", "sni": "api.example.com"}}
    _, outer = found["VirtualService/api-egress"]["http"]
    assert outer["route"] == [{"destination": {"host": "api.example.com", "port": {"number": 443}}}]
    [port] = found["DestinationRule/api"]["trafficPolicy"]["portLevelSettings"]
    assert port["port"] == {"number": 443}
    assert (port["tls"]["mode"], port["tls"]["sni"]) == ("SIMPLE", "api.example.com")


def test_the_certificate_of_an_egress_host_is_verified_unless_authorities_is_empty() -> None:
    checked, unchecked = (
        specs(outside(protocol="HTTP", originateTls=True, **more))["DestinationRule/api"]["trafficPolicy"]
        for more in ({}, {"authorities": ""})
    )
    assert checked["portLevelSettings"][0]["tls"] == {
        "mode": "SIMPLE",
        "caCertificates": "/etc/ssl/certs/ca-certificates.crt",
        "subjectAltNames": ["api.example.com"],
        "sni": "api.example.com",
    }
    assert unchecked["portLevelSettings"][0]["tls"] == {"mode": "SIMPLE", "sni": "api.example.com"}


def test_the_egress_gateway_routes_several_hosts_by_their_authority() -> None:
    found = specs(outside(hosts=["a.example.com", "b.example.com"], gateway="istio-egressgateway", protocol="HTTP"))
    _, *outer = found["VirtualService/api-egress"]["http"]
    assert [route["match"][0]["authority"]["exact"] for route in outer] == ["a.example.com", "b.example.com"]


def test_without_a_gateway_the_sidecar_originates_tls() -> None:
    found = specs(outside(protocol="HTTP", originateTls=True))
    assert sorted(found) == ["DestinationRule/api", "ServiceEntry/api", "VirtualService/api"]
    assert found["VirtualService/api"]["http"] == [
        {
            "match": [{"port": 80}],
            "route": [{"destination": {"host": "api.example.com", "port": {"number": 443}}}],
        }
    ]


EGRESS_GATEWAY = "istio-egressgateway"
ORIGINATED = {"protocol": "HTTP", "originateTls": True}


def test_tls_is_originated_to_the_port_of_the_host() -> None:
    found = specs(outside(**ORIGINATED, tlsPort=8443))
    assert [port["number"] for port in found["ServiceEntry/api"]["ports"]] == [80, 8443]
    [settings] = found["DestinationRule/api"]["trafficPolicy"]["portLevelSettings"]
    assert settings["port"] == {"number": 8443}
    [route] = found["VirtualService/api"]["http"]
    assert route["route"][0]["destination"]["port"] == {"number": 8443}


@pytest.mark.parametrize(
    ("certificate", "expected"),
    [
        ("partner", {"mode": "MUTUAL", "credentialName": "partner", "subjectAltNames": ["api.example.com"]}),
        (
            {"certificate": "/c/tls.crt", "key": "/c/tls.key"},
            {
                "mode": "MUTUAL",
                "clientCertificate": "/c/tls.crt",
                "privateKey": "/c/tls.key",
                "caCertificates": "/etc/ssl/certs/ca-certificates.crt",
                "subjectAltNames": ["api.example.com"],
            },
        ),
    ],
    ids=["secret", "files"],
)
def test_the_host_knows_the_mesh_by_a_certificate(certificate: Any, expected: dict[str, Any]) -> None:
    found = specs(outside(**ORIGINATED, gateway=EGRESS_GATEWAY, clientCertificate=certificate))
    [settings] = found["DestinationRule/api"]["trafficPolicy"]["portLevelSettings"]
    assert settings["tls"] == {**expected, "sni": "api.example.com"}


def test_no_warning_asks_for_a_file_of_authorities_that_the_secret_has() -> None:
    made = {f"{one.body.kind}/{one.name}": one for one in objects(_known("partner"))}
    assert made["DestinationRule/api"].annotations == {"galley.istio.io/analyze-suppress": "IST0129"}
    assert not made["ServiceEntry/api"].annotations


def _known(certificate: str) -> dict[str, Any]:
    return outside(**ORIGINATED, gateway=EGRESS_GATEWAY, clientCertificate=certificate)


def test_a_host_can_be_reached_by_plain_http_and_by_the_tls_of_clients() -> None:
    found = specs(outside(**ORIGINATED, passThrough=True))
    assert found["ServiceEntry/api"]["ports"] == [
        {"number": 80, "protocol": "HTTP", "name": "http", "targetPort": 443},
        {"number": 443, "protocol": "TLS", "name": "tls"},
    ]
    [settings] = found["DestinationRule/api"]["trafficPolicy"]["portLevelSettings"]
    assert settings["port"] == {"number": 80}, "connections on 443 have the clients' own TLS"
    assert "VirtualService/api" not in found


def test_an_egress_gateway_passes_tls_on_and_originates_it_for_one_host() -> None:
    found = specs(outside(**ORIGINATED, passThrough=True, gateway=EGRESS_GATEWAY))
    servers = found["Gateway/api-egress"]["servers"]
    assert [(one["port"]["number"], one["tls"]["mode"]) for one in servers] == [
        (80, "ISTIO_MUTUAL"),
        (443, "PASSTHROUGH"),
    ]
    routed = found["VirtualService/api-egress"]
    assert [route["route"][0]["destination"]["port"]["number"] for route in routed["http"]] == [80, 80]
    assert [route["route"][0]["destination"]["port"]["number"] for route in routed["tls"]] == [443, 443]


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"tlsPort": 8443}, "tlsPort: is for originateTls: set it to true"),
        ({"passThrough": True}, "passThrough: is for originateTls"),
        ({**ORIGINATED, "tlsPort": 80}, "tlsPort: cannot be 80, where clients send plain HTTP: set port to another"),
        ({**ORIGINATED, "port": 8443, "tlsPort": 8443}, "port: is where clients send plain HTTP, so it cannot be 8443"),
        ({**ORIGINATED, "clientCertificate": "x"}, "clientCertificate.secret: is for a gateway"),
        ({**ORIGINATED, "clientCertificate": {"key": "/k"}}, "clientCertificate: needs secret, or certificate and key"),
        (
            {**ORIGINATED, "clientCertificate": "x", "gateway": EGRESS_GATEWAY, "authorities": "/ca"},
            "authorities: is not read together with clientCertificate.secret",
        ),
    ],
)
def test_an_origination_that_cannot_be_is_refused(fields: dict[str, Any], problem: str) -> None:
    assert f"mesh:traffic.egress.api.{problem}" in refusal(outside(**fields))
