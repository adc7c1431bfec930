"""The Bookinfo application of Istio's tutorial: four services, reviews in three versions, and an ingress route."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pulumi
import pulumi_kubernetes as k8s

from components import kube
from components.namespaces import Injected, Namespaces
from mesh import api, bookinfo
from mesh.config import settings
from mesh.releases import manual, release
from mesh.releases.release import Installation

core = k8s.core.v1

SCRATCH: Final = {
    bookinfo.REVIEWS: {"wlp-output": "/opt/ibm/wlp/output", "tmp": "/tmp"},
    bookinfo.PRODUCT_PAGE: {"tmp": "/tmp"},
}
"""Folders that a service writes to, which are `emptyDir` volumes: path by volume name."""
ENVIRONMENT: Final = {bookinfo.REVIEWS: {"LOG_DIR": "/tmp/logs"}}


@dataclass(frozen=True, kw_only=True)
class BookinfoArgs:
    """Arguments of Bookinfo."""

    mesh: Installation
    namespace: Injected
    api: Sequence[pulumi.Resource]
    """Istio's custom resource definitions and the validation webhook: custom resources are created after these."""
    gateway: bool = True
    """Whether it gets its own Gateway and VirtualService."""
    ingress: str = "ingressgateway"
    """Value of the label `istio` on the ingress gateway's pods."""


class Bookinfo(pulumi.ComponentResource):
    """Deployments, Services and service accounts of the application, its Gateway and its VirtualService."""

    def __init__(self, name: str, args: BookinfoArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mesh:bookinfo:Bookinfo", name, None, opts)
        self._args, self._namespace = args, args.namespace
        self._child = args.namespace.options(self)
        for service, versions in bookinfo.VERSIONS.items():
            account = self._account(service)
            self._service(service)
            for version in versions:
                self._deployment(service, version, account)
        if args.gateway:
            self._ingress()
        self.register_outputs({})

    def _account(self, service: str) -> core.ServiceAccount:
        name = bookinfo.service_account(service)
        metadata = kube.metadata(name, self._namespace.name, {"account": service})
        return core.ServiceAccount(name, metadata=metadata, opts=self._child)

    def _service(self, service: str) -> None:
        port = core.ServicePortArgs(name="http", port=bookinfo.PORT)
        spec = core.ServiceSpecArgs(selector={"app": service}, ports=[port])
        labels = {"app": service, "service": service}
        kube.service(service, self._namespace.name, labels, spec, self._child)

    def _deployment(self, service: str, version: str, account: core.ServiceAccount) -> None:
        manifest: Mapping[str, Any] = _deployment(
            service, version, self._namespace, self._namespace.mesh.release.bookinfo
        )
        if self._namespace.manual:
            manifest = manual.with_sidecar(self._namespace.mesh, manifest)
        opts = pulumi.ResourceOptions.merge(
            self._namespace.workload_options(self), pulumi.ResourceOptions(depends_on=[account])
        )
        k8s.apps.v1.Deployment(
            manifest["metadata"]["name"], metadata=manifest["metadata"], spec=manifest["spec"], opts=opts
        )

    def _ingress(self) -> None:
        """Routes port 80 of the ingress gateway, for any host, to the product page."""
        http = api.Port(number=80, name="http", protocol="HTTP")
        gateway = api.Gateway(selector={"istio": self._args.ingress}, servers=[api.Server(port=http, hosts=["*"])])
        page = api.Destination(host=bookinfo.PRODUCT_PAGE, port=api.PortSelector(number=bookinfo.PORT))
        route = api.HTTPRoute(
            match=[api.HTTPMatchRequest(uri=api.StringMatch(**path)) for path in bookinfo.VISITOR_PATHS],
            route=[api.HTTPRouteDestination(destination=page)],
        )
        routes = api.VirtualService(hosts=["*"], gateways=[bookinfo.GATEWAY], http=[route])
        namespace, versions = self._namespace.name, self._args.mesh.api
        after = self._namespace.options(self, *self._args.api)
        kube.custom_resource(gateway.manifest(bookinfo.GATEWAY, namespace, versions), namespace, after)
        kube.custom_resource(routes.manifest(bookinfo.VIRTUAL_SERVICE, namespace, versions), namespace, after)


def install(
    chosen: settings.Bookinfo | None,
    mesh: Installation,
    namespaces: Namespaces,
    api: Sequence[pulumi.Resource],
    opts: pulumi.ResourceOptions,
) -> None:
    """Installs Bookinfo if the stack has `mesh:bookinfo`. `api`: Istio's definitions and the validation webhook."""
    if chosen:
        namespace = namespaces.by_name[chosen.namespace]
        Bookinfo("bookinfo", BookinfoArgs(mesh=mesh, namespace=namespace, api=api, gateway=chosen.gateway), opts)


def _deployment(service: str, version: str, namespace: Injected, sample: release.Bookinfo) -> dict[str, Any]:
    """The Deployment of one version of a service, as a manifest into which a sidecar can be injected."""
    name, labels = f"{service}-{version}", {"app": service, "version": version}
    folders = SCRATCH.get(service, {})
    of_pods: dict[str, Any] = {"labels": labels}
    if annotations := {**sample.annotations.get(service, {}), **(namespace.pod_annotations or {})}:
        of_pods["annotations"] = annotations
    container: dict[str, Any] = {
        "name": service,
        "image": f"{sample.hub}/examples-bookinfo-{service}-{version}:{sample.tag}",
        "imagePullPolicy": "IfNotPresent",
        "ports": [{"containerPort": bookinfo.PORT}],
    }
    if sample.user is not None:
        container["securityContext"] = {"runAsUser": sample.user}
    pod: dict[str, Any] = {"serviceAccountName": bookinfo.service_account(service), "containers": [container]}
    if service in ENVIRONMENT:
        container["env"] = [{"name": key, "value": value} for key, value in ENVIRONMENT[service].items()]
    if folders:
        container["volumeMounts"] = [{"name": folder, "mountPath": path} for folder, path in folders.items()]
        pod["volumes"] = [{"name": folder, "emptyDir": {}} for folder in folders]
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": namespace.name, "labels": labels, "annotations": kube.field_manager()},
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": labels},
            "template": {"metadata": of_pods, "spec": pod},
        },
    }
