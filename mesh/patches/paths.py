"""Paths in objects that patches write to, and the keys by which Kubernetes merges the items of lists."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from mesh.core import disclosure, kinds, places, pods
from mesh.core.errors import show
from mesh.core.kinds import GroupKind


class Item(NamedTuple):
    """The step of a path to an item of a list that the value of its merge key identifies."""

    name: str


Step = str | int | Item
Path = tuple[Step, ...]
"""Keys of mappings, and indexes or names of the items of lists."""
Keys = tuple[str, ...]
"""The keys of mappings in a path."""


class PatchError(ValueError):
    """A patch cannot be applied. `path` is the part of the object that it is about."""

    def __init__(self, path: Path, text: str) -> None:
        super().__init__(text)
        self.path, self.text = path, text


def written(path: Iterable[Step]) -> str:
    """A path as people write it, such as `spec.containers[discovery].args[0]`."""
    return "".join(f"[{one.name}]" if isinstance(one, Item) else places.step(one) for one in path).removeprefix(".")


def shown(value: Any, path: Path) -> str:
    """The value at a path for a message, without hidden parts."""
    steps = tuple(
        f"[{one.name if isinstance(one, Item) else one}]" if not isinstance(one, str) else one for one in path
    )
    return show(disclosure.DEFAULT.masked(value, steps))


def keys(path: Path) -> Keys:
    """A path without the steps into lists."""
    return tuple(step for step in path if isinstance(step, str))


def is_plain(value: Any) -> bool:
    """Whether a value is plain data, and not an output that is known only during an update."""
    return value is None or isinstance(value, Mapping | list | tuple | str | bool | int | float)


_CONTAINER: Final[Mapping[str, str]] = {
    "env": "name",
    "ports": "containerPort",
    "volumeDevices": "devicePath",
    "volumeMounts": "mountPath",
}
_POD: Final[Mapping[str, str]] = {
    "hostAliases": "ip",
    "imagePullSecrets": "name",
    "resourceClaims": "name",
    "schedulingGates": "name",
    "topologySpreadConstraints": "topologyKey",
    "volumes": "name",
}
_OTHERS: Final[Mapping[GroupKind, Mapping[Keys, str]]] = {
    kinds.SERVICE: {("spec", "ports"): "port"},
    kinds.SERVICE_ACCOUNT: {("secrets",): "name"},
    **{
        kind: {("webhooks",): "name", ("webhooks", "matchConditions"): "name"}
        for kind in (kinds.MUTATING_WEBHOOK, kinds.VALIDATING_WEBHOOK)
    },
    GroupKind("ValidatingAdmissionPolicy", "admissionregistration.k8s.io"): {
        ("spec", "matchConditions"): "name",
        ("spec", "variables"): "name",
    },
}


@dataclass(frozen=True, kw_only=True)
class Merging:
    """How Kubernetes merges the parts of a kind, as the types of its API declare it."""

    lists: Mapping[Keys, str]
    """The merge keys of lists by their paths. All other lists are replaced as a whole."""
    replaced: frozenset[Keys] = frozenset()
    """Mappings that are replaced as a whole."""


def merging(kind: GroupKind) -> Merging:
    """How objects of a kind are merged. Of kinds that are not Kubernetes' own, lists are replaced."""
    found = dict(_OTHERS.get(kind, {}))
    if kind in pods.TEMPLATES:
        pod = (*pods.TEMPLATES[kind], "spec")
        found |= {(*pod, name): key for name, key in _POD.items()}
        for group in ("containers", "initContainers", "ephemeralContainers"):
            found |= {(*pod, group): "name", **{(*pod, group, name): key for name, key in _CONTAINER.items()}}
    budget = {("spec", "selector")} if kind == kinds.POD_DISRUPTION_BUDGET else ()
    return Merging(lists=found, replaced=frozenset(budget))
