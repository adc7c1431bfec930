"""Applies the patches of a stack to its objects, and reports their problems."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from mesh.analysis.objects import Ref
from mesh.core import kinds, names
from mesh.core.errors import nearest
from mesh.patches import protected, types
from mesh.patches.patch import UNPATCHED, Patch, key
from mesh.patches.paths import PatchError, merging, written
from mesh.patches.types import ANY, Type

Object = Mapping[str, Any]

_SHOWN: Final = 6  # objects that a message lists
_REPLICAS: Final = ("spec", "replicas")


def untyped(_: Object) -> Type:
    """The type of an object for callers that do not check types."""
    return ANY


class Patching:
    """The patches of a stack while its objects are created."""

    def __init__(self, patches: Sequence[Patch], type_of: Callable[[Object], Type] = untyped) -> None:
        """`type_of`: the type of an object."""
        self._patches, self._type_of = patches, type_of
        self._problems: dict[int, list[str]] = {i: [] for i in range(len(patches))}
        self._hit: set[int] = set()
        self._changed: set[int] = set()
        self._elsewhere: dict[int, str] = {}
        self._known: list[Ref] = []
        self._replicas: list[tuple[int, Ref]] = []
        self._scaled: set[Ref] = set()

    def concerns(self, ref: Ref) -> bool:
        """Whether any patch is about an object."""
        return any(one.covers(ref) for one in self._patches)

    def elsewhere(self, ref: Ref, origin: str) -> None:
        """Notes an object that is not patched, since users write it themselves, under the config key `origin`."""
        for i, one in enumerate(self._patches):
            if one.covers(ref):
                self._elsewhere.setdefault(i, f"{ref} comes from {origin}: change it there")

    def applied(self, body: Object) -> Object:
        """An object with the patches that are about it; the same object if there are none, or if one is refused."""
        ref = Ref.of(body)
        self._note(ref, body)
        for i, one in enumerate(self._patches):
            if one.covers(ref):
                self._hit.add(i)
                body = self._patched(i, one, ref, body)
        return body

    def problems(self) -> list[str]:
        """The problems of the patches, one line each. Call it when all objects have been created."""
        for i, ref in self._replicas:
            if ref in self._scaled:
                text = f"{ref}: spec.replicas is left to its autoscaler: set the autoscaler's amounts"
                self._problems[i].append(f"{key(i)}: {text}")
        for i, one in enumerate(self._patches):
            if i not in self._hit:
                self._problems[i].append(f"{key(i)}.object: {self._missed(i, one)}")
            elif i not in self._changed and not self._problems[i]:
                self._problems[i].append(f"{key(i)}: it changes nothing: leave it out")
        return [text for found in self._problems.values() for text in dict.fromkeys(found)]

    def _note(self, ref: Ref, body: Object) -> None:
        self._known.append(ref)
        target = (body.get("spec") or {}).get("scaleTargetRef") if ref.kind == kinds.HORIZONTAL_POD_AUTOSCALER else None
        if target:
            kind = kinds.GroupKind.of(target)
            self._scaled.add(Ref(kind, ref.namespace, target["name"]))

    def _patched(self, i: int, patch: Patch, ref: Ref, body: Object) -> Object:
        if why := UNPATCHED.get(ref.kind):
            self._problems[i].append(f"{key(i)}.object: objects of kind {ref.kind} are not patched: {why}")
            return body
        if wrong := list(_misfits(patch, self._type_of(body), key(i))):
            self._problems[i] += wrong
            return body
        try:
            after = patch.applied(body, merging(ref.kind))
        except PatchError as error:
            self._problems[i].append(f"{key(i)}: {ref}: {_said(error)}")
            return body
        if refused := [
            f"{key(i)}: {ref}: {path} is not patched: {why}" for path, why in protected.problems(ref.kind, body, after)
        ]:
            self._problems[i] += refused
            return body
        if after == body:
            return body
        self._changed.add(i)
        if _replicas(after) != _replicas(body):
            self._replicas.append((i, ref))
        return _digested(after, patch)

    def _missed(self, i: int, patch: Patch) -> str:
        if i in self._elsewhere:
            return self._elsewhere[i]
        same = [str(ref) for ref in self._known if str(ref.kind) == patch.kind]
        known = sorted(same or {str(ref.kind) for ref in self._known})
        listed = f"{', '.join(known[:_SHOWN])}{' …' if len(known) > _SHOWN else ''}"
        guess = nearest(patch.object if same else patch.kind, known)
        none = f"no {patch.object}" if same else f"no {patch.object}, and no object of this kind"
        return f"the stack has {none}{guess} (it has {listed})"


def _misfits(patch: Patch, type_: Type, at: str) -> Iterator[str]:
    """The parts of a patch that the type of an object refuses."""
    if patch.merge is not None:
        yield from (f"{at}.merge{_place(one)}" for one in types.problems(patch.merge, type_, merges=True))
    for j, one in enumerate(patch.json_ or ()):
        try:
            wanted = types.at(type_, one.steps)
        except PatchError as error:
            yield f"{at}.json[{j}].path: {one.path}: {_said(error)}"
            continue
        if one.op in ("add", "replace"):
            yield from (f"{at}.json[{j}].value{_place(wrong)}" for wrong in types.problems(one.value, wanted, False))


def _place(error: PatchError) -> str:
    path = written(error.path)
    return f"{'' if not path or path.startswith('[') else '.'}{path}: {error.text}"


def _said(error: PatchError) -> str:
    path = written(error.path)
    return f"{path}: {error.text}" if path else error.text


def _replicas(body: Object) -> Any:
    spec = body.get(_REPLICAS[0])
    return spec.get(_REPLICAS[1]) if isinstance(spec, Mapping) else None


def _digested(body: Object, patch: Patch) -> Object:
    """The object with another digest, if it has one. The provider then waits for the patched object, and does not
    mistake an earlier version for it."""
    notes = (body.get("metadata") or {}).get("annotations") or {}
    old = notes.get(names.DIGEST)
    if not old:
        return body
    new = hashlib.sha256(f"{old} {patch.text}".encode()).hexdigest()[: len(old)]
    waits = {names.WAIT_FOR: notes[names.WAIT_FOR].replace(old, new)} if names.WAIT_FOR in notes else {}
    return {**body, "metadata": {**body["metadata"], "annotations": {**notes, names.DIGEST: new, **waits}}}


def patched(objects: Iterable[Object], patches: Sequence[Patch]) -> Iterator[Object]:
    """Objects with the patches that can be applied to them."""
    found = Patching(patches)
    return (found.applied(one) for one in objects)
