"""Manual injection: adds the sidecar to a workload's manifest, as Istio's injector would add it to the pods."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from mesh.core import errors
from mesh.proxy import probes, proxyconfig
from mesh.proxy.annotations import InjectionError, validate
from mesh.proxy.expr import Node, wire
from mesh.proxy.inputs import Inputs
from mesh.proxy.proxy import CONTAINER
from mesh.proxy.workload import WorkloadInputs

INJECT: Final = "sidecar.istio.io/inject"
STATUS: Final = "sidecar.istio.io/status"
TEMPLATES: Final = "inject.istio.io/templates"
NETWORK_LABEL: Final = "topology.istio.io/network"
KINDS: Final = ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "Pod")
FIRST_INIT: Final = ("istio-validation",)
LAST_INIT: Final = ("istio-init", "enable-core-dump")
ISTIO_CONTAINERS: Final = (CONTAINER, *FIRST_INIT, *LAST_INIT)
"""Containers that injection adds. The injector merges them with a pod's own containers of these names; manual injection
refuses such pods."""
CLUSTER_ENV: Final = {
    "ISTIO_META_CLUSTER_ID": "global.multiCluster.clusterName",
    "ISTIO_META_NETWORK": "global.network",
}
"""Environment variables that the injector moves to the end if they are set, and the path of each in the values."""


def inject(
    workload: Mapping[str, Any],
    sidecar: Callable[[Inputs], Node],
    proxy_config: Mapping[str, Any],
    values: Mapping[str, Any],
    mesh: Mapping[str, Any],
    revision: str = "",
) -> dict[str, Any]:
    """The workload's manifest with a sidecar; unchanged if Istio would not inject the workload.

    `sidecar` is the release's model of what injection adds to a pod, `proxy_config` its defaults of the ProxyConfig,
    `values` the injection values, `mesh` the MeshConfig. Raises InjectionError for a kind of workload, a template or a
    container that manual injection does not support, and for annotations that Istio would refuse.
    """
    if workload["kind"] not in KINDS:
        raise InjectionError(errors.invalid_choice("kind", workload["kind"], KINDS))
    result = copy.deepcopy(dict(workload))
    pod = result if workload["kind"] == "Pod" else result["spec"]["template"]
    metadata, spec = pod.setdefault("metadata", {}), pod["spec"]
    if not _should_inject(metadata, spec):
        return result
    _check(metadata, spec)
    inputs = WorkloadInputs(result, pod, values, mesh, proxy_config, revision)
    added = wire(sidecar(inputs))
    _merge(metadata, spec, added)
    proxy = next(container for container in spec["containers"] if container["name"] == CONTAINER)
    _move_cluster_env(metadata, proxy, inputs)
    agent_port = proxyconfig.effective(proxy_config, mesh, {})["statusPort"]
    if probes.boolean_annotation(metadata["annotations"], probes.MERGE, mesh.get("enablePrometheusMerge", True)):
        probes.merge_metrics(pod, proxy, agent_port)
    if probes.boolean_annotation(metadata["annotations"], probes.REWRITE, bool(inputs.setting(probes.REWRITE_SETTING))):
        probes.rewrite(pod, proxy, agent_port)
    metadata["annotations"][STATUS] = _status(added["spec"])
    spec["containers"] = _ordered(
        spec["containers"], *((ISTIO_CONTAINERS, ()) if inputs.holds_application() else ((), ISTIO_CONTAINERS))
    )
    if "initContainers" in spec:
        spec["initContainers"] = _ordered(spec["initContainers"], FIRST_INIT, LAST_INIT)
    return result


def _should_inject(metadata: Mapping[str, Any], spec: Mapping[str, Any]) -> bool:
    """Whether Istio injects the pod, in a namespace with injection enabled."""
    annotations, labels = metadata.get("annotations") or {}, metadata.get("labels") or {}
    injected_already = STATUS in annotations and any(container["name"] == CONTAINER for container in spec["containers"])
    requested = annotations.get(INJECT) or labels.get(INJECT) or "true"
    return not spec.get("hostNetwork") and not injected_already and requested.lower() in ("y", "yes", "true", "on")


def _check(metadata: Mapping[str, Any], spec: Mapping[str, Any]) -> None:
    annotations = metadata.get("annotations") or {}
    validate(annotations)
    if annotations.get(TEMPLATES, "sidecar") != "sidecar":
        raise InjectionError(f"{TEMPLATES}: manual injection supports only the template sidecar")
    for part in ("containers", "initContainers"):
        for container in spec.get(part) or ():
            if container["name"] in ISTIO_CONTAINERS:
                raise InjectionError(
                    f"{part}: {container['name']} is Istio's own; manual injection cannot merge containers"
                )


def _merge(metadata: dict[str, Any], spec: dict[str, Any], added: Mapping[str, Any]) -> None:
    """Merges what is added into the pod; it comes first in lists, and replaces entries of the same name."""
    for part in ("labels", "annotations"):
        metadata[part] = {**(metadata.get(part) or {}), **added["metadata"].get(part, {})}
    for part, new in added["spec"].items():
        old = spec.get(part)
        if isinstance(new, dict):
            spec[part] = {**(old or {}), **new}
        else:
            names = {item["name"] for item in new}
            spec[part] = [*new, *(item for item in old or () if item["name"] not in names)]


def _move_cluster_env(metadata: dict[str, Any], proxy: dict[str, Any], inputs: WorkloadInputs) -> None:
    settings = {name: inputs.setting(path) for name, path in CLUSTER_ENV.items()}
    found = {name: value for name, value in settings.items() if value}
    kept = [variable for variable in proxy["env"] if variable["name"] not in found]
    proxy["env"] = [*kept, *({"name": name, "value": value} for name, value in found.items())]
    if network := settings["ISTIO_META_NETWORK"]:
        metadata["labels"][NETWORK_LABEL] = network


def _status(added: Mapping[str, Any]) -> str:
    """The annotation by which Istio recognises an injected pod: the names of all that was added, as JSON."""
    parts = ("initContainers", "containers", "volumes", "imagePullSecrets")
    names = {part: [item["name"] for item in added[part]] if part in added else None for part in parts}
    return json.dumps(names, separators=(",", ":"))


def _ordered(containers: list[dict[str, Any]], first: tuple[str, ...], last: tuple[str, ...]) -> list[dict[str, Any]]:
    def rank(container: Mapping[str, Any]) -> int:
        name = container["name"]
        return -1 if name in first else last.index(name) + 1 if name in last else 0

    return sorted(containers, key=rank)
