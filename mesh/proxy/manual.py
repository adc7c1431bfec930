"""Manual injection: adds the sidecar to a workload's manifest, as Istio's injector would add it to the pods."""

from __future__ import annotations

import copy
import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from mesh.core import errors, pods
from mesh.core.kinds import GroupKind
from mesh.core.names import DEFAULT_REVISION, NETWORK_LABEL
from mesh.proxy import metrics, probes, proxyconfig
from mesh.proxy.annotations import UnsupportedError, validate
from mesh.proxy.expr import Value, wire
from mesh.proxy.injector import Injector
from mesh.proxy.proxy import CONTAINER
from mesh.proxy.workload import WorkloadInputs

STATUS: Final = "sidecar.istio.io/status"
TEMPLATES: Final = "inject.istio.io/templates"
FIRST_INIT: Final = ("istio-validation",)
LAST_INIT: Final = ("istio-init", "enable-core-dump")
NATIVE_ORDER: Final = ("istio-init", *FIRST_INIT, CONTAINER, "enable-core-dump")
ISTIO_CONTAINERS: Final = (CONTAINER, *FIRST_INIT, *LAST_INIT)
"""Containers that injection adds. The injector merges them with a pod's own containers of these names; manual injection
refuses such pods."""
NETWORK: Final = "ISTIO_META_NETWORK"
CLUSTER_ENV: Final = {
    "ISTIO_META_CLUSTER_ID": "global.multiCluster.clusterName",
    NETWORK: "global.network",
}
"""Environment variables that the injector moves to the end if they are set, and the path of each in the values."""


