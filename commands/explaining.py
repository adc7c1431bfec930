"""Finds settings that explain how an installation differs from a stack; for `make import`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from commands.parity.compare import Difference
from commands.parity.normal import Manifest
from mesh.analysis.objects import Ref
from mesh.core import kinds
from mesh.core.diff import ABSENT
from mesh.core.names import INJECTOR, MESH_CONFIG, ROOT
from mesh.imports.draft import Draft
from mesh.imports.source import Data, as_map, at
from mesh.proxy.proxy import CONTAINER
from mesh.values.gateway import Gateway

_POD: Final = ("spec", "template", "spec")
_ISTIOD: Final = "istiod"
_OF_PLUGIN: Final = {"log_level": "logLevel", "kubernetes.exclude_namespaces": "excludeNamespaces"}
"""Settings of the network plugin by the field of its configuration in 1.10."""
_SCHEDULING: Final = ("nodeSelector", "tolerations", "affinity", "topologySpreadConstraints")
_AUTOSCALER: Final = {
    "minReplicas": "autoscaleMin",
    "maxReplicas": "autoscaleMax",
    "behavior": "autoscaleBehavior",
}
_SERVICE: Final = ("type", "loadBalancerIP", "loadBalancerSourceRanges", "externalTrafficPolicy", "ipFamilyPolicy")


class Installation:
    """The objects of an installation, by name."""

    def __init__(self, objects: Sequence[Manifest]) -> None:
        self.by_name = {Ref.of(one): one for one in objects}

    def at(self, ref: Ref, *path: str) -> Any:
        return at(self.by_name.get(ref, {}), path)

    @property
    def istiod(self) -> Manifest:
        """The Deployment of the control plane; empty if there is none."""
        found = (one for ref, one in self.by_name.items() if ref.kind == kinds.DEPLOYMENT)
        return next((one for one in found if at(one, ("metadata", "labels", "app")) == _ISTIOD), {})

    @property
    def root(self) -> str:
        """The namespace of the control plane."""
        return str(at(self.istiod, ("metadata", "namespace")) or ROOT)

    @property
    def gateways(self) -> dict[str, Manifest]:
        """The Deployments of gateways."""
        found = (one for ref, one in self.by_name.items() if ref.kind == kinds.DEPLOYMENT)
        return {one["metadata"]["name"]: one for one in found if "router" in (_proxy(one).get("args") or [])}


def structure(draft: Draft, found: Iterable[Difference], there: Installation) -> None:
    """Adds the gateways, the DaemonSets, and the values that are passed to the injector: other fields depend on
    these."""
    for name, deployment in there.gateways.items():
        _gateway(draft, name, deployment, there.root)
    for one in found:
        kind, name = one.object.kind, one.object.name
        if one.whole and one.theirs is ABSENT and kind == kinds.DEPLOYMENT:
            draft.put(("gateways", name, "enabled"), False, name)
        elif one.whole and kind == kinds.DAEMON_SET:
            _node(draft, one, there.root)
        elif name.startswith(INJECTOR) and one.steps[:2] == ("data", "values") and _is_readable(one):
            draft.add(("values", *one.steps[2:]), one.theirs, one.path)


def documents(draft: Draft, found: Iterable[Difference], _: Installation) -> None:
    """Adds the mesh configuration, and that of the network plugin."""
    for one in (one for one in found if one.object.kind == kinds.CONFIG_MAP and _is_readable(one)):
        if one.object.name.split("-")[0] == MESH_CONFIG and one.steps[:2] == ("data", "mesh"):
            draft.put(("meshConfig", *one.steps[2:]), one.theirs, one.path)
        elif setting := _OF_PLUGIN.get(".".join(one.steps[2:])):
            draft.put(("cni", setting), one.theirs, one.path)


def workloads(draft: Draft, found: Iterable[Difference], there: Installation) -> None:
    """Adds the settings of istiod and of each gateway."""
    for one in found:
        name = one.object.name
        if name in there.gateways:
            _workload(draft, there, one, ("gateways", name))
        elif name.startswith(_ISTIOD):
            _workload(draft, there, one, ("pilot",))


Stage = Callable[[Draft, Iterable[Difference], Installation], None]

STAGES: Final[Sequence[Stage]] = (structure, documents, workloads, workloads)
"""The stages that derive settings from the differences, in order; each sees the differences that are left."""


def _is_readable(found: Difference) -> bool:
    """Whether a difference is in a field that the installation has, and not in an item of a list."""
    return found.theirs is not ABSENT and not any(step.startswith("[") for step in found.steps)


def _proxy(deployment: Manifest) -> Data:
    containers = at(deployment, (*_POD, "containers")) or []
    return next((one for one in containers if one["name"] == CONTAINER), {})


def _gateway(draft: Draft, name: str, deployment: Manifest, root: str) -> None:
    """Adds a gateway with its kind, namespace and labels."""
    namespace = deployment["metadata"].get("namespace", root)
    labels = at(deployment, ("spec", "selector", "matchLabels")) or {}
    usual = Gateway.model_construct(labels={}).selector(name)
    said: dict[str, Any] = {"kind": "egress" if "egress" in f"{name} {labels}" else "ingress"}
    if told := {key: value for key, value in labels.items() if usual.get(key) != value}:
        said["labels"] = told
    if namespace != root:
        said["namespace"] = namespace
        draft.put(("namespaces", namespace), "existing", name)
    draft.put(("gateways", name), said, name)


def _workload(draft: Draft, there: Installation, found: Difference, place: tuple[str, ...]) -> None:
    """Adds the setting of a field in the objects of istiod or of a gateway."""
    kind = found.object.kind
    if found.whole:
        if kind == kinds.HORIZONTAL_POD_AUTOSCALER and found.theirs is ABSENT:
            draft.put((*place, "autoscaleEnabled"), False, found.path)
        return
    rules: Mapping[Any, Callable[..., None]] = {
        kinds.DEPLOYMENT: _deployment,
        kinds.SERVICE: _service,
        kinds.HORIZONTAL_POD_AUTOSCALER: _autoscaler,
    }
    if rule := rules.get(kind):
        rule(draft, there, found, place)


def _deployment(draft: Draft, there: Installation, found: Difference, place: tuple[str, ...]) -> None:
    steps, ref = found.steps, found.object
    if env := re.search(r"containers\[\S+?]\.env\[([^]]+)]", found.path):
        containers = there.at(ref, *_POD, "containers") or [{}]
        value = next((one.get("value") for one in containers[0].get("env") or [] if one["name"] == env[1]), None)
        if value is not None and env[1] != "ISTIO_METAJSON_ANNOTATIONS":
            draft.put((*place, "env", env[1]), value, found.path)
    elif "resources" in steps and found.theirs is not ABSENT:
        inner = steps[steps.index("resources") :]
        draft.put((*place, *inner), at((there.at(ref, *_POD, "containers") or [{}])[0], inner), found.path)
    elif steps[:3] == _POD and steps[3] in _SCHEDULING:
        draft.put((*place, steps[3]), there.at(ref, *_POD, steps[3]), found.path)
    elif steps[:4] == ("spec", "template", "metadata", "annotations"):
        draft.put((*place, "podAnnotations"), found.theirs if len(steps) == 4 else {steps[4]: found.theirs}, found.path)
    elif steps == ("spec", "replicas"):
        draft.put((*place, "replicaCount"), found.theirs, found.path)
    elif steps[:3] == ("spec", "strategy", "rollingUpdate") and len(steps) > 3:
        draft.put((*place, f"rolling{steps[3][:1].upper()}{steps[3][1:]}"), found.theirs, found.path)


def _service(draft: Draft, there: Installation, found: Difference, place: tuple[str, ...]) -> None:
    steps = found.steps
    if steps[:2] == ("metadata", "annotations"):
        theirs = found.theirs if len(steps) == 2 else {steps[2]: found.theirs}
        draft.put((*place, "serviceAnnotations"), theirs if found.theirs is not ABSENT else None, found.path)
    elif steps[:2] == ("spec", "ports") and place[0] == "gateways":
        ports = there.at(found.object, "spec", "ports") or []
        keys = ("name", "port", "targetPort", "protocol", "nodePort")
        draft.put((*place, "ports"), [{key: one[key] for key in keys if key in one} for one in ports], found.path)
    elif len(steps) > 1 and steps[1] in _SERVICE:
        draft.put((*place, steps[1]), as_map(there.at(found.object, "spec")).get(steps[1]), found.path)


def _autoscaler(draft: Draft, there: Installation, found: Difference, place: tuple[str, ...]) -> None:
    spec = as_map(there.at(found.object, "spec"))
    for theirs, ours in _AUTOSCALER.items():
        draft.put((*place, ours), spec.get(theirs), found.path)
    for metric in spec.get("metrics") or []:
        resource = as_map(metric.get("resource"))
        percent = resource.get("targetAverageUtilization") or at(resource, ("target", "averageUtilization"))
        if resource.get("name") in ("cpu", "memory"):
            draft.put((*place, str(resource["name"]), "targetAverageUtilization"), percent, found.path)


def _node(draft: Draft, found: Difference, root: str) -> None:
    """A DaemonSet that only one side has: the network plugin, or ztunnel."""
    part = "cni" if "cni" in found.object.name else "ztunnel"
    draft.put((part, "enabled"), found.ours is ABSENT, found.object.name)
    if found.ours is ABSENT and found.object.namespace != root:
        draft.put((part, "namespace"), found.object.namespace, found.object.name)
        draft.put(("namespaces", found.object.namespace), "existing", found.object.name)
