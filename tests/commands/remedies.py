"""The remedies that messages advise, each with a mesh that gets the message, and the same after the remedy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from tests.faults import FAULTS, SECRET, TLS, cart_rule, patch, policy, rule, sidecar
from tests.faults_of_later import CLAIM, EVERYWHERE, PLAIN, configured, injector, telemetry, with_proxy
from tests.faults_of_requests import DATABASE, allow, cart, visitors
from tests.meshes import Manifest, deployment, gateway, manifest_of, routes, server, service, to

_BASE: Final = {"profile": "demo", "injectedNamespaces": {"default": "existing"}}


@dataclass(frozen=True)
class Files:
    """The file of a stack, and its copy, on which Pulumi works."""

    file: Mapping[str, Any]
    copy: Mapping[str, Any]


Subject = Mapping[str, Any] | Files | Sequence[Manifest]


@dataclass(frozen=True)
class Remedy:
    """A remedy of the config of a stack, of its files, or of objects that users write themselves."""

    says: str
    """The part of the message that advises it."""
    before: Subject
    """The config, the files, or the objects beside those of the valid mesh."""
    after: Subject
    release: str = ""
    """The release of objects; the default one if empty."""


def by_hand(says: str, fault: str, *after: Manifest) -> Remedy:
    """A remedy of the objects of one of the faulty meshes, in the oldest release in which they are faulty."""
    (found,) = [one for one in FAULTS if one.name == fault]
    return Remedy(says, found.objects, after, found.since)


OF_STACKS: Final = tuple(
    Remedy(entry["says"], _BASE | entry["before"], _BASE | entry["after"])
    for entry in yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text())
)


def _exported(*places: str) -> Manifest:
    ports = [{"number": 443, "name": "tls", "protocol": "TLS"}]
    spec = {"hosts": ["bank.example.com"], "ports": ports, "resolution": "DNS", "exportTo": list(places)}
    return manifest_of("ServiceEntry", "bank", spec, namespace="istio-system")


def _denied(**operation: Any) -> list[Manifest]:
    return [manifest_of("AuthorizationPolicy", "x", {"action": "DENY", "rules": [{"to": [{"operation": operation}]}]})]


def _allowed(**operation: Any) -> list[Manifest]:
    return [manifest_of("AuthorizationPolicy", "x", {"rules": [{"to": [{"operation": operation}]}]})]


def _grafana(**env: str) -> list[Manifest]:
    variables = [{"name": name, "value": value} for name, value in env.items()]
    container = {"name": "grafana", "image": "grafana", "env": variables}
    return [deployment("grafana", {"app": "grafana"}, containers=[container])]


_AT_GATEWAY: Final = {"hosts": ["shop.example.com"], "gateways": ["way-in"]}
_DATABASE: Final = (
    manifest_of("Namespace", "plain", labels={"istio-injection": "disabled"}),
    deployment("db", {"app": "db"}, "plain"),
    service("db", namespace="plain"),
)


def _entry(address: str, resolution: str) -> list[Manifest]:
    ports = [{"number": 80, "name": "http", "protocol": "HTTP"}]
    spec = {"hosts": ["a.example.com"], "ports": ports, "resolution": resolution, "endpoints": [{"address": address}]}
    return [manifest_of("ServiceEntry", "a", spec)]


def _front(**route: Any) -> list[Manifest]:
    return [routes("front", to("front", **route))]


def _cors(*methods: str) -> list[Manifest]:
    return _front(corsPolicy={"allowOrigins": [{"exact": "https://a.b"}], "allowMethods": list(methods)})


def _group(**probe: Any) -> list[Manifest]:
    return [manifest_of("WorkloadGroup", "machines", {"template": {}, "probe": probe})]


def _callers(**source: Any) -> list[Manifest]:
    return [manifest_of("AuthorizationPolicy", "x", {"rules": [{"from": [{"source": source}]}]})]


def _plugin(url: str) -> list[Manifest]:
    return [manifest_of("WasmPlugin", "x", {"url": url})]


def _delegating(**uri: str) -> list[Manifest]:
    shop = {"match": [{"uri": uri}], "delegate": {"name": "part"}}
    part = manifest_of("VirtualService", "part", {"http": [to("front")]})
    return [routes("visitors", shop, **_AT_GATEWAY), part]


def _called(name: str) -> list[Manifest]:
    return [routes("visitors", to("front"), hosts=["shop.example.com"], gateways=[name])]


def _everywhere(**spec: Any) -> list[Manifest]:
    return [gateway("way-in", server(80, ["*"])), routes("visitors", to("front"), hosts=["*"], **spec)]


def _filter(**match: Any) -> list[Manifest]:
    value = {"name": "filter", "typed_config": {"@type": "type.googleapis.com/envoy.config.core.v3.Node"}}
    patched = {"applyTo": "CLUSTER", "match": match, "patch": {"operation": "MERGE", "value": value}}
    return [manifest_of("EnvoyFilter", "filter", {"configPatches": [patched]})]


def _typed(name: str) -> list[Manifest]:
    value = {"name": "filter", "typed_config": {"@type": f"type.googleapis.com/{name}"}}
    patched = {"applyTo": "HTTP_FILTER", "match": {}, "patch": {"operation": "INSERT_FIRST", "value": value}}
    return [manifest_of("EnvoyFilter", "filter", {"configPatches": [patched]})]


def _wildcard(protocol: str = "HTTP", exports: Sequence[str] = (".",), **labels: str) -> list[Manifest]:
    ports = [{"number": 80, "name": "web", "protocol": protocol}]
    where = {"resolution": "DYNAMIC_DNS", "location": "MESH_INTERNAL"} if protocol == "HTTP" else {"resolution": "NONE"}
    spec = {
        "hosts": ["*.example.com"],
        "addresses": [] if protocol == "HTTP" else ["192.0.2.7"],
        "ports": ports,
        **where,
    }
    return [manifest_of("ServiceEntry", "a", {**spec, "exportTo": list(exports)}, labels=labels)]


def _stamped(value: str) -> list[Manifest]:
    return _front(headers={"request": {"set": {"x-time": value}}})


_METRICS: Final = {"name": "http-metrics", "port": 9090, "targetPort": 9090}
_DATABASES: Final = [DATABASE[0], service("db", [{"name": "tcp", "port": 5432, "targetPort": 5432}, _METRICS])]
_FAILOVER: Final = {"loadBalancer": {"localityLbSetting": {"failover": [{"from": "a", "to": "b"}]}}}
_OUTSIDE_USERS: Final = manifest_of(
    "AuthorizationPolicy", "x", {"action": "DENY", "rules": [{"from": [{"source": {"namespaces": ["istio-system"]}}]}]}
)


def _locked(mode: str) -> list[Manifest]:
    return [_OUTSIDE_USERS, manifest_of("PeerAuthentication", "default", {"mtls": {"mode": mode}})]


_ENCRYPTED: Final = {"secure": "v1:a"}
_LIST: Final = {"mesh:global": {"imagePullSecrets": [_ENCRYPTED]}}


def _salted(salt: str, **env: Any) -> Mapping[str, Any]:
    return {"encryptionsalt": salt, "config": {"mesh:pilot": {"env": env}}}


_PROVING: Final = manifest_of(
    "RequestAuthentication",
    "tokens",
    {"selector": {"matchLabels": {"istio": "ingress"}}, "jwtRules": [{"issuer": "a", "jwks": '{"keys": []}'}]},
    namespace="istio-system",
)
_LUA: Final = "envoy.extensions.filters.http.lua"
_NOT_JASON: Final[Sequence[Manifest]] = ({"exact": "jason"}, {})
_OLD_DELAY: Final = {"delay": {"exponentialDelay": "1s", "percentage": {"value": 5}}}
_NEW_DELAY: Final = {"delay": {"fixedDelay": "1s", "percentage": {"value": 5}}}


def _served(**tls: str) -> list[Manifest]:
    return [SECRET, gateway("other", server(443, ["a.example.com"], "HTTPS", tls={**TLS, **tls}))]


_FAR: Final = {"networks": {"other": {"endpoints": [{"fromRegistry": "far"}]}}}
_SPANS: Final = {"name": "spans", "opentelemetry": {"service": "a.example.com", "port": 443}}

BY_HAND: Final = (
    by_hand(
        "add one, so that Istio knows their ports",
        "Deployment without a Service, in a release that wants one",
        deployment("worker", {"app": "worker"}),
        service("worker"),
    ),
    by_hand(
        "add the secret to reach it",
        "network of a cluster without a secret",
        configured({}, _FAR),
        {**manifest_of("Secret", "far", labels={"istio/multiCluster": "true"}), "stringData": {"far": "kubeconfig"}},
    ),
    by_hand("leave one or the other out", "file of a certificate beside a secret", *_served()),
    Remedy("leave them out", _served(serverCertificate="/a", privateKey="/b"), _served(), "1.30"),
    Remedy(
        "match[0] of the same route has taken them all; drop it",
        _front(match=[{"uri": {"prefix": "/a"}}, {"uri": {"prefix": "/a/b"}}]),
        _front(match=[{"uri": {"prefix": "/a"}}]),
    ),
    by_hand(
        "use one of kind opentelemetry",
        "provider of a deprecated kind",
        configured({"extensionProviders": [_SPANS]}, {"networks": {}}),
        telemetry("a", tracing=[{"providers": [{"name": "spans"}]}]),
    ),
    Remedy("use cluster", _filter(listener={}), _filter(cluster={})),
    Remedy("use fixedDelay", _front(fault=_OLD_DELAY), _front(fault=_NEW_DELAY)),
    Remedy(
        "use httpStatus",
        _front(fault={"abort": {"grpcStatus": "ABORTED"}}),
        _front(fault={"abort": {"httpStatus": 503}}),
    ),
    Remedy(
        "write percentage: {value: 100}",
        [cart(to("cart", fault={"abort": {"httpStatus": 503}}))],
        [cart(to("cart", fault={"abort": {"httpStatus": 503, "percentage": {"value": 100}}}))],
    ),
    Remedy("list the methods", _cors("*"), _cors("GET", "PUT")),
    Remedy("use httpGet, tcpSocket or exec", _group(grpc={"port": 80}), _group(tcpSocket={"port": 80})),
    Remedy(
        'write "name" or "namespace/name", without wildcards',
        _callers(serviceAccounts=["shop/*"]),
        _callers(serviceAccounts=["shop/front"]),
    ),
    Remedy("write oci://registry/path:tag, https://… or file:///path", _plugin("a b"), _plugin("oci://a.b/c:1")),
    Remedy("name that of v3", _typed("envoy.config.filter.http.lua.v2.Lua"), _typed(f"{_LUA}.v3.Lua"), "1.30"),
    Remedy("write TCP", _wildcard("THRIFT"), _wildcard("TCP"), "1.30"),
    Remedy("name it once", _wildcard(exports=[".", "shop"]), _wildcard(exports=["."]), "1.30"),
    Remedy("drop the label istio.io/use-waypoint", _wildcard(**{"istio.io/use-waypoint": "way"}), _wildcard(), "1.30"),
    Remedy('write "%%", or %VARIABLE% or %VARIABLE(…)%', _stamped("%A"), _stamped("%START_TIME(%Y-%m)%"), "1.30"),
    Remedy("use exact or prefix", _delegating(regex="/a.*"), _delegating(prefix="/a")),
    Remedy(
        "leave the condition empty to ask for presence",
        _front(match=[{"headers": {"a": {"prefix": ""}}}]),
        _front(match=[{"headers": {"a": {}}}]),
    ),
    Remedy("use resolution STATIC", _entry("unix:///a", "DNS"), _entry("unix:///a", "STATIC")),
    Remedy("use resolution DNS for names", _entry("b.example.com", "STATIC"), _entry("b.example.com", "DNS")),
    Remedy(
        "write unix:///path/to/it or unix://@name", _entry("unix://a", "STATIC"), _entry("unix:///path/to/it", "STATIC")
    ),
    Remedy('write "name", "namespace/name" or "mesh"', _called("a/b/c"), _called("shop/way-in")),
    Remedy("name them, and not mesh, in gateways", _everywhere(), _everywhere(gateways=["way-in"])),
    by_hand(
        "change exportTo of ServiceEntry istio-system/bank",
        "route to a host that is not exported",
        routes("front", to("bank.example.com")),
        _exported("*"),
    ),
    by_hand(
        "add a second match with an empty condition, or let an earlier route take requests with the value",
        "value that a header must not have, in a release where a missing header does not fit",
        routes("front", to("cart", match=[{"withoutHeaders": {"end-user": one}} for one in _NOT_JASON]), to("front")),
    ),
    by_hand(
        "add a second match with an empty condition, or let an earlier route take requests with the value",
        "value that a header must not have, in a release where a missing header does not fit",
        routes("front", to("front", match=[{"headers": {"end-user": {"exact": "jason"}}}]), to("cart")),
    ),
    by_hand(
        "use percentage: {value: …}",
        "deprecated field percent of a delay",
        routes("front", to("front", fault={"delay": {"fixedDelay": "1s", "percentage": {"value": 5}}})),
    ),
    by_hand(
        "use mirrorPercentage: {value: …}",
        "deprecated field mirrorPercent",
        routes("front", to("front", mirror={"host": "cart"}, mirrorPercentage={"value": 5})),
    ),
    by_hand(
        "write it as shop/way-in",
        "gateway in the deprecated form of a host name",
        routes("visitors", to("front"), hosts=["shop.example.com"], gateways=["shop/way-in"]),
    ),
    by_hand("join them into one", "two VirtualServices for one host in sidecars"),
    by_hand(
        "name a subset here",
        "gateway route that bypasses the routes of sidecars",
        routes("visitors", to("cart", "v1"), **_AT_GATEWAY),
    ),
    by_hand("change its selector", "selector that no pod has", gateway("way-in", server(80, ["shop.example.com"]))),
    by_hand(
        "join them, or change the hosts", "two Gateways for one host", gateway("other", server(80, ["b.example.com"]))
    ),
    by_hand(
        "join them, or the younger one's trafficPolicy does nothing",
        "two rules for one host",
        cart_rule(trafficPolicy={"loadBalancer": {"simple": "RANDOM"}}),
    ),
    by_hand(
        "use consecutiveGatewayErrors or consecutive5xxErrors",
        "deprecated field consecutiveErrors",
        cart_rule(trafficPolicy={"outlierDetection": {"consecutive5xxErrors": 5}}),
    ),
    by_hand(
        "use two numbers",
        "one port, two protocols",
        service("dns", [{"name": "udp-x", "port": 81, "targetPort": 9, "protocol": "UDP"}], selector={"app": "front"}),
    ),
    by_hand(
        "give it one number",
        "one port, two numbers",
        service("front-too", [{"name": "http", "port": 80, "targetPort": 8080}], selector={"app": "front"}),
    ),
    by_hand(
        "use another number",
        "workload with the proxy's user id",
        deployment("front", {"app": "front"}, serviceAccountName="front", securityContext={"runAsUser": 1000}),
    ),
    by_hand(
        "label it istio-injection=enabled, or =disabled if that is intended",
        "namespace without label",
        manifest_of("Namespace", "other", labels={"istio-injection": "disabled"}),
    ),
    by_hand(
        "leave one of them out",
        "namespace with two labels",
        manifest_of("Namespace", "other", labels={"istio-injection": "enabled"}),
    ),
    by_hand("also applies to all of namespace shop: join them", "two Sidecars for a whole namespace", sidecar("a")),
    by_hand("leave it out if that is intended", "Sidecar with an empty selector", sidecar("a")),
    by_hand(
        "inject them, or use PERMISSIVE",
        "strict mutual TLS for a workload without sidecar",
        deployment("batch", {"app": "batch"}),
    ),
    by_hand(
        "use mode ISTIO_MUTUAL",
        "plain text to a workload with strict mutual TLS",
        cart_rule(trafficPolicy={"tls": {"mode": "ISTIO_MUTUAL"}}),
    ),
    by_hand(
        "use mode DISABLE, or inject them",
        "mutual TLS to a workload without sidecar",
        *_DATABASE,
        manifest_of(
            "DestinationRule", "db", {"host": "db", "trafficPolicy": {"tls": {"mode": "DISABLE"}}}, namespace="plain"
        ),
    ),
    by_hand(
        "nothing fails over without outlierDetection, which detects failures: set it as well",
        "failover without outlier detection",
        rule("front", "front", trafficPolicy={**_FAILOVER, "outlierDetection": {"consecutive5xxErrors": 5}}),
    ),
    Remedy("so it denies nobody: use PERMISSIVE or STRICT there", _locked("DISABLE"), _locked("PERMISSIVE")),
    Remedy("so it denies nobody: use PERMISSIVE or STRICT there", _locked("DISABLE"), _locked("STRICT")),
    Remedy(
        "so sidecars ignore these routes: name a port http-…, or drop them",
        [*DATABASE, routes("db", to("db", timeout="1s"))],
        [DATABASE[0], service("db", [_METRICS]), routes("db", to("db", timeout="1s"))],
    ),
    Remedy(
        "so sidecars ignore these routes: name a port http-…, or drop them",
        [*DATABASE, routes("db", to("db", timeout="1s"))],
        DATABASE,
    ),
    Remedy(
        "denies all connections there: list only HTTP ports in ports, 9090",
        [*_DATABASES, allow({"paths": ["/a"]}, app="db", action="DENY")],
        [*_DATABASES, allow({"paths": ["/a"], "ports": ["9090"]}, app="db", action="DENY")],
    ),
    Remedy(
        "denies all connections there: set only ports",
        [*DATABASE, allow({"paths": ["/a"], "ports": ["5432"]}, app="db", action="DENY")],
        [*DATABASE, allow({"ports": ["5432"]}, app="db", action="DENY")],
    ),
    Remedy(
        "encrypted in a list, outside of the stack's file: move it into the file itself",
        Files({"config": {}}, {"config": _LIST}),
        Files({"config": _LIST}, {"config": _LIST}),
    ),
    Remedy(
        "but its file has mesh:pilot.env.A in clear text: take that out of the file",
        Files(_salted("v1:one", A="a"), _salted("v1:one", A=_ENCRYPTED)),
        Files(_salted("v1:one"), _salted("v1:one", A=_ENCRYPTED)),
    ),
    Remedy(
        "but its file has mesh:pilot in clear text: take that out of the file",
        Files({"config": {"mesh:pilot": ""}}, _salted("v1:one", A=_ENCRYPTED)),
        Files({"config": {}}, _salted("v1:one", A=_ENCRYPTED)),
    ),
    Remedy(
        "which is v1:two: write that one, and set the file's own encrypted values again",
        Files(_salted("v1:one", A=_ENCRYPTED), _salted("v1:two", B=_ENCRYPTED)),
        Files(_salted("v1:two", A={"secure": "v1:again"}), _salted("v1:two", B=_ENCRYPTED)),
    ),
    Remedy(
        'write {"regex": ".+"}',
        [visitors(to("front", match=[{"headers": {"@request.auth.claims.group": {}}}])), _PROVING],
        [visitors(to("front", match=[{"headers": {"@request.auth.claims.group": {"regex": ".+"}}}])), _PROVING],
        "1.30",
    ),
    by_hand(
        "so nothing enforces it: use selector",
        "policy for a Service without a waypoint",
        policy("x", {"namespaces": ["shop"]}),
    ),
    by_hand(
        "not of the Gateway API, and ignores targets: use selector",
        "policy for a Gateway of Istio's",
        policy("x", {"namespaces": ["shop"]}),
    ),
    by_hand(
        "name it in targetRefs",
        "policy that selects a waypoint",
        manifest_of(
            "AuthorizationPolicy",
            "calls",
            {
                "targetRefs": [{"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": "way"}],
                "rules": [{}],
            },
        ),
    ),
    by_hand(
        "add one, or set mesh:security.jwt",
        "route by a claim at a gateway that proves no token, in headers",
        visitors(to("front", timeout="1s", match=[{"headers": CLAIM}]), to("front")),
        _PROVING,
    ),
    by_hand(
        "name one in providers, or set mesh:meshConfig.defaultProviders.accessLogging",
        "access logging without a provider",
        telemetry("a", accessLogging=[{"providers": [{"name": "envoy"}]}]),
    ),
    by_hand(
        "name one in providers, or set mesh:meshConfig.defaultProviders.accessLogging",
        "access logging without a provider",
        telemetry("a", accessLogging=[{}]),
        manifest_of("ConfigMap", "istio", namespace="istio-system")
        | {"data": {"mesh": "defaultProviders: {accessLogging: [envoy]}"}},
    ),
    by_hand(
        "label it istio-injection=disabled if that is not intended",
        "namespace that is injected by default",
        injector(sidecarInjectorWebhook=EVERYWHERE),
        manifest_of("Namespace", "other", labels={"istio-injection": "disabled"}),
    ),
    by_hand(
        "label the namespace istio-injection=enabled, or name the image",
        "image for the injector to set, in pods that are not injected",
        manifest_of("Namespace", "plain", labels={"istio-injection": "enabled"}),
        deployment("front", {"app": "front"}, "plain", containers=with_proxy("auto")),
    ),
    by_hand(
        "label the namespace istio-injection=enabled, or name the image",
        "image for the injector to set, in a pod that is not injected",
        PLAIN,
        manifest_of(
            "Pod",
            "front",
            {"containers": with_proxy("docker.io/istio/proxyv2:1.10.3")},
            "plain",
            labels={"app": "front"},
        ),
    ),
    by_hand(
        "set its image to auto, or take it out",
        "proxy of another version than the injector's",
        injector(),
        deployment("front", {"app": "front"}, serviceAccountName="front", containers=with_proxy("auto")),
    ),
    by_hand("only the older one applies: join them", "two PeerAuthentications for one namespace"),
    by_hand("use INSERT_FIRST or ADD", "relative patch", patch("INSERT_FIRST")),
    by_hand("use MERGE or INSERT_FIRST", "patch that adds a route", patch("MERGE", "HTTP_ROUTE")),
    Remedy("allow requests by their paths instead", _denied(paths=["/admin"]), _allowed(paths=["/shop"])),
    Remedy(
        "allow requests by their hosts instead",
        _denied(hosts=["admin.example.com", "admin.example.com:*"]),
        _allowed(hosts=["shop.example.com", "shop.example.com:*"]),
    ),
    Remedy(
        "with a port: add shop.example.com:*",
        _allowed(hosts=["shop.example.com"]),
        _allowed(hosts=["shop.example.com", "shop.example.com:*"]),
    ),
    Remedy(
        "have people log in", _grafana(GF_AUTH_ANONYMOUS_ENABLED="true"), _grafana(GF_AUTH_ANONYMOUS_ENABLED="false")
    ),
)
