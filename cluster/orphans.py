"""Finds the running proxies whose control plane an update would delete.

The recorded state and the objects that the update is going to apply show what it does. Pods that the update itself
restarts or deletes do not count: Pulumi deletes the objects that a program drops only after everything else is ready.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from cluster import sidecars
from cluster.sidecars import Sidecar
from cluster.state import StackState, type_and_name
from mesh.core import kinds, pods, words
from mesh.core.kinds import GroupKind
from mesh.core.pods import running_containers
from mesh.core.secure import is_placeholder
from mesh.proxy import control_plane
from mesh.proxy.control_plane import DEFAULT, GUIDE, Name

Manifest = Mapping[str, Any]

_CONFIGURED: Final = ("command", "args", "env")
"""Fields of a container that injection does not change."""
_SCRAPED: Final = "prometheus.io/"
"""Prefix of the annotations that injection overrides."""


@dataclass(frozen=True)
class Objects:
    """The objects of a stack that decide which pods keep their control plane."""

    control_planes: frozenset[Name]
    """The Services of istiod."""
    namespaces: frozenset[str]
    """The namespaces that the stack has created."""
    templates: Mapping[Name, Manifest] = field(default_factory=dict)
    """The pod templates of its workloads."""

    @classmethod
    def of(cls, manifests: Iterable[Manifest]) -> Objects:
        by_kind: dict[GroupKind, list[Manifest]] = defaultdict(list)
        for manifest in manifests:
            by_kind[GroupKind.of(manifest)].append(manifest)
        return cls(
            frozenset(sidecars.name(one) for one in by_kind[kinds.SERVICE] if control_plane.serves_proxies(one)),
            frozenset(sidecars.name(one)[1] for one in by_kind[kinds.NAMESPACE]),
            {sidecars.name(one): pods.template(kind, one) for kind in pods.TEMPLATES for one in by_kind[kind]},
        )


def recorded(state: StackState) -> Objects:
    """The objects in a stack's state, without those whose fields it sets only in part (`…Patch`)."""
    whole = ((type_and_name(urn)[0], outputs) for urn, outputs in state.urns.items())
    return Objects.of(
        outputs
        for token, outputs in whole
        if not token.endswith("Patch") and {"apiVersion", "kind", "metadata"} <= outputs.keys()
    )


def problem(before: Objects, after: Objects, running: Iterable[Sidecar]) -> str:
    """The reason why an update from `before` to `after` must not run, and what to do first; empty if it may. `running`
    are the pods of the cluster that run a proxy."""
    gone = before.control_planes - after.control_planes
    left = [one for one in running if _is_left(one, gone, before, after)] if gone else []
    if not left:
        return ""
    services = ", ".join(sorted("/".join(service) for service in gone))
    return (
        f"{words.count(len(left), 'pod')} would keep a sidecar without a control plane, since the update deletes the"
        f" Service {services}: {sidecars.listed(left)}. They would get no new configuration, and their certificates"
        f" would expire. {_way_out(left, after)}"
    )


def _is_left(one: Sidecar, gone: frozenset[Name], before: Objects, after: Objects) -> bool:
    asks_it = one.asks & gone if one.asks else DEFAULT in gone
    if not asks_it or one.name[0] in before.namespaces - after.namespaces:
        return False
    if maker := one.maker_among(after.templates):
        return _is_made_from(one.pod, after.templates[maker])
    return not one.maker_among(before.templates)  # otherwise it is deleted


def _is_made_from(pod: Manifest, template: Manifest) -> bool:
    """Whether a pod matches a template; if it does not, the update of its workload replaces it."""
    meta, wanted = pod["metadata"], template.get("metadata") or {}
    notes = {key: value for key, value in (wanted.get("annotations") or {}).items() if not key.startswith(_SCRAPED)}
    if not _holds(meta.get("labels") or {}, wanted.get("labels") or {}):
        return False
    if not _holds(meta.get("annotations") or {}, notes):
        return False
    there = {container.name: container.body for container in running_containers(pod["spec"])}
    return all(
        container.name in there and _holds(there[container.name], dict(_set(container.body)))
        for container in running_containers(template["spec"])
    )


def _set(container: Manifest) -> Iterator[tuple[str, Any]]:
    """The fields of a template's container that distinguish the pods of two templates."""
    if image := container.get("image"):
        yield "image", image
    yield from ((name, container[name]) for name in _CONFIGURED if container.get(name))


def _holds(there: Any, wanted: Any) -> bool:
    """Whether a value has everything that is wanted. It may also have defaults that the API server fills in. Encrypted
    values of the config are not compared."""
    if isinstance(wanted, Mapping):
        return isinstance(there, Mapping) and all(_holds(there.get(key), value) for key, value in wanted.items())
    if isinstance(wanted, list | tuple):
        return (
            isinstance(there, list)
            and len(there) >= len(wanted)
            and all(_holds(*pair) for pair in zip(there, wanted, strict=False))
        )
    return bool(there == wanted) or is_placeholder(wanted)


def _way_out(left: Iterable[Sidecar], after: Objects) -> str:
    """What to do first."""
    own = [one for one in left if one.maker_among(after.templates)]
    others = [one for one in left if one not in own]
    if after.control_planes:
        restart = ", and restart the pods that this stack does not manage" if others else ""
        return (
            "Keep the old control plane while they move: add the new one to mesh:controlPlanes, then set"
            f" mesh:injectedNamespaces.NAME.revision and mesh:gateways.NAME.revision{restart}; then remove the old one:"
            f" {GUIDE}"
        )
    ways = []
    if own:
        ways.append("Remove the gateways of this stack, too: set `enabled: false` in their entries of mesh:gateways")
    if others:
        ways.append(sidecars.TAKE_OUT)
    return ". ".join(ways)
