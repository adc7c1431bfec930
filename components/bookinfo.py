"""The Bookinfo application of Istio's tutorial: four services, reviews in three versions, and its way in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pulumi
import pulumi_kubernetes as k8s

from components import kube, meshconfig
from components.gateways import PRODUCT_PAGE
from components.namespaces import Injected
from mesh import api
from mesh.releases.release import Installation
from mesh.requests.journey import Call
from mesh.security.access import account

core = k8s.core.v1

PORT: Final = 9080
GATEWAY: Final = "bookinfo-gateway"
VERSIONS: Final = {
    "details": ("v1",),
    "ratings": ("v1",),
    "reviews": ("v1", "v2", "v3"),
    "productpage": ("v1",),
}
"""The services, and the versions of each."""
SCRATCH: Final = {
    "reviews": {"wlp-output": "/opt/ibm/wlp/output", "tmp": "/tmp"},
    "productpage": {"tmp": "/tmp"},
}
"""Folders that a service writes to."""
ENVIRONMENT: Final = {"reviews": {"LOG_DIR": "/tmp/logs"}}
CALLS: Final = (
    Call(caller={"app": "productpage"}, host="details", port=PORT, path="/details/0"),
    Call(caller={"app": "productpage"}, host="reviews", port=PORT, path="/reviews/0"),
    Call(caller={"app": "reviews", "version": "v2"}, host="ratings", port=PORT, path="/ratings/0"),
    Call(caller={"app": "reviews", "version": "v3"}, host="ratings", port=PORT, path="/ratings/0"),
)
"""Who calls whom for one page; the header `end-user` is passed on."""
PATHS: Final = (
    {"exact": PRODUCT_PAGE},
    {"prefix": "/static"},
    {"exact": "/login"},
    {"exact": "/logout"},
    {"prefix": "/api/v1/products"},
)
"""What the gateway lets through."""


@dataclass(frozen=True, kw_only=True)
class BookinfoArgs:
    """What Bookinfo needs to know."""

    mesh: Installation
    namespace: Injected
    api: Sequence[pulumi.Resource]
    """Istio's definitions and their validation."""
    gateway: bool = True
    """Whether it has a way in of its own."""
    ingress: str = "ingressgateway"
    """Value of the label `istio` of the gateway pods that let visitors in."""


class Bookinfo(pulumi.ComponentResource):
    """The application, its accounts, its Gateway and its VirtualService."""

    def __init__(self, name: str, args: BookinfoArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mesh:bookinfo:Bookinfo", name, None, opts)
        self._args, self._namespace = args, args.namespace
        self._child = args.namespace.other(self)
        for service, versions in VERSIONS.items():
            account = self._account(service)
            self._service(service)
            for version in versions:
                self._deployment(service, version, account)
        if args.gateway:
            self._way_in()
        self.register_outputs({})

    def _account(self, service: str) -> core.ServiceAccount:
        name = account(service)
        metadata = kube.metadata(name, self._namespace.name, {"account": service})
        return core.ServiceAccount(name, metadata=metadata, opts=self._child)

    def _service(self, service: str) -> None:
        port = core.ServicePortArgs(name="http", port=PORT)
        spec = core.ServiceSpecArgs(selector={"app": service}, ports=[port])
        labels = {"app": service, "service": service}
        kube.service(service, self._namespace.name, labels, spec, self._child)

    def _deployment(self, service: str, version: str, account: core.ServiceAccount) -> None:
        manifest: Mapping[str, Any] = _deployment(service, version, self._namespace, self._args.mesh.release.bookinfo)
        if self._namespace.manual:
            manifest = meshconfig.with_sidecar(self._args.mesh, manifest)
        opts = pulumi.ResourceOptions.merge(
            self._namespace.workload(self), pulumi.ResourceOptions(depends_on=[account])
        )
        k8s.apps.v1.Deployment(
            manifest["metadata"]["name"], metadata=manifest["metadata"], spec=manifest["spec"], opts=opts
        )

    def _way_in(self) -> None:
        """Port 80 of the ingress gateway, for any host, to the product page."""
        http = api.Port(number=80, name="http", protocol="HTTP")
        gateway = api.Gateway(selector={"istio": self._args.ingress}, servers=[api.Server(port=http, hosts=["*"])])
        page = api.Destination(host="productpage", port=api.PortSelector(number=PORT))
        route = api.HTTPRoute(
            match=[api.HTTPMatchRequest(uri=api.StringMatch(**path)) for path in PATHS],
            route=[api.HTTPRouteDestination(destination=page)],
        )
        routes = api.VirtualService(hosts=["*"], gateways=[GATEWAY], http=[route])
        namespace, versions = self._namespace.name, self._args.mesh.release.api
        after = self._namespace.other(self, *self._args.api)
        kube.custom(gateway.manifest(GATEWAY, namespace, versions), namespace, after)
        kube.custom(routes.manifest("bookinfo", namespace, versions), namespace, after)


def _deployment(service: str, version: str, namespace: Injected, tag: str) -> dict[str, Any]:
    """One version of a service, as data: so that a sidecar can be put into it."""
    name, labels = f"{service}-{version}", {"app": service, "version": version}
    folders = SCRATCH.get(service, {})
    of_pods: dict[str, Any] = {"labels": labels}
    if namespace.pod_annotations:
        of_pods["annotations"] = dict(namespace.pod_annotations)
    container: dict[str, Any] = {
        "name": service,
        "image": f"docker.io/istio/examples-bookinfo-{service}-{version}:{tag}",
        "imagePullPolicy": "IfNotPresent",
        "ports": [{"containerPort": PORT}],
        "securityContext": {"runAsUser": 1000},
    }
    pod: dict[str, Any] = {"serviceAccountName": account(service), "containers": [container]}
    if service in ENVIRONMENT:
        container["env"] = [{"name": key, "value": value} for key, value in ENVIRONMENT[service].items()]
    if folders:
        container["volumeMounts"] = [{"name": folder, "mountPath": path} for folder, path in folders.items()]
        pod["volumes"] = [{"name": folder, "emptyDir": {}} for folder in folders]
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": namespace.name, "labels": labels, "annotations": kube.managed()},
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": labels},
            "template": {"metadata": of_pods, "spec": pod},
        },
    }
