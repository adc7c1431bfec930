"""The steps of the road. Each is an edit of the stack file."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from mesh.config.edits import Drop, Edit, Put
from mesh.config.settings import NAMESPACE
from mesh.core.names import DEFAULT_REVISION
from mesh.releases.differences import order
from mesh.upgrade import carried, ending
from mesh.upgrade.standing import Standing

_FIRST: Final = ("context", "profile")
_HEAD: Final = (*_FIRST, "release", "revision", "base", "controlPlanes", "revisionTags")
"""Keys of the stack after which new keys are inserted."""
_AFTER: Final = {
    "release": _FIRST,
    "profile": ("context", "release"),
    "revision": (*_FIRST, "release"),
    "gateways": (*_HEAD, "gatewayServiceType", "ingressNodePorts"),
}
"""The same for keys with a place of their own."""


@dataclass(frozen=True, kw_only=True)
class Step:
    """A step of the road, for any stack."""

    name: str
    applies: Callable[[Standing], bool]
    is_done: Callable[[Standing], bool]
    edits: Callable[[Standing], tuple[Sequence[Edit], Sequence[str]]]
    """Returns the edits of the stack file, and the settings that they leave out, one line each."""
    about: Callable[[Standing], str]
    """Returns what the step affects, such as the name of a namespace."""
    back: str = "these lines, then `make up`"
    """How to undo the step."""
    reversible: bool = True
    """Whether undoing the edits undoes the step."""


def _placed(edits: Iterator[Edit]) -> Sequence[Edit]:
    """The edits, with the namespace of the config and the places of new keys."""
    made: list[Edit] = []
    for edit in edits:
        key, *rest = edit.path
        path = (f"{NAMESPACE}:{key}", *rest)
        after = tuple(f"{NAMESPACE}:{one}" for one in _AFTER.get(key, _HEAD))
        made.append(replace(edit, path=path, after=after) if isinstance(edit, Put) else Drop(path))
    return made


def _only(make: Callable[[Standing], Iterator[Edit]]) -> Callable[[Standing], tuple[Sequence[Edit], Sequence[str]]]:
    return lambda at: (_placed(make(at)), ())


def _definitions(at: Standing) -> Iterator[Edit]:
    yield Put(("base", "release"), at.target.release)


def _control_plane(at: Standing) -> tuple[Sequence[Edit], Sequence[str]]:
    entry, left = carried.entry(at)
    return _placed(iter([Put(("controlPlanes", at.target.revision), entry)])), left


def _canary(at: Standing) -> Iterator[Edit]:
    yield _moved(at, canary(at))


def canary(at: Standing) -> str:
    """The namespace that moves first: one that has moved already, or the named one, or the first."""
    moved = [name for name, done in at.namespaces.items() if done]
    return next(name for name in (*moved, at.namespace, *at.namespaces) if name)


def _others(at: Standing) -> Iterator[Edit]:
    for name in rest(at):
        yield _moved(at, name)


def rest(at: Standing) -> list[str]:
    """The namespaces that move after the first one: the named one, or all."""
    return [name for name, done in at.namespaces.items() if not done and at.namespace in ("", name)]


def _moved(at: Standing, name: str) -> Edit:
    said = at.own["injectedNamespaces"][name]
    if isinstance(said, str):
        return Put(("injectedNamespaces", name), {"ownership": said, "revision": at.target.revision})
    return Put(("injectedNamespaces", name, "revision"), at.target.revision)


def _gateways(at: Standing) -> Iterator[Edit]:
    in_profile = at.release.values_data(at.profile, {})["gateways"]
    given: Mapping[str, Any] = at.own.get("gateways") or {}
    for name in (name for name, done in at.gateways.items() if not done):
        kind = at.settings.gateways[name].kind
        # A gateway that the new profile lacks would get the default kind.
        if name not in in_profile and kind != "ingress" and "kind" not in (given.get(name) or {}):
            yield Put(("gateways", name, "kind"), kind)
        yield Put(("gateways", name, "revision"), at.target.revision)


def _tags(at: Standing) -> Iterator[Edit]:
    for tag in at.old_tags:
        yield Put(("revisionTags", tag), at.target.revision)


def _end(at: Standing) -> tuple[Sequence[Edit], Sequence[str]]:
    found, left = ending.config(at)
    return _placed(ending.differences(at.own, found)), left


STEPS: Final = (
    Step(
        name="check",
        applies=lambda _: True,
        is_done=lambda _: True,  # the check is part of the first step
        edits=lambda _: ((), ()),
        about=lambda _: "nothing is written",
    ),
    Step(
        name="definitions",
        applies=lambda at: at.settings.base.enabled and (at.arrived or not at.same_release),
        is_done=lambda at: order(at.main.newest.name) >= order(at.target.release),
        edits=_only(_definitions),
        about=lambda at: f"those of Istio's API, {at.target.release}",
        back="not possible: the API server may have stored objects in versions that older definitions lack. Nor is it"
        " needed: the definitions also serve the older versions",
        reversible=False,
    ),
    Step(
        name="control plane",
        applies=lambda _: True,
        is_done=lambda at: at.target.revision in at.settings.installations,
        edits=_control_plane,
        about=lambda at: f"{at.target.revision}, beside {at.main.revision}" if not at.arrived else at.target.revision,
    ),
    Step(
        name="canary namespace",
        applies=lambda at: bool(at.namespaces),
        is_done=lambda at: any(at.namespaces.values()),
        edits=_only(_canary),
        about=canary,
    ),
    Step(
        name="other namespaces",
        applies=lambda at: len(at.namespaces) > 1,
        is_done=lambda at: all(at.namespaces.values()),
        edits=_only(_others),
        about=lambda at: ", ".join(rest(at) or (name for name in at.namespaces if name != canary(at))),
    ),
    Step(
        name="gateways",
        applies=lambda at: bool(at.gateways),
        is_done=lambda at: all(at.gateways.values()),
        edits=_only(_gateways),
        about=lambda at: ", ".join(at.gateways),
    ),
    Step(
        name="default tag",
        applies=lambda at: at.has_default or bool(at.old_tags),
        is_done=lambda at: not at.old_tags,
        edits=_only(_tags),
        about=lambda at: ", ".join(at.old_tags) or DEFAULT_REVISION,
    ),
    Step(
        name="old control plane",
        applies=lambda _: True,
        is_done=lambda at: at.arrived,
        edits=_end,
        about=lambda at: "gone" if at.arrived else f"{at.main.revision}, {at.main.release.name}, goes",
        back="these lines, then `make up`: this installs the old control plane again, beside this one, where all"
        " proxies stay",
    ),
)
"""All steps in their order."""
