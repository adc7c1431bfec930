"""Whether the API server would take each object: a server-side dry run, in which nothing is stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from cluster.client import APPLY, Answer, Api, Request, ask_all
from commands.checks.plan import Kind, Planned
from mesh.core import kinds

STAND_IN: Final = "default"
"""The namespace in which objects are tried whose own does not exist yet."""
CONFLICT: Final = "FieldManagerConflict"
ESCALATION: Final = "not currently held"
"""Words of the API server: a field has another manager and value; a role grants what its creator does not have."""


@dataclass(frozen=True)
class Trial:
    """What came of one object."""

    planned: Planned
    answer: Answer | None
    """None where nothing can be tried yet, or not as it is."""
    elsewhere: bool = False
    """Whether it was tried in STAND_IN: then only the object itself was judged, not its place."""

    @property
    def accepted(self) -> bool:
        """Taken as it is, or in another's place: Pulumi replaces what cannot be changed."""
        if self.answer is None:
            return False
        return self.answer.ok or (self.answer.code == 422 and "field is immutable" in self.answer.message)

    @property
    def conflicts(self) -> Sequence[Mapping[str, str]]:
        """Fields that other managers have set to other values."""
        return [c for c in self.answer.causes if c.get("reason") == CONFLICT] if self.answer else []

    @property
    def node_ports(self) -> Sequence[str]:
        """What is wrong with the object's node ports."""
        causes = self.answer.causes if self.answer and self.answer.code == 422 else []
        return [c.get("message", "") for c in causes if c.get("field", "").endswith(".nodePort")]

    @property
    def refusal(self) -> Answer | None:
        """The answer, if it is a refusal that will come again with `up`, other than for a missing right."""
        if self.answer is None or self.accepted or self.answer.denied:
            return None
        if self.elsewhere:
            # Nobody has been given rights in a namespace that does not exist: what is lacking here lacks there.
            return self.answer if self.answer.code == 422 or ESCALATION in self.answer.message else None
        if self.answer.code == 404:  # the role that a binding names is not there yet
            return None
        return None if "does not support dry run" in self.answer.message else self.answer


def trials(objects: Sequence[Planned], kinds: Mapping[tuple[str, str], Kind | None], api: Api) -> Sequence[Trial]:
    """Tries every object whose kind the API server serves."""
    possible = [(p, kind) for p in objects if (kind := kinds[p.type]) and _can_be_tried(p, kind)]
    answers = ask_all(api, [_apply(p, kind) for p, kind in possible])
    done = {id(p): Trial(p, answer) for (p, _), answer in zip(possible, answers, strict=True)}
    homeless = [(p, k) for p, k in possible if _no_namespace(done[id(p)].answer)]
    answers = ask_all(api, [_create(p, kind) for p, kind in homeless])
    done.update({id(p): Trial(p, answer, True) for (p, _), answer in zip(homeless, answers, strict=True)})
    return [done.get(id(p)) or Trial(p, None) for p in objects]


def _can_be_tried(planned: Planned, kind: Kind) -> bool:
    return kind.served and planned.kind != kinds.SECRET  # the values of a Secret are not known here


def _apply(planned: Planned, kind: Kind) -> Request:
    """As the manager that `up` applies it as: fields that the stack has set before are its own to change."""
    path = f"{kind.collection(planned.namespace)}/{planned.name}?dryRun=All&fieldManager={planned.manager}"
    return Request("PATCH", path, planned.manifest, APPLY)


def _create(planned: Planned, kind: Kind) -> Request:
    """In another namespace, and by a name that nobody has there."""
    meta = {k: v for k, v in planned.manifest["metadata"].items() if k not in ("name", "namespace")}
    body = {**planned.manifest, "metadata": {**meta, "generateName": "precheck-"}}
    return Request("POST", f"{kind.collection(STAND_IN)}?dryRun=All", body)


def _no_namespace(answer: Answer | None) -> bool:
    return answer is not None and answer.code == 404 and answer.resource == "namespaces"
