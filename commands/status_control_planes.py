"""The control planes, tags and sidecars that `make status` shows."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from cluster import client, leftovers
from cluster.client import Api
from mesh.config.stack import Stack
from mesh.core import pods, words
from mesh.core.names import DEFAULT_REVISION, EMBEDDED_CLUSTERS, INJECTOR, NAMESPACE_LABEL, REVISION_LABEL, TAG_LABEL
from mesh.proxy import images
from mesh.proxy.proxy import CONTAINER
from mesh.releases.release import Installation, Release

Manifest = Mapping[str, Any]


def rows(api: Api, stack: Stack) -> Iterator[list[str]]:
    """A row for each control plane of a stack that has several: revision, version, ready pods, support."""
    planes = [one for one in stack.installations.values() if one.values.pilot.enabled]
    for mesh in planes if len(planes) > 1 else ():
        path = f"/apis/apps/v1/namespaces/{mesh.root}/deployments/{mesh.revisioned('istiod')}"
        found = client.find(api, path) or {}
        ready = (found.get("status") or {}).get("readyReplicas", 0)
        wanted = (found.get("spec") or {}).get("replicas", 1)
        state = f"{ready}/{wanted} ready" if found else "not installed"
        yield [mesh.revision, mesh.values.tag, state, _support(mesh.release), _kind(stack, mesh)]


def _support(release: Release) -> str:
    end = release.end_of_life
    over = datetime.fromisoformat(end).replace(tzinfo=UTC) < datetime.now(UTC)
    return f"end of life {end}" if over else f"supported until {end}"


def _kind(stack: Stack, mesh: Installation) -> str:
    """Whether an istiod on an embedded cluster is a process of its own."""
    if stack.settings.context not in EMBEDDED_CLUSTERS:
        return ""
    return "real" if mesh.release.runs_istiod else "simulated"


def tags(api: Api) -> Mapping[str, str]:
    """The revision of each tag on the cluster."""
    found = (one["metadata"].get("labels") or {} for one in client.items(api, leftovers.INJECTORS))
    return {
        labels[TAG_LABEL]: labels[REVISION_LABEL] for labels in found if {TAG_LABEL, REVISION_LABEL} <= labels.keys()
    }


def sidecars(api: Api, stack: Stack, known: Mapping[str, str]) -> Iterator[str]:
    """The pods of each namespace that a control plane of the stack injects: how many run the sidecar that they would
    get now, and which do not. `known` are the tags."""
    current = {revision: image for revision, mesh in stack.installations.items() if (image := _image(api, mesh))}
    several = len(current) > 1
    for namespace in _labelled(api):
        name, asked = namespace["metadata"]["name"], _asked(namespace)
        revision = known.get(asked, asked)
        if revision in current:
            by = f"{revision}{f' by tag {asked}' if asked in known and asked != revision else ''}: " if several else ""
            yield from _of_namespace(api, name, by, current[revision])


def _labelled(api: Api) -> list[Manifest]:
    """The namespaces that ask for injection by either label."""
    found = {
        one["metadata"]["name"]: one
        for label in (f"{NAMESPACE_LABEL}=enabled", REVISION_LABEL)
        for one in client.items(api, f"/api/v1/namespaces?labelSelector={quote(label)}")
    }
    return [found[name] for name in sorted(found)]


def _asked(namespace: Manifest) -> str:
    labels = namespace["metadata"].get("labels") or {}
    return DEFAULT_REVISION if NAMESPACE_LABEL in labels else labels[REVISION_LABEL]


def _image(api: Api, mesh: Installation) -> str:
    """The image of the sidecars that a control plane injects; empty if it injects none here."""
    if mesh.values.global_.omitSidecarInjectorConfigMap:
        return ""
    found = client.find(api, f"/api/v1/namespaces/{mesh.root}/configmaps/{mesh.revisioned(INJECTOR)}")
    if found is None:
        return ""
    values = json.loads(found["data"]["values"])["global"]
    named: str = values["proxy"]["image"]
    config = mesh.release.mesh_config(mesh).get("defaultConfig") or {}
    return named if "/" in named else images.proxy(values, config, {})


def _of_namespace(api: Api, name: str, by: str, current: str) -> Iterator[str]:
    running = {pod["metadata"]["name"]: proxy(pod) for pod in client.items(api, f"/api/v1/namespaces/{name}/pods")}
    without = sorted(pod for pod, image in running.items() if image is None)
    old = sorted(pod for pod, image in running.items() if image not in (None, current))
    good = len(running) - len(without) - len(old)
    yield f"sidecars  namespace {name}: {by}{words.count(len(running), 'pod')}, {good} with {current}"
    yield from (f"          old: {pod} runs {running[pod]}; restart it" for pod in old)
    yield from (f"          without a sidecar: {pod}" for pod in without)


def proxy(pod: Manifest) -> str | None:
    """The image of the pod's sidecar."""
    sidecar = pods.running_container(pod["spec"], CONTAINER)
    return sidecar.image if sidecar else None
