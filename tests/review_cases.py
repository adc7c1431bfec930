"""Changes of a stack's config, and all that a report has to say of them: risks with their objects, and requests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from components.profiles.merge import merged

Keys = Mapping[str, Any]

PLAIN: Keys = {
    "profile": "default",
    "context": "somewhere",
    "injectedNamespaces": {"bookinfo": "create"},
    "bookinfo": {"namespace": "bookinfo"},
}
VERSIONS: Keys = {"versions": ["v1", "v2", "v3"], "route": "v1"}
TRAFFIC: Keys = {**PLAIN, "traffic": {"services": {"reviews": VERSIONS}}}
CLOSED: Keys = {**PLAIN, "security": {"mtls": "STRICT", "authorization": {"defaultDeny": True}}}
ADDONS: Keys = {**PLAIN, "addons": {"prometheus": {"persistence": {"size": "1Gi"}}, "grafana": {}, "kiali": {}}}
ISSUER: Keys = {"issuer": "https://issuer.example.com", "jwksUri": "https://issuer.example.com/keys"}
HOST: Keys = {
    "hosts": ["shop.example.com"],
    "tls": {"secret": "certificate", "mode": "MUTUAL"},
    "routes": [{"to": {"service": "productpage", "port": 9080}}],
}


@dataclass(frozen=True, kw_only=True)
class Case:
    """A change."""

    name: str
    before: Keys
    change: Keys
    """What is laid over it; None takes a key away."""
    risks: Sequence[str] = ()
    """`word: Kind namespace/name`, for every risk."""
    requests: Sequence[str] = ()
    """Lines on what happens to requests, every one."""

    @property
    def after(self) -> Keys:
        return {key: value for key, value in merged(self.before, self.change).items() if value is not None}


def reviews(**said: Any) -> Keys:
    return {"traffic": {"services": {"reviews": said}}}


CASES: Sequence[Case] = (
    Case(
        name="mutual TLS is no longer required",
        before=CLOSED,
        change={"security": {"mtls": {"mesh": "PERMISSIVE"}}},
    ),
    Case(
        name="no longer for one namespace",
        before=CLOSED,
        change={"security": {"mtls": {"namespaces": {"bookinfo": "DISABLE"}}}},
    ),
    Case(name="the gateway gets an address", before={**PLAIN, "gatewayServiceType": "ClusterIP"}, change={"gatewayServiceType": "LoadBalancer"}),
    Case(name="the gateway loses its address", before=PLAIN, change={"gatewayServiceType": "ClusterIP"}),
    Case(
        name="everybody may connect",
        before={**PLAIN, "gateways": {"istio-ingressgateway": {"loadBalancerSourceRanges": ["10.0.0.0/8"]}}},
        change={"gateways": {"istio-ingressgateway": {"loadBalancerSourceRanges": []}}},
    ),
    Case(name="a host more", before=PLAIN, change={"traffic": {"hosts": {"shop": HOST}}}),
    Case(name="no certificate of clients", before={**PLAIN, "traffic": {"hosts": {"shop": HOST}}}, change={"traffic": {"hosts": {"shop": {"tls": {"mode": "SIMPLE"}}}}}),
    Case(name="an addon in the open", before=ADDONS, change={"addons": {"grafana": {"host": "grafana.example.com"}}}),
    Case(name="addons without logins", before=ADDONS, change={"addons": {"insecureDemo": True}}),
    Case(name="a volume gone", before=ADDONS, change={"addons": {"prometheus": {"persistence": None}}}),
    Case(name="an addon gone", before=ADDONS, change={"addons": {"kiali": False}}),
    Case(name="more memory for an addon", before=ADDONS, change={"addons": {"grafana": {"resources": {"limits": {"memory": "512Mi"}}}}}),
    Case(name="the base gone", before=PLAIN, change={"base": {"enabled": False}, "revision": "canary"}),
    Case(name="a namespace gone", before={**PLAIN, "namespaces": {"edge": "create"}}, change={"namespaces": None}),
    Case(name="no injection for a namespace", before={**PLAIN, "injectedNamespaces": {"bookinfo": "create", "shop": "existing"}}, change={"injectedNamespaces": {"shop": None}}),
    Case(name="validation gone", before=PLAIN, change={"global": {"configValidation": False}}),
    Case(name="the gate off", before=PLAIN, change={"injectionGate": False}),
    Case(
        name="any host outside",
        before={**PLAIN, "meshConfig": {"outboundTrafficPolicy": {"mode": "REGISTRY_ONLY"}}},
        change={"meshConfig": {"outboundTrafficPolicy": {"mode": "ALLOW_ANY"}}},
    ),
    Case(name="no default deny", before=CLOSED, change={"security": {"authorization": {"defaultDeny": False}}}),
    Case(
        name="another caller",
        before=CLOSED,
        change={"security": {"authorization": {"allow": {"more": {"workload": {"app": "ratings"}, "accounts": ["bookinfo-productpage"]}}}}},
    ),
    Case(name="no token", before={**PLAIN, "security": {"jwt": {"issuers": [ISSUER]}}}, change={"security": {"jwt": None}}),
    Case(
        name="a public path",
        before={**PLAIN, "security": {"jwt": {"issuers": [ISSUER], "public": ["/static*"]}}},
        change={"security": {"jwt": {"public": ["/static*", "/login"]}}},
    ),
    Case(
        name="no limit",
        before={**PLAIN, **reviews(**VERSIONS, limit={"requests": 10, "per": "second"})},
        change=reviews(limit=None),
    ),
    Case(
        name="fewer pods",
        before={**PLAIN, "gateways": {"istio-ingressgateway": {"autoscaleMin": 3}}},
        change={"gateways": {"istio-ingressgateway": {"autoscaleMin": 1}}},
    ),
    Case(name="istiod may more", before=PLAIN, change={"global": {"istiod": {"enableAnalysis": True}}}),
    Case(name="manual injection", before=PLAIN, change={"injectedNamespaces": {"bookinfo": {"ownership": "create", "injection": "manual"}}}),
    Case(name="harmless: a canary", before=TRAFFIC, change=reviews(route={"v1": 90, "v3": 10})),
    Case(name="harmless: a user", before=TRAFFIC, change=reviews(rules=[{"match": [{"user": "jason"}], "route": "v2"}])),
    Case(name="harmless: retries and a timeout", before=TRAFFIC, change=reviews(retries={"attempts": 5}, timeout="3s")),
    Case(name="harmless: mutual TLS is required", before=PLAIN, change={"security": {"mtls": "STRICT"}}),
    Case(name="harmless: default deny", before=PLAIN, change={"security": {"authorization": {"defaultDeny": True}}}),
    Case(name="harmless: access log", before=PLAIN, change={"meshConfig": {"accessLogFile": "/dev/stdout"}}),
    Case(name="harmless: more time", before=PLAIN, change={"timeout": 600}),
    Case(name="harmless: a finding that is known", before=PLAIN, change={"analysis": {"suppress": [{"code": "IST0118", "object": "Service a/b", "reason": "known"}]}}),
    Case(name="harmless: another namespace", before=PLAIN, change={"injectedNamespaces": {"shop": "existing"}}),
    Case(name="harmless: a new addon", before=PLAIN, change={"addons": ["prometheus"]}),
)
