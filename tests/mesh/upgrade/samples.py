"""For each rule: objects and settings that it concerns, and others as near as possible that it does not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.meshes import Manifest, deployment, manifest_of, routes, service, to

Data = Mapping[str, Any]


@dataclass(frozen=True)
class Sample:
    """What a rule is tried with, beside a namespace `shop` that is injected."""

    name: str
    """The name of the rule."""
    place: str
    """The place that it names, with the path: `Kind namespace/name path`, or `mesh:key`."""
    hit: Sequence[Manifest] = ()
    miss: Sequence[Manifest] = ()
    settings: Data = field(default_factory=dict)
    """Values of the earlier installation in both cases."""
    hit_settings: Data = field(default_factory=dict)
    miss_settings: Data = field(default_factory=dict)


def rule(name: str, policy: Any = None, **spec: Any) -> Manifest:
    """A DestinationRule for the host of its name."""
    return manifest_of("DestinationRule", name, {"host": name, "trafficPolicy": policy or {}, **spec})


def entry(name: str, namespace: str = "shop", **spec: Any) -> Manifest:
    """A ServiceEntry for NAME.example.com, port 80."""
    ports = spec.pop("ports", [{"number": 80, "name": "http", "protocol": "HTTP"}])
    return manifest_of("ServiceEntry", name, {"hosts": [f"{name}.example.com"], "ports": ports, **spec}, namespace)


def operation(**fields: Any) -> Manifest:
    """An AuthorizationPolicy for requests."""
    return manifest_of("AuthorizationPolicy", "cart", {"rules": [{"to": [{"operation": fields}]}]})


def peers(name: str, mode: str, **spec: Any) -> Manifest:
    return manifest_of("PeerAuthentication", name, {"mtls": {"mode": mode}, **spec})


def tokens(**rule: Any) -> Manifest:
    """A RequestAuthentication with one rule."""
    rules = [{"issuer": "https://id.example.com", **rule}]
    return manifest_of("RequestAuthentication", "cart", {"jwtRules": rules})


def patch(apply_to: str = "HTTP_FILTER", match: Any = None, **patch: Any) -> Manifest:
    """An EnvoyFilter with one patch."""
    return patches({"applyTo": apply_to, "match": match or {}, "patch": patch})


def patches(*several: Any) -> Manifest:
    return manifest_of("EnvoyFilter", "extra", {"configPatches": list(several)})


def for_proxies(version: str, **match: Any) -> Any:
    """A patch for proxies of a version."""
    found = {"context": "SIDECAR_INBOUND", "proxy": {"proxyVersion": version}, **match}
    return {"applyTo": "HTTP_FILTER", "match": found, "patch": {"operation": "INSERT_FIRST", "value": LUA}}


def in_chain(name: str) -> Any:
    """A match of the network filter of a name."""
    return {"listener": {"filterChain": {"filter": {"name": name}}}}


def probing(**probe: Any) -> Manifest:
    """A workload whose container has a readiness probe."""
    containers = [{"name": "app", "image": "app", "readinessProbe": probe}]
    return deployment("cart", {"app": "cart"}, containers=containers)


def other(version: str, kind: str, name: str) -> Manifest:
    """An object of another project, without a spec."""
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name, "namespace": "shop"}, "spec": {}}


LUA_TYPE = "type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua"
LUA: Any = {
    "name": "extra",
    "typed_config": {
        "@type": LUA_TYPE,
        "defaultSourceCode": {"inlineString": "function envoy_on_request(handle) end"},
    },
}


def reading(metadata: str) -> Any:
    """A filter that reads metadata of requests."""
    code = f'function envoy_on_request(handle) handle:streamInfo():dynamicMetadata():get("{metadata}") end'
    return {**LUA, "typed_config": {"@type": LUA_TYPE, "defaultSourceCode": {"inlineString": code}}}


CAPTURE = {"meshConfig": {"defaultConfig": {"proxyMetadata": {"ISTIO_META_DNS_CAPTURE": "true"}}}}
TWO = deployment("cart", {"app": "cart"})
TWO["spec"]["replicas"] = 2
ONE = deployment("cart", {"app": "cart"})
VERSIONS = (
    *(deployment(f"cart-{version}", {"app": "cart", "version": version}) for version in ("v1", "v2")),
    rule("cart", subsets=[{"name": version, "labels": {"version": version}} for version in ("v1", "v2")]),
)
"""Two versions with one pod each, and their subsets."""
SSH = service("cart", [{"name": "tcp-ssh", "port": 22}])
INCLUDED, EXCLUDED = (f"traffic.sidecar.istio.io/{name}InboundPorts" for name in ("include", "exclude"))
CLAIM = [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}]
ZIPKIN = service("zipkin", namespace="istio-system")
PLAIN_TLS = {"tls": {"mode": "SIMPLE"}}
NULL = {
    **LUA,
    "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm",
        "config": {"vmConfig": {"runtime": "envoy.wasm.runtime.null", "code": {"local": {"inlineString": "x"}}}},
    },
}
V8 = {
    **LUA,
    "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm",
        "config": {"vmConfig": {"runtime": "envoy.wasm.runtime.v8", "code": {"local": {"inlineString": "x"}}}},
    },
}
KIALI = {"app.kubernetes.io/name": "kiali"}


def labelled(name: str, **labels: str) -> Manifest:
    return manifest_of("Namespace", name, labels=labels)


def tracing(**tracer: Any) -> Data:
    """The settings of a tracer for all proxies."""
    return {"meshConfig": {"defaultConfig": {"tracing": tracer}}}


def gateway_route(header: str) -> Manifest:
    """A route of a gateway with a condition on a header."""
    match = [{"headers": {header: {"exact": "true"}}}]
    return routes("way", {"match": match, **to("cart", retries={"attempts": 0})}, gateways=["way-in"])


SAMPLES = (
    Sample(
        "default-load-balancer",
        "Service shop/cart",
        hit=[service("cart"), TWO],
        miss=[service("cart"), TWO, rule("cart", {"loadBalancer": {"simple": "RANDOM"}})],
    ),
    Sample("default-load-balancer", "Service shop/cart", [service("cart"), TWO], [service("cart"), ONE]),
    Sample(
        "default-load-balancer",
        "Service shop/cart",
        [service("cart"), TWO],
        [service("cart", clusterIP="None"), TWO],  # connections go to the pod that DNS has named
    ),
    Sample(
        "default-load-balancer",
        "Service shop/cart",
        [service("cart"), TWO, rule("cart", {"loadBalancer": {"localityLbSetting": {"enabled": True}}})],
        [service("cart"), TWO, rule("*.local", {"loadBalancer": {"consistentHash": {"useSourceIp": True}}})],
    ),
    Sample(
        "default-load-balancer",
        "Service shop/cart",
        [service("cart"), *VERSIONS, routes("cart", to("cart"))],
        [
            *(service("cart"), *VERSIONS, routes("cart", to("cart", "v1"))),  # the one pod of the subset
            deployment("front", {"app": "front", "version": "v1"}),
        ],
    ),
    Sample(
        "default-retries",
        "Service shop/cart",
        [service("cart"), ONE, routes("cart", to("cart"))],
        [service("cart"), ONE, routes("cart", to("cart", retries={"attempts": 1}))],
    ),
    Sample(
        "default-retries",
        "Service shop/cart",
        [service("cart"), ONE],
        [service("cart", [{"name": "tcp", "port": 80}]), ONE],
    ),
    Sample(
        "mirror-host",
        "VirtualService shop/cart http[0].mirror",
        [routes("cart", to("cart", mirror={"host": "copy"}))],
        [routes("cart", to("cart", mirror={"host": "copy"}, mirrorPercentage={"value": 0}))],
    ),
    Sample(
        "without-headers",
        "VirtualService shop/cart http[0].match[0].withoutHeaders.kind",
        [routes("cart", {"match": [{"withoutHeaders": {"kind": {"exact": "a"}}}], **to("cart")})],
        [routes("cart", {"match": [{"withoutHeaders": {"kind": {}}}], **to("cart")})],
    ),
    Sample(
        "wildcard-hosts",
        "VirtualService shop/narrow hosts",
        [routes("wide", to("cart"), hosts=["*.example.com"]), routes("narrow", to("cart"), hosts=["a.example.com"])],
        [routes("wide", to("cart"), hosts=["*.example.com"]), routes("narrow", to("cart"), hosts=["a.example.org"])],
    ),
    Sample(
        "external-names",
        "Service shop/bank",
        [service("bank", type="ExternalName", externalName="bank.example.com", selector=None)],
        [manifest_of("Service", "bank", {"type": "ExternalName", "externalName": "bank.example.com"})],
    ),
    Sample(
        "external-names",
        "Service shop/bank",
        [manifest_of("Service", "bank", {"type": "ExternalName", "externalName": "b.example.com"}), rule("bank")],
        [manifest_of("Service", "bank", {"type": "ExternalName", "externalName": "b.example.com"}), rule("cart")],
    ),
    Sample(
        "target-port-of-none",
        "ServiceEntry shop/bank ports[0].targetPort",
        [entry("bank", ports=[{"number": 80, "name": "http", "protocol": "HTTP", "targetPort": 443}])],
        [
            entry(
                "bank",
                ports=[{"number": 80, "name": "http", "protocol": "HTTP", "targetPort": 443}],
                resolution="DNS",
            )
        ],
    ),
    Sample(
        "same-host",
        "ServiceEntry shop/bank",
        [entry("bank"), entry("bank", "till")],
        [entry("bank"), entry("bank", "till", exportTo=["."])],
    ),
    Sample(
        "exported-rules",
        "DestinationRule shop/cart exportTo",
        [rule("cart"), {**rule("cart", exportTo=["."]), "metadata": {"name": "own", "namespace": "shop"}}],
        [rule("cart"), {**rule("cart", exportTo=["*"]), "metadata": {"name": "own", "namespace": "shop"}}],
    ),
    Sample(
        "allocated-addresses",
        "ServiceEntry shop/bank",
        [entry("bank", resolution="DNS")],
        [entry("bank", resolution="DNS", addresses=["192.0.2.1"])],
        settings=CAPTURE,
    ),
    Sample(
        "allocated-addresses",
        "ServiceEntry shop/bank",
        [entry("bank", resolution="DNS")],
        [entry("bank", resolution="DNS")],
        hit_settings=CAPTURE,
    ),
    Sample(
        "discovery-selectors",
        "DestinationRule shop/cart",
        [rule("cart")],
        [rule("cart"), labelled("shop", mesh="yes")],
        settings={"meshConfig": {"discoverySelectors": [{"matchLabels": {"mesh": "yes"}}]}},
    ),
    Sample(
        "circuit-breaker-metrics",
        "DestinationRule shop/cart",
        [rule("cart", {"connectionPool": {"tcp": {"maxConnections": 1}}})],
        [rule("cart", {"loadBalancer": {"simple": "RANDOM"}})],
    ),
    Sample(
        "server-certificates",
        "DestinationRule shop/bank trafficPolicy.tls",
        [rule("bank", PLAIN_TLS)],
        [rule("bank", {"tls": {"mode": "SIMPLE", "caCertificates": "/ca.pem", "sni": "bank.example.com"}})],
    ),
    Sample(
        "server-certificates",
        "DestinationRule shop/bank subsets[0].trafficPolicy.portLevelSettings[0].tls",
        [
            rule(
                "bank",
                subsets=[
                    {"name": "a", "trafficPolicy": {"portLevelSettings": [{"port": {"number": 443}, **PLAIN_TLS}]}}
                ],
            )
        ],
        [rule("bank", {"tls": {"mode": "ISTIO_MUTUAL"}})],
    ),
    Sample(
        "server-certificates",
        "DestinationRule shop/bank trafficPolicy.tls",
        [rule("bank", {"tls": {"mode": "MUTUAL", "clientCertificate": "/c.pem", "privateKey": "/k.pem"}})],
        [rule("bank", {"tls": {"mode": "SIMPLE", "credentialName": "bank"}})],
    ),
    Sample(
        "server-names",
        "DestinationRule shop/bank trafficPolicy.tls",
        [rule("bank", {"tls": {"mode": "SIMPLE", "caCertificates": "/ca.pem"}})],
        [rule("bank", {"tls": {"mode": "SIMPLE", "caCertificates": "/ca.pem", "subjectAltNames": ["bank"]}})],
    ),
    Sample(
        "workload-mtls",
        "PeerAuthentication shop/cart",
        [peers("default", "STRICT"), peers("cart", "DISABLE", selector={"matchLabels": {"app": "cart"}})],
        [peers("default", "STRICT"), peers("cart", "PERMISSIVE", selector={"matchLabels": {"app": "cart"}})],
    ),
    Sample(
        "key-addresses",
        "RequestAuthentication shop/cart jwtRules[0]",
        [tokens(jwksUri="https://id.example.com/keys")],
        [tokens(jwks="{}")],
    ),
    Sample(
        "host-case",
        "AuthorizationPolicy shop/cart rules[0].to[0].operation.hosts",
        [operation(hosts=["shop.example.com"])],
        [operation(ports=["80"])],
    ),
    Sample(
        "path-templates",
        "AuthorizationPolicy shop/cart rules[0].to[0].operation.paths",
        [operation(paths=["/carts/{*}"])],
        [operation(paths=["/carts/*"])],
    ),
    Sample(
        "internal-headers",
        "VirtualService shop/way http[0].match[0].headers.x-envoy-internal",
        [gateway_route("x-envoy-internal")],
        [gateway_route("x-internal")],
    ),
    Sample(
        "debug-endpoints",
        "Deployment shop/kiali",
        [deployment("kiali", KIALI)],
        [deployment("kiali", KIALI, "istio-system")],
    ),
    Sample(
        "native-sidecars",
        "Deployment shop/cart",
        [ONE],
        [deployment("cart", {"app": "cart", "sidecar.istio.io/inject": "false"})],
    ),
    Sample("startup-probes", "Deployment shop/cart", [ONE], [deployment("cart", {"app": "cart"}, "elsewhere")]),
    Sample(
        "tcp-probes",
        "Deployment shop/cart template.spec.containers[0].readinessProbe",
        [probing(tcpSocket={"port": 8080})],
        [probing(httpGet={"port": 8080})],
    ),
    Sample(
        "port-22",
        "Deployment shop/cart",
        [service("cart", [{"name": "tcp", "port": 2222, "targetPort": 22}]), ONE],
        [service("cart", [{"name": "tcp", "port": 22, "targetPort": 2222}]), ONE],
    ),
    Sample(
        "port-22",
        "Deployment shop/cart",
        [SSH, deployment("cart", {"app": "cart"}, annotations={INCLUDED: "80,22"})],
        [SSH, deployment("cart", {"app": "cart"}, annotations={INCLUDED: "80"})],
    ),
    Sample(
        "port-22",
        "Deployment shop/cart",
        [SSH, deployment("cart", {"app": "cart"}, annotations={EXCLUDED: "2222"})],
        [SSH, deployment("cart", {"app": "cart"}, annotations={EXCLUDED: "80,22"})],
    ),
    Sample(
        "volume-groups",
        "Deployment shop/cart",
        [deployment("cart", {"app": "cart"}, volumes=CLAIM)],
        [deployment("cart", {"app": "cart"}, volumes=CLAIM, securityContext={"fsGroup": 1000})],
    ),
    Sample(
        "volume-groups",
        "StatefulSet shop/cart",
        [manifest_of("StatefulSet", "cart", {**ONE["spec"], "volumeClaimTemplates": [{"metadata": {"name": "a"}}]})],
        [manifest_of("StatefulSet", "cart", {**ONE["spec"], "volumeClaimTemplates": []})],
    ),
    Sample(
        "volume-groups",
        "Deployment shop/cart",
        [deployment("cart", {"app": "cart"}, volumes=CLAIM)],
        [deployment("cart", {"app": "cart"}, volumes=CLAIM)],
        miss_settings={"pilot": {"env": {"ENABLE_LEGACY_FSGROUP_INJECTION": "false"}}},
    ),
    Sample(
        "sidecar-threads",
        "Deployment shop/cart",
        [deployment("cart", {"app": "cart"}, annotations={"sidecar.istio.io/proxyCPULimit": "2500m"})],
        [deployment("cart", {"app": "cart"}, annotations={"sidecar.istio.io/proxyCPULimit": "1500m"})],
    ),
    Sample(
        "sidecar-threads",
        "Deployment shop/cart",
        [ONE],
        [ONE],
        settings={"global": {"proxy": {"resources": {"limits": {"cpu": "4"}}}}},
        miss_settings={"meshConfig": {"defaultConfig": {"concurrency": 2}}},
    ),
    Sample(
        "gateway-threads",
        "mesh:gateways.istio-ingressgateway",
        miss_settings={"gateways": {"istio-ingressgateway": {"enabled": False}}},
    ),
    Sample(
        "dns-exclusions",
        "Deployment shop/cart template.metadata.annotations",
        [deployment("cart", {"app": "cart"}, annotations={"traffic.sidecar.istio.io/excludeOutboundPorts": "80,53"})],
        [deployment("cart", {"app": "cart"}, annotations={"traffic.sidecar.istio.io/excludeOutboundPorts": "5300"})],
        settings=CAPTURE,
    ),
    Sample(
        "filter-names",
        "EnvoyFilter shop/extra configPatches[0].match.listener.filterChain.filter.name",
        [patch(match=in_chain("envoy.tcp_proxy"), operation="REMOVE")],
        [patch(match=in_chain("envoy.filters.network.tcp_proxy"), operation="REMOVE")],
    ),
    Sample(
        "filter-types",
        "EnvoyFilter shop/extra configPatches[0].patch.value",
        [patch(operation="INSERT_FIRST", value={"name": "envoy.filters.http.grpc_web"})],
        [patch(operation="INSERT_FIRST", value=LUA)],
    ),
    Sample(
        "virtual-host-names",
        "EnvoyFilter shop/extra configPatches[0].match.routeConfiguration.vhost.name",
        [patch("VIRTUAL_HOST", {"routeConfiguration": {"vhost": {"name": "cart:80"}}}, operation="MERGE", value={})],
        [
            patch(
                "VIRTUAL_HOST",
                {"context": "GATEWAY", "routeConfiguration": {"vhost": {"name": "cart:80"}}},
                operation="MERGE",
                value={},
            )
        ],
    ),
    Sample(
        "proxy-versions",
        "EnvoyFilter shop/extra configPatches[0].match.proxy.proxyVersion",
        [patches(for_proxies(r"^1\.10.*"))],
        [patches(for_proxies(r"^1\.10.*"), for_proxies(r"^1\.30.*"))],
    ),
    Sample(
        "proxy-versions",
        "EnvoyFilter shop/extra configPatches[0].match.proxy.proxyVersion",
        [patches(for_proxies(r"^1\.10.*"), for_proxies(r"^1\.30.*", context="GATEWAY"))],
        [patches(for_proxies(r"^1\..*"))],
    ),
    Sample(
        "proxy-versions",
        "EnvoyFilter shop/extra configPatches[0].match.proxy.proxyVersion",
        [patches(for_proxies(r"1\.10"))],  # somewhere in the version
        [patches(for_proxies(r"^1\.9.*"))],  # no proxy of either release
    ),
    Sample(
        "gone-filters",
        "EnvoyFilter shop/extra configPatches[0]",
        [patch(operation="INSERT_FIRST", value=NULL)],
        [patch(operation="INSERT_FIRST", value=V8)],
    ),
    Sample(
        "gone-filters",
        "EnvoyFilter shop/extra configPatches[0]",
        [patches({**for_proxies(r"^1\..*"), "patch": {"operation": "INSERT_FIRST", "value": NULL}})],
        [patches({**for_proxies(r"^1\.10.*"), "patch": {"operation": "INSERT_FIRST", "value": NULL}})],
    ),
    Sample(
        "default-load-balancer",
        "ServiceEntry shop/bank",
        [entry("bank", resolution="STATIC", endpoints=[{"address": "192.0.2.1"}, {"address": "192.0.2.2"}])],
        [entry("bank", resolution="STATIC", endpoints=[{"address": "192.0.2.1"}])],
    ),
    Sample(
        "gone-filters",
        "EnvoyFilter shop/extra configPatches[0]",
        [patch(operation="INSERT_FIRST", value=reading("istio_authn"))],
        [patch(operation="INSERT_FIRST", value=reading("envoy.filters.http.jwt_authn"))],
    ),
    Sample(
        "default-tracing",
        "Service istio-system/zipkin",
        [ZIPKIN],
        [service("zipkin")],  # in another namespace
    ),
    Sample(
        "default-tracing",
        "Service istio-system/zipkin",
        [ZIPKIN],
        [ZIPKIN],
        miss_settings={"meshConfig": {"enableTracing": False}},
    ),
    Sample(
        "opencensus-tracers",
        "mesh:meshConfig.extensionProviders[0].opencensus",
        hit_settings={
            "meshConfig": {"extensionProviders": [{"name": "a", "opencensus": {"service": "a.b", "port": 1}}]}
        },
        miss_settings={"meshConfig": {"extensionProviders": [{"name": "a", "zipkin": {"service": "a.b", "port": 1}}]}},
    ),
    Sample(
        "lightstep-tracers",
        "mesh:global.proxy.tracer",
        hit_settings={"global": {"proxy": {"tracer": "lightstep"}}},
        miss_settings={"global": {"proxy": {"tracer": "datadog"}}},
    ),
    Sample(
        "lightstep-tracers",
        "mesh:meshConfig.defaultConfig.tracing.lightstep",
        hit_settings=tracing(lightstep={"address": "a.b:1", "accessToken": "t"}),
        miss_settings=tracing(zipkin={"address": "a.b:1"}),
    ),
    Sample(
        "gateway-spans",
        "mesh:gateways.istio-ingressgateway",
        hit_settings={"meshConfig": {"defaultConfig": {"tracing": {"zipkin": {"address": "zipkin.shop:9411"}}}}},
    ),
    Sample("cni-files", "mesh:cni", hit_settings={"cni": {"enabled": True}}),
    Sample(
        "gateway-api",
        "Gateway.networking.x-k8s.io shop/way",
        [other("networking.x-k8s.io/v1alpha1", "Gateway", "way")],
        [other("gateway.networking.k8s.io/v1", "Gateway", "way")],
    ),
    Sample(
        "operator",
        "IstioOperator shop/mesh",
        [other("install.istio.io/v1alpha1", "IstioOperator", "mesh")],
        [other("install.example.com/v1", "IstioOperator", "mesh")],
    ),
    Sample(
        "gone-settings",
        "mesh:pilot.enableProtocolSniffingForInbound",
        hit_settings={"pilot": {"enableProtocolSniffingForInbound": False}},
        miss_settings={"pilot": {"traceSampling": 5}},
    ),
    Sample(
        "gone-variables",
        "mesh:pilot.env.PILOT_ENABLE_INBOUND_PASSTHROUGH",
        hit_settings={"pilot": {"env": {"PILOT_ENABLE_INBOUND_PASSTHROUGH": "false"}}},
        miss_settings={"pilot": {"env": {"PILOT_HTTP10": "true"}}},
    ),
    Sample(
        "gone-variables",
        "mesh:gateways.istio-ingressgateway.env.ISTIO_META_ROUTER_MODE",
        hit_settings={"gateways": {"istio-ingressgateway": {"env": {"ISTIO_META_ROUTER_MODE": "sni-dnat"}}}},
        miss_settings={"gateways": {"istio-ingressgateway": {"env": {"ISTIO_META_ROUTER_MODE": "standard"}}}},
    ),
    Sample(
        "gone-annotations",
        "Deployment shop/cart template.metadata.annotations",
        [deployment("cart", {"app": "cart"}, annotations={"sidecar.istio.io/enableCoreDump": "true"})],
        [deployment("cart", {"app": "cart"}, annotations={"sidecar.istio.io/logLevel": "info"})],
    ),
    Sample(
        "refused-objects",
        "AuthorizationPolicy shop/cart rules[0].to[0].operation.paths[0]",
        [operation(paths=["/carts/{id}"])],
        [operation(paths=["/carts/id"])],
    ),
)
