"""Checks the images of proxies that are part of pod templates, not injected."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any, Final

from mesh.analysis import codes
from mesh.analysis.findings import Finding
from mesh.analysis.mesh import Mesh
from mesh.analysis.objects import Object
from mesh.analysis.workloads import Workload, injects_by_default
from mesh.core import kinds, pods, words
from mesh.core.names import AUTO_IMAGE, DEFAULT_REVISION, INJECTOR, NAMESPACE_LABEL, REVISION_LABEL, revisioned
from mesh.core.pods import Container
from mesh.proxy import images, overrides
from mesh.proxy.proxy import CONTAINER

_SHOWN: Final = 3
"""The most workloads that a message names."""


def replaced(mesh: Mesh) -> Iterator[Finding]:
    """Only pods that are injected have the image `auto`: no registry has an image of that name."""
    for workload in mesh.workloads.all:
        for container in _proxies(workload) if not workload.injected else ():
            if container.image == AUTO_IMAGE:
                code = codes.AUTO_IMAGE_OF_POD if workload.object.kind == kinds.POD else codes.AUTO_IMAGE
                text = (
                    f"these pods are not injected, so nothing replaces the image {AUTO_IMAGE}: label the"
                    f" namespace {NAMESPACE_LABEL}=enabled, or name the image"
                )
                yield code.at(workload.object, f"{container.path}.image", text)


def alike(mesh: Mesh) -> Iterator[Finding]:
    """In a namespace with injection, proxies in pod templates have the injector's image."""
    wanted_of = {name: _image(values) for name, values in mesh.injectors.items()}
    others: dict[tuple[str, str], list[Object]] = defaultdict(list)
    for workload in mesh.workloads.all:
        namespace = mesh.namespaces.get(workload.namespace)
        if not namespace or not injects_by_default(namespace) or workload.annotations.get(overrides.IMAGE):
            continue
        revision = mesh.revision_of(namespace.labels.get(REVISION_LABEL) or DEFAULT_REVISION)
        wanted = wanted_of.get(revisioned(INJECTOR, revision))
        for container in _proxies(workload):
            if (
                wanted
                and container.image != AUTO_IMAGE
                and images.without_type(container.image) != images.without_type(wanted)
            ):
                others[namespace.name, wanted].append(workload.object)
    for (name, wanted), found in others.items():
        who = words.some([str(obj.ref) for obj in dict.fromkeys(found)], _SHOWN)
        running = all(obj.kind == kinds.POD for obj in found)
        remedy = "restart it" if running else f"set its image to {AUTO_IMAGE}, or take it out"
        if mesh.release.analysis.image_of_each:
            text = f"the image of its proxy is not the injector's, {wanted}: {remedy}"
            yield from (codes.OTHER_PROXY_IMAGE_OF_POD.at(obj, "", text) for obj in dict.fromkeys(found))
        else:
            text = f"the proxy image of {who} is not the injector's, {wanted}: {remedy}"
            yield codes.OTHER_PROXY_IMAGE.at(mesh.namespaces[name], "", text)


def missing(mesh: Mesh) -> Iterator[Finding]:
    """Pods that run have the sidecar that their namespace asks for."""
    for workload in mesh.workloads.all:
        if workload.missed:
            text = "it runs without the sidecar that its namespace asks for: restart it"
            yield codes.WITHOUT_PROXY.at(workload.object, "", text)


def _proxies(workload: Workload) -> Iterator[Container]:
    """The proxies in the template of the pods, of which there is one at most that is not an init container."""
    return (container for container in pods.all_containers(workload.pod) if container.name == CONTAINER)


def _image(values: Mapping[str, Any]) -> str:
    """The image of an injector's proxies."""
    settings = values.get("global") or {}
    image = str((settings.get("proxy") or {}).get("image") or "")
    return image if "/" in image else images.proxy(settings, {}, {})


RULES: Final = (replaced, alike, missing)