def inject(
    workload: Mapping[str, Any],
    injector: Injector,
    proxy_config: Mapping[str, Any],
    values: Mapping[str, Any],
    mesh: Mapping[str, Any],
    revision: str = "",
    owner: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The workload's manifest with a sidecar; unchanged if Istio would not inject the workload.

    `injector` and `proxy_config`, the defaults of the ProxyConfig, are the release's, `values` the injection values,
    `mesh` the MeshConfig. `owner` has apiVersion, kind and metadata of the workload that a Pod belongs to. Raises
    InjectionError for annotations that Istio would refuse, and UnsupportedError for a kind of workload, a template or a
    container that manual injection does not support.
    """
    kind, result = GroupKind.of(workload), copy.deepcopy(dict(workload))
    if kind not in pods.TEMPLATES:
        raise UnsupportedError(errors.invalid_choice("kind", kind.name, [one.name for one in pods.TEMPLATES]))
    pod = pods.template(kind, result)
    metadata, spec = pod.setdefault("metadata", {}), pod["spec"]
    if not _should_inject(injector, metadata, spec):
        return result
    _check(injector, metadata, spec)
    inputs = WorkloadInputs(owner or result, pod, values, mesh, proxy_config, revision)
    added = wire(injector.sidecar(inputs))
    _merge(metadata, spec, added)
    proxy = next(container for container in _containers(spec) if container["name"] == CONTAINER)
    _move_cluster_env(injector, metadata, proxy, inputs)
    agent_port = proxyconfig.effective(proxy_config, mesh, {})["statusPort"]
    if probes.boolean_annotation(metadata["annotations"], metrics.MERGE, mesh.get("enablePrometheusMerge", True)):
        injector.merge_metrics(pod, proxy, agent_port)
    if probes.boolean_annotation(metadata["annotations"], probes.REWRITE, bool(inputs.setting(probes.REWRITE_SETTING))):
        injector.rewrites.apply(pod, proxy, agent_port)
    metadata["annotations"][STATUS] = _status(added["spec"], inputs.revision if injector.status_revision else None)
    _order(spec, first=inputs.holds_application())
    return result


def _containers(spec: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    return itertools.chain(spec["containers"], spec.get("initContainers") or ())


def _should_inject(injector: Injector, metadata: Mapping[str, Any], spec: Mapping[str, Any]) -> bool:
    """Whether Istio injects the pod, in a namespace with injection enabled."""
    annotations, labels = metadata.get("annotations") or {}, metadata.get("labels") or {}
    injected_already = STATUS in annotations and any(container["name"] == CONTAINER for container in _containers(spec))
    again = injector.repeats or not injected_already
    return not spec.get("hostNetwork") and again and injector.requested(annotations, labels)


def _check(injector: Injector, metadata: Mapping[str, Any], spec: Mapping[str, Any]) -> None:
    annotations = metadata.get("annotations") or {}
    validate(injector.annotations, annotations)
    if annotations.get(TEMPLATES, "sidecar") != "sidecar":
        raise UnsupportedError(f"{TEMPLATES}: manual injection supports only the template sidecar")
    for part in ("containers", "initContainers"):
        for container in spec.get(part) or ():
            if container["name"] in ISTIO_CONTAINERS:
                raise UnsupportedError(
                    f"{part}: {container['name']} is Istio's own; manual injection cannot merge containers"
                )


def _merge(metadata: dict[str, Any], spec: dict[str, Any], added: Mapping[str, Any]) -> None:
    """Merges `added` into the pod. Its entries come first in lists, and are merged over entries of the same name."""
    for part in ("labels", "annotations"):
        metadata[part] = {**(metadata.get(part) or {}), **added["metadata"].get(part, {})}
    for part, new in added["spec"].items():
        old = spec.get(part)
        if isinstance(new, dict):
            spec[part] = {**(old or {}), **new}
        else:
            own = {item["name"]: item for item in old or ()}
            spec[part] = [*({**own.pop(item["name"], {}), **item} for item in new), *own.values()]


def _move_cluster_env(
    injector: Injector, metadata: dict[str, Any], proxy: dict[str, Any], inputs: WorkloadInputs
) -> None:
    settings = {name: inputs.setting(path) for name, path in CLUSTER_ENV.items()}
    if injector.network_by_label:
        settings[NETWORK] = metadata["labels"].get(NETWORK_LABEL, settings[NETWORK])
    found = {name: value for name, value in settings.items() if value}
    kept = [variable for variable in proxy["env"] if variable["name"] not in found]
    proxy["env"] = [*kept, *({"name": name, "value": value} for name, value in found.items())]
    if network := settings[NETWORK]:
        metadata["labels"][NETWORK_LABEL] = network


def _status(added: Mapping[str, Any], revision: Value | None) -> str:
    """The annotation by which Istio recognizes an injected pod: the names of all that was added, as JSON, and the
    revision if the release writes it."""
    parts = ("initContainers", "containers", "volumes", "imagePullSecrets")
    status: dict[str, Any] = {part: [item["name"] for item in added[part]] if part in added else None for part in parts}
    if revision is not None:
        status["revision"] = revision or DEFAULT_REVISION
    return json.dumps(status, separators=(",", ":"))


def _order(spec: dict[str, Any], *, first: bool) -> None:
    """Puts the pod's containers in order: the proxy first or last. Istio's init containers come last, so that the
    others have a network; or first if the proxy is one of them, so that the others are part of the mesh."""
    spec["containers"] = _ordered(spec["containers"], *(((CONTAINER,), ()) if first else ((), (CONTAINER,))))
    if inits := spec.get("initContainers"):
        native = any(container["name"] == CONTAINER for container in inits)
        spec["initContainers"] = _ordered(inits, *((NATIVE_ORDER, ()) if native else (FIRST_INIT, LAST_INIT)))


def _ordered(containers: list[dict[str, Any]], first: Sequence[str], last: Sequence[str]) -> list[dict[str, Any]]:
    def rank(container: Mapping[str, Any]) -> int:
        name = container["name"]
        return first.index(name) - len(first) if name in first else last.index(name) + 1 if name in last else 0

    return sorted(containers, key=rank)
