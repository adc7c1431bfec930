"""What differs between the objects of a stack and somebody else's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from commands.parity import defaults
from commands.parity.defaults import NOTHING
from commands.parity.normal import Object, normal

Key = tuple[str, str, str, str]
"""API group, kind, namespace and name: an object has several versions, but is one."""

_PLACES: Final = "["
"""What the key of a thing in a list begins with."""


@dataclass(frozen=True)
class Difference:
    """A field, or a whole object, that is not the same on both sides."""

    object: Key
    path: str
    """Empty for a whole object; things in lists are `[name]` or `[place]`."""
    theirs: Any
    ours: Any
    """NOTHING where it is not there."""

    @property
    def whole(self) -> bool:
        """Whether one side lacks the object."""
        return not self.path


def key(manifest: Object) -> Key:
    """By which an object is found on the other side."""
    group = str(manifest["apiVersion"]).rpartition("/")[0]
    meta = manifest["metadata"]
    return group, str(manifest["kind"]), meta.get("namespace") or "", meta["name"]


def differences(theirs: Sequence[Object], ours: Sequence[Object], partial: Sequence[Object] = ()) -> list[Difference]:
    """All of them, by object and path. `partial`: objects of others of which only these fields are ours."""
    there, here, part = ({key(m): m for m in side} for side in (theirs, ours, partial))
    scaled = {_scaled(m) for m in ours if m["kind"] == "HorizontalPodAutoscaler"}
    found = []
    for name in sorted({*there, *here} - {*part}):
        if name not in there or name not in here:
            one, other = there.get(name, NOTHING), here.get(name, NOTHING)
            found.append(Difference(name, "", one, other))
        else:
            found += _fields(name, there[name], here[name], _others(name, scaled))
    return found + [d for name, m in part.items() for d in _part(m, there.get(name, NOTHING))]


def _part(ours: Object, theirs: Any) -> Iterator[Difference]:
    if theirs is NOTHING:
        yield Difference(key(ours), "", NOTHING, ours)
    else:
        yield from (d for d in _fields(key(ours), theirs, ours, frozenset()) if d.ours is not NOTHING)


def _scaled(autoscaler: Object) -> tuple[str, str]:
    return autoscaler["metadata"].get("namespace") or "", autoscaler["spec"]["scaleTargetRef"]["name"]


def _others(name: Key, scaled: set[tuple[str, str]]) -> frozenset[str]:
    """The fields that are left to others in an object."""
    return defaults.OTHERS if name[2:] in scaled else defaults.OTHERS - {defaults.SCALED}


def _fields(name: Key, theirs: Object, ours: Object, others: frozenset[str]) -> Iterator[Difference]:
    walker = _Walker(others | defaults.ASSIGNED)
    for path, there, here in walker.walk(normal(theirs), normal(ours), (name[1],)):
        yield Difference(name, _written(path[1:]), there, here)


@dataclass(frozen=True)
class _Walker:
    left: frozenset[str]
    """Fields that others may set where ours does not."""

    def walk(self, theirs: Any, ours: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any, Any]]:
        """The places at which the two differ; as near to the root as possible where one side has nothing there."""
        bare = [step for step in path if not step.startswith(_PLACES)]
        if ours is NOTHING and ".".join(bare) in self.left:
            return
        filled = [defaults.default(bare) if side is NOTHING else side for side in (theirs, ours)]
        there = [side for side in filled if side is not NOTHING]
        if all(isinstance(side, Mapping) for side in there):
            one, other = ({} if side is NOTHING else side for side in filled)
            steps = {**one, **other}
            found = [d for k in steps for d in self.walk(one.get(k, NOTHING), other.get(k, NOTHING), (*path, k))]
            yield from [(path, theirs, ours)] if found and len(there) == 1 else found
        elif all(isinstance(side, list) for side in filled) and len(filled[0]) == len(filled[1]):
            for place, (one, other) in enumerate(zip(*filled, strict=True)):
                yield from self.walk(one, other, (*path, f"[{place}]"))
        elif filled[0] != filled[1]:
            yield path, filled[0], filled[1]


def _written(path: Sequence[str]) -> str:
    """A path as people write it: `spec.containers[discovery].image`."""
    return "".join(step if step.startswith(_PLACES) else f".{_quoted(step)}" for step in path).removeprefix(".")


def _quoted(step: str) -> str:
    return f'"{step}"' if "." in step or "/" in step else step
