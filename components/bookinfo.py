"""The Bookinfo application of Istio's tutorial: four services, reviews in three versions, and its way in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import pulumi
import pulumi_kubernetes as k8s

from components import api, kube
from components.gateways import PRODUCT_PAGE
from components.release import ISTIO

core, meta = k8s.core.v1, k8s.meta.v1

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

    namespace: str
    ready: Sequence[pulumi.Resource]
    """The labelled namespace and the injector: pods that start before them would get no sidecar."""
    api: Sequence[pulumi.Resource]
    """Istio's definitions and their validation."""
    ingress: str = "ingressgateway"
    """Value of the label `istio` of the gateway pods that let visitors in."""


class Bookinfo(pulumi.ComponentResource):
    """The application, its accounts, its Gateway and its VirtualService."""

    def __init__(self, name: str, args: BookinfoArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mesh:bookinfo:Bookinfo", name, None, opts)
        self._args = args
        self._child = pulumi.ResourceOptions(parent=self, depends_on=list(args.ready))
        for service, versions in VERSIONS.items():
            account = self._account(service)
            self._service(service)
            for version in versions:
                self._deployment(service, version, account)
        self._way_in()
        self.register_outputs({})

    def _account(self, service: str) -> core.ServiceAccount:
        name = f"bookinfo-{service}"
        metadata = kube.metadata(name, self._args.namespace, {"account": service})
        return core.ServiceAccount(name, metadata=metadata, opts=self._child)

    def _service(self, service: str) -> None:
        port = core.ServicePortArgs(name="http", port=PORT)
        spec = core.ServiceSpecArgs(selector={"app": service}, ports=[port])
        labels = {"app": service, "service": service}
        kube.service(service, self._args.namespace, labels, spec, self._child)

    def _deployment(self, service: str, version: str, account: core.ServiceAccount) -> None:
        name, labels = f"{service}-{version}", {"app": service, "version": version}
        folders = SCRATCH.get(service, {})
        container = core.ContainerArgs(
            name=service,
            image=f"docker.io/istio/examples-bookinfo-{service}-{version}:{ISTIO.bookinfo_tag}",
            image_pull_policy="IfNotPresent",
            ports=[core.ContainerPortArgs(container_port=PORT)],
            env=[core.EnvVarArgs(name=k, value=v) for k, v in ENVIRONMENT.get(service, {}).items()] or None,
            volume_mounts=[core.VolumeMountArgs(name=k, mount_path=v) for k, v in folders.items()] or None,
            security_context=core.SecurityContextArgs(run_as_user=1000),
        )
        volumes = [core.VolumeArgs(name=k, empty_dir=core.EmptyDirVolumeSourceArgs()) for k in folders]
        k8s.apps.v1.Deployment(
            name,
            metadata=kube.metadata(name, self._args.namespace, labels),
            spec=k8s.apps.v1.DeploymentSpecArgs(
                replicas=1,
                selector=meta.LabelSelectorArgs(match_labels=labels),
                template=core.PodTemplateSpecArgs(
                    metadata=meta.ObjectMetaArgs(labels=labels),
                    spec=core.PodSpecArgs(
                        service_account_name=account.metadata.name,
                        containers=[container],
                        volumes=volumes or None,
                    ),
                ),
            ),
            opts=self._child,
        )

    def _way_in(self) -> None:
        """Port 80 of the ingress gateway, for any host, to the product page."""
        http = {"number": 80, "name": "http", "protocol": "HTTP"}
        gateway = api.Gateway.model_validate(
            {"selector": {"istio": self._args.ingress}, "servers": [{"port": http, "hosts": ["*"]}]}
        )
        to = {"destination": {"host": "productpage", "port": {"number": PORT}}}
        routes = api.VirtualService.model_validate(
            {
                "hosts": ["*"],
                "gateways": [GATEWAY],
                "http": [{"match": [{"uri": uri} for uri in PATHS], "route": [to]}],
            }
        )
        namespace = self._args.namespace
        after = pulumi.ResourceOptions(parent=self, depends_on=[*self._args.ready, *self._args.api])
        kube.custom(gateway.manifest(GATEWAY, namespace), namespace, after)
        kube.custom(routes.manifest("bookinfo", namespace), namespace, after)
