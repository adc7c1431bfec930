"""Manual injection: a workload with its sidecar in it, as Istio's injector would have made its pods."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from mesh.core import errors
from mesh.proxy import probes, proxyconfig
from mesh.proxy.annotations import InjectionError, check
from mesh.proxy.expr import Node, wire
from mesh.proxy.proxy import CONTAINER
from mesh.proxy.source import Source
from mesh.proxy.workload import Workload

INJECT: Final = "sidecar.istio.io/inject"
STATUS: Final = "sidecar.istio.io/status"
TEMPLATES: Final = "inject.istio.io/templates"
NETWORK_LABEL: Final = "topology.istio.io/network"
KINDS: Final = ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "Pod")
FIRST: Final = ("istio-validation",)
LAST: Final = ("istio-init", "enable-core-dump")
OWN: Final = (CONTAINER, *FIRST, *LAST)
"""Containers that injection adds: the injector would merge a pod's own with them, which is not done here."""
CLUSTER_ENV: Final = {
    "ISTIO_META_CLUSTER_ID": "global.multiCluster.clusterName",
    "ISTIO_META_NETWORK": "global.network",
}
"""Environment that the injector moves to the end where the installation sets it."""


def inject(
    workload: Mapping[str, Any],
    sidecar: Callable[[Source], Node],
    values: Mapping[str, Any],
    mesh: Mapping[str, Any],
    revision: str = "",
) -> dict[str, Any]:
    """The workload with a sidecar, in wire names; as it was, where Istio would not inject it.

    `sidecar` is a release's model of what is added to a pod; `values` and `mesh` are the documents of ConfigMap
    `istio-sidecar-injector` and of MeshConfig. Raises InjectionError for a workload that this does not cover, and for
    annotations that Istio would refuse.
    """
    if workload["kind"] not in KINDS:
        raise InjectionError(errors.invalid_choice("kind", workload["kind"], KINDS))
    result = copy.deepcopy(dict(workload))
    pod = result if workload["kind"] == "Pod" else result["spec"]["template"]
    metadata, spec = pod.setdefault("metadata", {}), pod["spec"]
    if not _wanted(metadata, spec):
        return result
    _check(metadata, spec)
    source = Workload(result, pod, values, mesh, revision)
    added = wire(sidecar(source))
    _merge(metadata, spec, added)
    proxy = next(container for container in spec["containers"] if container["name"] == CONTAINER)
    _move_cluster_env(metadata, proxy, source)
    agent_port = proxyconfig.effective(mesh, {})["statusPort"]
    if probes.flag(metadata["annotations"], probes.MERGE, mesh.get("enablePrometheusMerge", True)):
        probes.merge_metrics(pod, proxy, agent_port)
    if probes.flag(metadata["annotations"], probes.REWRITE, bool(source.setting(probes.REWRITE_SETTING))):
        probes.rewrite(pod, proxy, agent_port)
    metadata["annotations"][STATUS] = _status(added["spec"])
    spec["containers"] = _ordered(spec["containers"], *((OWN, ()) if source.holds() else ((), OWN)))
    if "initContainers" in spec:
        spec["initContainers"] = _ordered(spec["initContainers"], FIRST, LAST)
    return result


def _wanted(metadata: Mapping[str, Any], spec: Mapping[str, Any]) -> bool:
    """Whether Istio injects the pod, in a namespace where it does so unless told otherwise."""
    notes, labels = metadata.get("annotations") or {}, metadata.get("labels") or {}
    injected_already = STATUS in notes and any(container["name"] == CONTAINER for container in spec["containers"])
    said = notes.get(INJECT) or labels.get(INJECT) or "true"
    return not spec.get("hostNetwork") and not injected_already and said.lower() in ("y", "yes", "true", "on")


def _check(metadata: Mapping[str, Any], spec: Mapping[str, Any]) -> None:
    notes = metadata.get("annotations") or {}
    check(notes)
    if notes.get(TEMPLATES, "sidecar") != "sidecar":
        raise InjectionError(f"{TEMPLATES}: manual injection knows the template sidecar only")
    for part in ("containers", "initContainers"):
        for container in spec.get(part) or ():
            if container["name"] in OWN:
                raise InjectionError(f"{part}: {container['name']} is Istio's own; manual injection merges nothing")


def _merge(metadata: dict[str, Any], spec: dict[str, Any], added: Mapping[str, Any]) -> None:
    """What is added comes first in lists, and wins."""
    for part in ("labels", "annotations"):
        metadata[part] = {**(metadata.get(part) or {}), **added["metadata"].get(part, {})}
    for part, new in added["spec"].items():
        old = spec.get(part)
        if isinstance(new, dict):
            spec[part] = {**(old or {}), **new}
        else:
            names = {item["name"] for item in new}
            spec[part] = [*new, *(item for item in old or () if item["name"] not in names)]


def _move_cluster_env(metadata: dict[str, Any], proxy: dict[str, Any], source: Workload) -> None:
    settings = {name: source.setting(path) for name, path in CLUSTER_ENV.items()}
    found = {name: value for name, value in settings.items() if value}
    kept = [variable for variable in proxy["env"] if variable["name"] not in found]
    proxy["env"] = [*kept, *({"name": name, "value": value} for name, value in found.items())]
    if network := settings["ISTIO_META_NETWORK"]:
        metadata["labels"][NETWORK_LABEL] = network


def _status(added: Mapping[str, Any]) -> str:
    """Names of all that was added, from which the injector can take it away again."""
    parts = ("initContainers", "containers", "volumes", "imagePullSecrets")
    names = {part: [item["name"] for item in added[part]] if part in added else None for part in parts}
    return json.dumps(names, separators=(",", ":"))


def _ordered(containers: list[dict[str, Any]], first: tuple[str, ...], last: tuple[str, ...]) -> list[dict[str, Any]]:
    def place(container: Mapping[str, Any]) -> int:
        name = container["name"]
        return -1 if name in first else last.index(name) + 1 if name in last else 0

    return sorted(containers, key=place)
