"""What differs between the objects of a stack and somebody else's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from commands.parity import defaults
from commands.parity.defaults import NOTHING
from commands.parity.normal import Manifest, normal
from mesh.analysis.objects import Ref
from mesh.core import diff, kinds
from mesh.core.diff import Comparison, Path
from mesh.core.kinds import GroupKind

_PLACES: Final = "["
"""What the key of a thing in a list begins with."""


@dataclass(frozen=True)
class Difference:
    """A field, or a whole object, that is not the same on both sides."""

    object: Ref
    path: str
    """Empty for a whole object; things in lists are `[name]` or `[place]`."""
    theirs: Any
    ours: Any
    """NOTHING where it is not there."""

    @property
    def whole(self) -> bool:
        """Whether one side lacks the object."""
        return not self.path


def differences(
    theirs: Sequence[Manifest], ours: Sequence[Manifest], partial: Sequence[Manifest] = ()
) -> list[Difference]:
    """All of them, by object and path. `partial`: objects of others of which only these fields are ours."""
    there, here, part = ({Ref.of(m): m for m in side} for side in (theirs, ours, partial))
    scaled = {_scaled(m) for m in ours if GroupKind.of(m) == kinds.HORIZONTAL_POD_AUTOSCALER}
    found = []
    for name in sorted({*there, *here} - {*part}, key=lambda ref: (ref.kind.group, ref)):
        if name not in there or name not in here:
            one, other = there.get(name, NOTHING), here.get(name, NOTHING)
            found.append(Difference(name, "", one, other))
        else:
            found += _fields(name, there[name], here[name], _others(name, scaled))
    return found + [d for name, m in part.items() for d in _part(m, there.get(name, NOTHING))]


def _part(ours: Manifest, theirs: Any) -> Iterator[Difference]:
    if theirs is NOTHING:
        yield Difference(Ref.of(ours), "", NOTHING, ours)
    else:
        yield from (d for d in _fields(Ref.of(ours), theirs, ours, frozenset()) if d.ours is not NOTHING)


def _scaled(autoscaler: Manifest) -> tuple[str, str]:
    return autoscaler["metadata"].get("namespace") or "", autoscaler["spec"]["scaleTargetRef"]["name"]


def _others(name: Ref, scaled: set[tuple[str, str]]) -> frozenset[str]:
    """The fields that are left to others in an object."""
    return defaults.OTHERS if (name.namespace, name.name) in scaled else defaults.OTHERS - {defaults.SCALED}


def _fields(name: Ref, theirs: Manifest, ours: Manifest, others: frozenset[str]) -> Iterator[Difference]:
    meanings = _Meanings(others | defaults.ASSIGNED)
    for path, there, here, _ in meanings.walk(normal(theirs), normal(ours), (str(name.kind),)):
        yield Difference(name, _written(path[1:]), there, here)


@dataclass(frozen=True)
class _Meanings(Comparison):
    """Compares what a cluster makes of two manifests. A path begins with the object's kind."""

    left: frozenset[str]
    """Fields that others may set where ours does not."""

    def ignores(self, _theirs: Any, ours: Any, path: Path) -> bool:
        return ours is NOTHING and ".".join(_bare(path)) in self.left

    def normalized(self, value: Any, path: Path) -> Any:
        return defaults.default(_bare(path)) if value is NOTHING else value

    def compare_values(self, theirs: Any, ours: Any, path: Path) -> Iterator[diff.Difference]:
        """Nothing, where one side has a mapping of defaults alone, and the other has none."""
        one, other = ({} if side is NOTHING else side for side in (theirs, ours))
        if isinstance(one, Mapping) and isinstance(other, Mapping) and not any(self.walk(one, other, path)):
            return
        yield diff.Difference(path, theirs, ours)


def _bare(path: Path) -> Sequence[str]:
    """A path without the places in lists."""
    return [step for step in path if not step.startswith(_PLACES)]


def _written(path: Sequence[str]) -> str:
    """A path as people write it: `spec.containers[discovery].image`."""
    return "".join(step if step.startswith(_PLACES) else f".{_quoted(step)}" for step in path).removeprefix(".")


def _quoted(step: str) -> str:
    return f'"{step}"' if "." in step or "/" in step else step
