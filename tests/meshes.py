"""A small valid mesh for tests, and builders of objects that make it faulty."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mesh import releases

Manifest = dict[str, Any]

GROUPS = {
    "networking.istio.io/v1beta1": ("VirtualService", "DestinationRule", "Gateway", "ServiceEntry", "Sidecar"),
    "networking.istio.io/v1alpha3": ("EnvoyFilter", "WorkloadGroup"),
    "extensions.istio.io/v1alpha1": ("WasmPlugin",),
    "security.istio.io/v1beta1": ("AuthorizationPolicy", "PeerAuthentication", "RequestAuthentication"),
    "telemetry.istio.io/v1alpha1": ("Telemetry",),
    "batch/v1": ("Job", "CronJob"),
    "apps/v1": ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet"),
    "admissionregistration.k8s.io/v1": ("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"),
    "policy/v1": ("PodDisruptionBudget",),
    "autoscaling/v2": ("HorizontalPodAutoscaler",),
    "v1": ("Namespace", "Service", "Secret", "Pod", "ConfigMap"),
}
VERSIONS = {kind: version for version, kinds in GROUPS.items() for kind in kinds}


def manifest_of(kind: str, name: str, spec: Any = None, namespace: str = "shop", **meta: Any) -> Manifest:
    """A manifest; `meta` has its labels and annotations."""
    place = {} if kind == "Namespace" or kind.endswith("WebhookConfiguration") else {"namespace": namespace}
    whole: Manifest = {"apiVersion": VERSIONS[kind], "kind": kind, "metadata": {"name": name, **place, **meta}}
    return whole if spec is None else {**whole, "spec": spec}


def deployment(name: str, labels: Mapping[str, str], namespace: str = "shop", **pod: Any) -> Manifest:
    """A Deployment; `pod` has fields of the pod's spec besides its container."""
    annotations = pod.pop("annotations", {})
    spec = {"containers": [{"name": "app", "image": "app"}], **pod}
    template = {"metadata": {"labels": dict(labels), "annotations": annotations}, "spec": spec}
    return manifest_of("Deployment", name, {"selector": {"matchLabels": dict(labels)}, "template": template}, namespace)


def service(name: str, ports: Sequence[Manifest] | None = None, namespace: str = "shop", **spec: Any) -> Manifest:
    """A Service that selects pods by the label app=<name>."""
    chosen = ports or [{"name": "http", "port": 80, "targetPort": 8080, "protocol": "TCP"}]
    return manifest_of("Service", name, {"selector": {"app": name}, "ports": list(chosen), **spec}, namespace)


def routes(name: str, *http: Manifest, hosts: Sequence[str] = (), **spec: Any) -> Manifest:
    """A VirtualService."""
    return manifest_of("VirtualService", name, {"hosts": list(hosts) or [name], "http": list(http), **spec})


def to(host: str, subset: str = "", **route: Any) -> Manifest:
    """An HTTP route to one destination."""
    destination = {"host": host, **({"subset": subset} if subset else {})}
    return {"route": [{"destination": destination}], **route}


def server(number: int = 80, hosts: Sequence[str] = ("*",), protocol: str = "HTTP", **more: Any) -> Manifest:
    name = f"{protocol.lower()}-{number}"
    return {"port": {"number": number, "name": name, "protocol": protocol}, "hosts": list(hosts), **more}


def gateway(name: str, *servers: Manifest, selector: str = "ingress", namespace: str = "shop") -> Manifest:
    return manifest_of("Gateway", name, {"selector": {"istio": selector}, "servers": list(servers)}, namespace)


VALID = (
    "MIIBBzCBrgIBATAKBggqhkjOPQQDAjAPMQ0wCwYDVQQDDARzaG9wMCAXDTIwMDEwMTAwMDAwMFoYDzIxMjAwMTAxMDAwMDAwWjAP"
    "MQ0wCwYDVQQDDARzaG9wMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEuoKi0YPwdNlGMGzjkwXi4Hm4NLpLBoqqE/RehzyOfP23"
    "54OMOEkale1IwIPVRgrtUpXYub3fc0THm4da7Os0/jAKBggqhkjOPQQDAgNIADBFAiEAuqFBPtjxHGBqi8kynFsNmzAFt9tUsq9N"
    "zX4VScScWisCIB6Ftb0QVWSWcdyLFMyU54Mn0oihOyi8PH6J31yA1pro"
)
"""A certificate for the years 2020 to 2119, in DER and base64."""
ENDED = (
    "MIIBBDCBrAIBAjAKBggqhkjOPQQDAjAPMQ0wCwYDVQQDDARzaG9wMB4XDTIwMDEwMTAwMDAwMFoXDTIxMDEwMTAwMDAwMFowDzEN"
    "MAsGA1UEAwwEc2hvcDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABLqCotGD8HTZRjBs45MF4uB5uDS6SwaKqhP0Xoc8jnz9t+eD"
    "jDhJGpXtSMCD1UYK7VKV2Lm933NEx5uHWuzrNP4wCgYIKoZIzj0EAwIDRwAwRAIgDm67bfOQO0t7CrksMDN7xOrcCNv1i9/2+NTM"
    "Epp2qqECICH2EYQZB+WKw+UOkzvlsfCOXWhoB59LX+W3M2Ykgp7H"
)
"""One for the year 2020."""


