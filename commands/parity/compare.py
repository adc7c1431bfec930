"""Compares the objects of a stack with those of another installation, and finds the fields that differ in effect."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Final

from commands.parity import defaults
from commands.parity.normal import Manifest, normal
from mesh.analysis.objects import Ref, Writes, patched_by
from mesh.core import diff, kinds
from mesh.core.diff import ABSENT, Comparison, Path
from mesh.core.kinds import GroupKind

_ITEM: Final = "["
"""Prefix of a path's step into a list."""


@dataclass(frozen=True)
class Difference:
    """A field, or a whole object, that differs."""

    object: Ref
    path: str
    """Such as `spec.containers[discovery].image`; empty for a whole object. List items have their name or index."""
    theirs: Any
    ours: Any
    """`theirs` and `ours` are ABSENT if that side lacks the field or object."""
    steps: Path = ()
    """The path's steps."""
    by: str = ""
    """The key of the stack's patch that sets the field; empty if it comes from a setting."""

    @property
    def whole(self) -> bool:
        """Whether one side lacks the whole object."""
        return not self.path


def differences(
    theirs: Sequence[Manifest],
    ours: Sequence[Manifest],
    partial: Sequence[Manifest] = (),
    patched: Mapping[Ref, Writes] = MappingProxyType({}),
) -> list[Difference]:
    """All differences, by object and path. `partial` has the fields that the stack sets in objects that it does not
    manage; `patched` has the fields that the stack's patches set."""
    there, here, part = ({Ref.of(m): m for m in side} for side in (theirs, ours, partial))
    scaled = {_scaled(m) for m in ours if GroupKind.of(m) == kinds.HORIZONTAL_POD_AUTOSCALER}
    found = []
    for name in sorted({*there, *here} - {*part}, key=lambda ref: (ref.kind.group, ref)):
        if name not in there or name not in here:
            one, other = there.get(name, ABSENT), here.get(name, ABSENT)
            found.append(Difference(name, "", one, other))
        else:
            fields = _fields(name, there[name], here[name], _others(name, scaled))
            found += (replace(one, by=patched_by(patched.get(name, ()), one.steps, one.ours)) for one in fields)
    return found + [d for name, m in part.items() for d in _part(m, there.get(name, ABSENT))]


def _part(ours: Manifest, theirs: Any) -> Iterator[Difference]:
    if theirs is ABSENT:
        yield Difference(Ref.of(ours), "", ABSENT, ours)
    else:
        yield from (d for d in _fields(Ref.of(ours), theirs, ours, frozenset()) if d.ours is not ABSENT)


def _scaled(autoscaler: Manifest) -> tuple[str, str]:
    return autoscaler["metadata"].get("namespace") or "", autoscaler["spec"]["scaleTargetRef"]["name"]


def _others(name: Ref, scaled: set[tuple[str, str]]) -> frozenset[str]:
    """The fields of an object that others may set, such as the replicas of a Deployment with an autoscaler."""
    return defaults.OTHERS if (name.namespace, name.name) in scaled else defaults.OTHERS - {defaults.SCALED}


def _fields(name: Ref, theirs: Manifest, ours: Manifest, others: frozenset[str]) -> Iterator[Difference]:
    comparison = _ManifestComparison(others | defaults.ASSIGNED)
    for path, there, here, _ in comparison.walk(normal(theirs), normal(ours), (str(name.kind),)):
        yield Difference(name, _text(path[1:]), there, here, path[1:])


@dataclass(frozen=True)
class _ManifestComparison(Comparison):
    """Compares two manifests by their effect on a cluster, defaults included. Paths begin with the object's kind."""

    foreign: frozenset[str]
    """Paths of fields that others may set if the stack does not."""

    def ignores(self, _theirs: Any, ours: Any, path: Path) -> bool:
        return ours is ABSENT and ".".join(_without_items(path)) in self.foreign

    def normalized(self, value: Any, path: Path) -> Any:
        return defaults.default(_without_items(path)) if value is ABSENT else value

    def compare_values(self, theirs: Any, ours: Any, path: Path) -> Iterator[diff.Difference]:
        """The difference of two values; none if one side has only defaults in a mapping that the other side lacks."""
        one, other = ({} if side is ABSENT else side for side in (theirs, ours))
        if isinstance(one, Mapping) and isinstance(other, Mapping) and not any(self.walk(one, other, path)):
            return
        yield diff.Difference(path, theirs, ours)


def _without_items(path: Path) -> Sequence[str]:
    """A path without the steps into lists."""
    return [step for step in path if not step.startswith(_ITEM)]


def _text(path: Sequence[str]) -> str:
    """The text of a path, such as `spec.containers[discovery].image`."""
    return "".join(step if step.startswith(_ITEM) else f".{_quoted(step)}" for step in path).removeprefix(".")


def _quoted(step: str) -> str:
    return f'"{step}"' if "." in step or "/" in step else step
