"""Protects what a stack does not manage from `make down`: pods that would lose their control plane, namespaces that
would lose their injector, and custom resources that would be deleted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from cluster import client, revisions, sidecars, uninjected
from cluster.client import Api
from cluster.errors import NotFound
from cluster.orphans import Objects
from cluster.revisions import Revisions
from cluster.sidecars import SHOWN
from cluster.uninjected import Injection
from commands.stackfiles import CommandError
from mesh.core import kinds, pods, words
from mesh.core.kinds import GroupKind
from mesh.proxy.control_plane import Name

Manifest = Mapping[str, Any]

NOTHING: Final = Injection(Objects.of([]))
"""What is left of a stack after its teardown."""


@dataclass(frozen=True)
class Recorded:
    """The objects that a stack's state records."""

    resources: Sequence[Manifest]

    def names(self, *of_kinds: GroupKind) -> set[Name]:
        """The namespaces and names of the objects of some kinds."""
        return {sidecars.name(r["inputs"]) for kind in of_kinds for r in self._of(kind)}

    @property
    def injection(self) -> Injection:
        """What the stack injects."""
        whole = [r for r in self.resources if kinds.of_inputs(r.get("inputs", {})) and "metadata" in r["inputs"]]
        made = [r["inputs"] for r in whole if not r.get("type", "").endswith("Patch")]
        return Injection.of([r["inputs"] for r in whole], Objects.of(made))

    def definitions(self, kept: bool = False) -> Iterator[Manifest]:
        """The definitions that would go, or those that are kept."""
        found = self._of(kinds.CUSTOM_RESOURCE_DEFINITION)
        return (r["inputs"] for r in found if bool(r.get("retainOnDelete")) == kept)

    def _of(self, kind: GroupKind) -> Iterator[Manifest]:
        return (r for r in self.resources if kinds.of_inputs(r.get("inputs", {})) == kind)


def check(state: Mapping[str, Any], api: Api, force: bool) -> None:
    """Raises CommandError if a teardown would break or delete objects that the stack does not manage. The message names
    them, and says how to continue. With `force` the message is only printed."""
    recorded = Recorded(state.get("resources") or [])
    found = revisions.read(api)
    problems = [
        *_orphaned(recorded, found),
        *uninjected.problems(recorded.injection, NOTHING, found),
        *_lost(recorded, api),
    ]
    if not problems:
        return
    text = "\n".join(problems)
    if not force:
        raise CommandError(f"{text}\nnothing was changed; `make down FORCE=1` continues anyway")
    print(f"FORCE=1: continuing, although\n{text}", flush=True)


def _orphaned(recorded: Recorded, found: Revisions) -> Iterator[str]:
    """The message about pods that the stack does not manage and that have a sidecar of this mesh, if there are any."""
    own, services = recorded.names(*pods.TEMPLATES), recorded.names(kinds.SERVICE)
    injected = [one for one in found.proxies if not one.asks or one.asks & services]
    foreign = [one for one in injected if not one.maker_among(own)]
    if own and foreign:
        yield (
            f"{words.count(len(foreign), 'pod')} would keep a sidecar without a control plane:"
            f" {sidecars.listed(foreign)}. {sidecars.TAKE_OUT}"
        )


def _lost(recorded: Recorded, api: Api) -> Iterator[str]:
    """The message about custom resources that the stack does not manage and that would be deleted with their definition
    or with a namespace of the stack, if there are any."""
    gone = {name for _, name in recorded.names(kinds.NAMESPACE)}
    lost = [name for d in recorded.definitions() for name, _ in _foreign(d, recorded, api)]
    lost += [
        name for d in recorded.definitions(kept=True) for name, where in _foreign(d, recorded, api) if where in gone
    ]
    if lost:
        yield (
            f"{words.count(len(lost), 'custom resource')} that the stack did not create would be deleted with the"
            f" definitions or with the namespace: {words.some(lost, SHOWN)}."
            " Save them (kubectl get KIND --all-namespaces -o yaml), or keep"
            " the definitions (mesh:keepDefinitions: true, then make up)"
        )


def _foreign(definition: Manifest, recorded: Recorded, api: Api) -> Iterator[Name]:
    """The custom resources of a definition that the stack did not create: `<kind> <namespace>/<name>`, and the
    namespace."""
    names, group = definition["spec"]["names"], definition["spec"]["group"]
    version = next(v["name"] for v in definition["spec"]["versions"] if v["storage"])
    kind = GroupKind(names["kind"], group)
    own = recorded.names(kind)
    for item in _items(api, f"/apis/{group}/{version}/{names['plural']}"):
        if sidecars.name(item) not in own:
            yield f"{kind} {'/'.join(filter(None, sidecars.name(item)))}", sidecars.name(item)[0]


def _items(api: Api, path: str) -> Sequence[Manifest]:
    """The objects at an API path; none if the API server does not serve it."""
    try:
        return client.items(api, path)
    except NotFound:
        return []
