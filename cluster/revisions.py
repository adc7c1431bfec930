"""The control planes on a cluster and what depends on them: revision tags, namespaces, pods and gateways.

They are read once, with few requests, for the code that shows them or judges the effect of a change.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from cluster import client, injectors, leftovers, sidecars
from cluster.client import Api, Request
from cluster.injectors import Injector, Label
from cluster.sidecars import Sidecar
from mesh.core import pods
from mesh.core.names import DEFAULT_REVISION, REVISION_LABEL
from mesh.proxy import control_plane
from mesh.proxy.control_plane import Name
from mesh.proxy.manual import STATUS
from mesh.proxy.proxy import CONTAINER

Manifest = Mapping[str, Any]

_ISTIOD: Final = "app=istiod"
"""The label of each istiod's Deployment and Services, in every release."""
_PATHS: Final = (
    "/apis/apps/v1/deployments",
    f"/api/v1/services?labelSelector={_ISTIOD}",
    leftovers.INJECTORS,
    "/api/v1/namespaces",
    "/api/v1/pods",
)
_VERSION: Final = re.compile(r":v?(\d+\.\d+(\.\d+)?)[^/]*$")


@dataclass(frozen=True)
class Deployed:
    """A Deployment of Istio's."""

    name: Name
    revision: str
    """Its label `istio.io/rev`; empty without one."""
    image: str
    ready: int
    """Ready pods."""
    wanted: int

    @property
    def version(self) -> str:
        """The version in the tag of its image, such as `1.30.3`; empty if the tag has none."""
        return version(self.image)


@dataclass(frozen=True)
class Namespace:
    """A namespace, and the control plane that injects its pods."""

    name: str
    labels: Mapping[str, str]
    label: Label | None
    """The label that asks for injection, as it is written; None without one."""
    revision: str
    """The revision that injects by this label; empty if no injector answers it."""
    tag: str
    """The revision tag that the label names; empty if it names a revision."""


@dataclass(frozen=True)
class Revisions:
    """The control planes on a cluster and what depends on them."""

    control_planes: Sequence[Deployed]
    """The Deployments of istiod."""
    services: Mapping[Name, str]
    """The Services of control planes and of revision tags, each with the revision that it leads to."""
    injectors: Sequence[Injector]
    namespaces: Mapping[str, Namespace]
    pods: Sequence[Manifest]
    """The pods that have not ended."""
    gateways: Sequence[Deployed]
    """The Deployments of gateways. If istiod sets their image, it is the image of their pods."""
    templates: Mapping[Name, Mapping[str, str]]
    """The labels of the pod template of each Deployment."""

    @property
    def tags(self) -> Mapping[str, str]:
        """The revision that each tag stands for."""
        return {one.tag: one.revision for one in self.injectors if one.tag}

    @cached_property
    def proxies(self) -> Sequence[Sidecar]:
        """The pods that run a proxy, including gateways."""
        return list(sidecars.among(self.pods))

    @cached_property
    def sidecars(self) -> Mapping[str, Sequence[Sidecar]]:
        """The pods whose proxy is a sidecar, by namespace."""
        found: dict[str, list[Sidecar]] = {}
        for one in self.proxies:
            if not one.is_gateway:
                found.setdefault(one.name[0], []).append(one)
        return found

    def asked_by(self, one: Sidecar) -> str:
        """The revision of the control plane that a proxy uses; empty if it is not known, or if there is none."""
        found = {self.services[name] for name in one.asks if name in self.services}
        return next(iter(found)) if len(found) == 1 else ""

    def labels_of_new_pod(self, pod: Manifest) -> Mapping[str, str]:
        """The labels of the next pod that the owner of this pod creates, as far as they are known. The labels of the
        pod itself may come from its injection, as its revision does in Istio 1.10."""
        for maker in sidecars.makers(pod):
            if maker in self.templates:
                return self.templates[maker]
        meta = pod["metadata"]
        labels: Mapping[str, str] = meta.get("labels") or {}
        injected = STATUS in (meta.get("annotations") or {}) and labels.get(REVISION_LABEL) in self.services.values()
        return {key: value for key, value in labels.items() if not (injected and key == REVISION_LABEL)}


def read(api: Api) -> Revisions:
    """Reads a cluster. Raises Refused if the caller may not list Deployments, Services, webhooks, namespaces or
    pods."""
    answers = client.ask_all(api, [Request("GET", path) for path in _PATHS])
    deployments, services, hooks, spaces, all_pods = (client.object_in(one).get("items") or () for one in answers)
    found = tuple(injectors.among(hooks))
    running = [pod for pod in all_pods if not sidecars.has_ended(pod)]
    answering = {label: one for one in found for label in one.namespaces}
    return Revisions(
        control_planes=[_deployed(one, _image(one)) for one in deployments if _is_istiod(one)],
        services={
            sidecars.name(one): (one["metadata"].get("labels") or {}).get(REVISION_LABEL, DEFAULT_REVISION)
            for one in services
            if control_plane.serves_proxies(one)
        },
        injectors=found,
        namespaces={one["metadata"]["name"]: _namespace(one, answering) for one in spaces},
        pods=running,
        gateways=list(_gateways(deployments, running)),
        templates={sidecars.name(one): _template(one).get("labels") or {} for one in deployments},
    )


def version(image: str) -> str:
    """The version in the tag of one of Istio's images; empty if it has none."""
    found = _VERSION.search(image.partition("@")[0])
    return found[1] if found else ""


def _namespace(found: Manifest, answering: Mapping[Label, Injector]) -> Namespace:
    meta = found["metadata"]
    labels = meta.get("labels") or {}
    label = injectors.asked_by_namespace(labels)
    by = answering.get(label) if label else None
    return Namespace(meta["name"], labels, label, by.revision if by else "", by.tag if by else "")


def _is_istiod(deployment: Manifest) -> bool:
    key, _, value = _ISTIOD.partition("=")
    return bool((deployment["metadata"].get("labels") or {}).get(key) == value)


def _gateways(deployments: Sequence[Manifest], running: Sequence[Manifest]) -> Iterator[Deployed]:
    images: dict[Name, str] = {}
    for one in sidecars.among(running):
        if one.is_gateway:
            images.update(dict.fromkeys(sidecars.makers(one.pod), one.image))
    for deployment in deployments:
        spec = deployment["spec"]["template"]["spec"]
        if sidecars.is_gateway(spec):
            yield _deployed(deployment, images.get(sidecars.name(deployment), _image(deployment)))


def _deployed(deployment: Manifest, image: str) -> Deployed:
    labels = {**(_template(deployment).get("labels") or {}), **(deployment["metadata"].get("labels") or {})}
    status, spec = deployment.get("status") or {}, deployment["spec"]
    ready, wanted = status.get("readyReplicas", 0), spec.get("replicas", 1)
    return Deployed(sidecars.name(deployment), labels.get(REVISION_LABEL, ""), image, ready, wanted)


def _template(deployment: Manifest) -> Manifest:
    found: Manifest = deployment["spec"]["template"].get("metadata") or {}
    return found


def _image(deployment: Manifest) -> str:
    """The image of the proxy, or else of the first container."""
    spec = deployment["spec"]["template"]["spec"]
    proxy = pods.running_container(spec, CONTAINER)
    return proxy.image if proxy else str(spec["containers"][0].get("image") or "")