def secret(certificate: str = VALID, key: str = "tls.crt") -> Manifest:
    """The Secret `certificate` of the gateway's namespace, with a certificate and a key."""
    pem = f"-----BEGIN CERTIFICATE-----\n{certificate}\n-----END CERTIFICATE-----\n"
    data = {name: base64.b64encode(text.encode()).decode() for name, text in ((key, pem), ("tls.key", "key"))}
    return {**manifest_of("Secret", "certificate", namespace="istio-system"), "data": data}


def valid_mesh() -> list[Manifest]:
    """The valid mesh: a front end, two versions of a cart, an ingress gateway and its routes."""
    proxy = [{"name": "istio-proxy", "image": "proxyv2"}]
    ports = [
        {"name": "http2", "port": 80, "targetPort": 8080, "protocol": "TCP"},
        {"name": "https", "port": 443, "targetPort": 8443, "protocol": "TCP"},
    ]
    ingress = service("ingress", ports, "istio-system", selector={"istio": "ingress"})
    ingress["metadata"]["labels"] = {"istio": "ingress"}
    return [
        manifest_of("Namespace", "shop", labels={"istio-injection": "enabled"}),
        manifest_of("Namespace", "istio-system"),
        deployment("ingress", {"istio": "ingress"}, "istio-system", containers=proxy),
        ingress,
        deployment("front", {"app": "front", "version": "v1"}, serviceAccountName="front"),
        service("front"),
        deployment("cart-v1", {"app": "cart", "version": "v1"}, serviceAccountName="cart"),
        deployment("cart-v2", {"app": "cart", "version": "v2"}, serviceAccountName="cart"),
        service("cart"),
        gateway("way-in", server(80, ["shop.example.com"])),
        routes("visitors", to("front"), hosts=["shop.example.com"], gateways=["way-in"]),
        routes("cart", {"match": [{"uri": {"prefix": "/new"}}], **to("cart", "v2")}, to("cart", "v1")),
        manifest_of(
            "DestinationRule",
            "cart",
            {"host": "cart", "subsets": [{"name": v, "labels": {"version": v}} for v in ("v1", "v2")]},
        ),
        manifest_of(
            "AuthorizationPolicy",
            "cart",
            {
                "selector": {"matchLabels": {"app": "cart"}},
                "rules": [{"from": [{"source": {"principals": ["cluster.local/ns/shop/sa/front"]}}]}],
            },
        ),
        manifest_of("PeerAuthentication", "default", {"mtls": {"mode": "STRICT"}}),
    ]


def changed(objects: Sequence[Manifest]) -> list[Manifest]:
    """The valid mesh with these objects, which replace those of the same name."""
    mesh = {_key(thing): thing for thing in [*valid_mesh(), *objects]}
    return list(mesh.values())


def _key(manifest: Manifest) -> tuple[str, ...]:
    meta, group = manifest["metadata"], manifest["apiVersion"].partition("/")[0]
    return group, manifest["kind"], meta.get("namespace", ""), meta["name"]


@dataclass(frozen=True)
class Fault:
    """Faulty objects, and the findings that are expected for them."""

    name: str
    objects: Sequence[Manifest]
    said: frozenset[tuple[str, str]]
    """Codes of findings, and the objects that they are about."""
    since: str = releases.NAMES[0]
    """The oldest release of which this is said."""
    until: str = releases.NAMES[-1]
    """The newest one."""
    earlier: frozenset[tuple[str, str]] = frozenset()
    """What is said of releases before `since`."""

    def said_of(self, release: str) -> frozenset[tuple[str, str]]:
        """The findings in a release."""
        first, at, last = map(releases.NAMES.index, (self.since, release, self.until))
        if at < first:
            return self.earlier
        return self.said if at <= last else frozenset()


def fault(name: str, said: str, *objects: Manifest, earlier: str = "", **among: str) -> Fault:
    """`said` and `earlier` are `CODE Kind namespace/name; …`; `among` has `since` and `until`."""
    return Fault(name, objects, _findings(said), earlier=_findings(earlier), **among)


def _findings(said: str) -> frozenset[tuple[str, str]]:
    pairs = (entry.strip().partition(" ") for entry in said.split(";") if entry)
    return frozenset((code, ref) for code, _, ref in pairs)
