"""Tries each object in a server-side dry run, in which the API server checks the object without storing it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from cluster.client import APPLY, Answer, Api, Request, ask_all
from cluster.discovery import Kind
from commands.checks.plan import Planned
from mesh.core import kinds

FALLBACK_NAMESPACE: Final = "default"
"""The namespace in which an object is tried if its own does not exist yet."""
CONFLICT: Final = "FieldManagerConflict"
"""The API server's reason if another field manager has set a field to another value."""
ESCALATION: Final = "not currently held"
"""Part of the API server's message if a role grants permissions that its creator does not have."""


@dataclass(frozen=True)
class Trial:
    """The result of one object's dry run."""

    planned: Planned
    answer: Answer | None
    """None if the object cannot be tried: its kind is not served yet, or its values are not known."""
    elsewhere: bool = False
    """Whether it was tried in FALLBACK_NAMESPACE, whose policies and permissions may be other ones."""

    @property
    def accepted(self) -> bool:
        """Whether an update would succeed. Pulumi replaces an object whose immutable field changes."""
        if self.answer is None:
            return False
        return self.answer.ok or (self.answer.code == 422 and "field is immutable" in self.answer.message)

    @property
    def conflicts(self) -> Sequence[Mapping[str, str]]:
        """The API server's causes for fields that other managers have set to other values."""
        return [c for c in self.answer.causes if c.get("reason") == CONFLICT] if self.answer else []

    @property
    def node_ports(self) -> Sequence[str]:
        """The API server's messages about the object's node ports."""
        causes = self.answer.causes if self.answer and self.answer.code == 422 else []
        return [c.get("message", "") for c in causes if c.get("field", "").endswith(".nodePort")]

    @property
    def refusal(self) -> Answer | None:
        """The answer, if `up` would be rejected in the same way. None for missing permissions, which a separate check
        reports."""
        if self.answer is None or self.accepted or self.answer.denied:
            return None
        if self.elsewhere:
            # Other rejections may come from policies and permissions of the fallback namespace alone.
            return self.answer if self.answer.code == 422 or ESCALATION in self.answer.message else None
        if self.answer.code == 404:  # the role that a binding names is not there yet
            return None
        return None if "does not support dry run" in self.answer.message else self.answer


def trials(objects: Sequence[Planned], kinds: Mapping[tuple[str, str], Kind | None], api: Api) -> Sequence[Trial]:
    """Tries every object whose kind the API server serves, except Secrets."""
    possible = [(p, kind) for p in objects if (kind := kinds[p.type]) and _can_be_tried(p, kind)]
    answers = ask_all(api, [_apply(p, kind) for p, kind in possible])
    done = {id(p): Trial(p, answer) for (p, _), answer in zip(possible, answers, strict=True)}
    homeless = [(p, k) for p, k in possible if _no_namespace(done[id(p)].answer)]
    answers = ask_all(api, [_create(p, kind) for p, kind in homeless])
    done.update({id(p): Trial(p, answer, True) for (p, _), answer in zip(homeless, answers, strict=True)})
    return [done.get(id(p)) or Trial(p, None) for p in objects]


def _can_be_tried(planned: Planned, kind: Kind) -> bool:
    return kind.served and planned.kind != kinds.SECRET  # the plan has no values of Secrets


def _apply(planned: Planned, kind: Kind) -> Request:
    """Applies with the field manager of `up`, so that fields that the stack has set before do not conflict."""
    path = f"{kind.collection(planned.namespace)}/{planned.name}?dryRun=All&fieldManager={planned.manager}"
    return Request("PATCH", path, planned.manifest, APPLY)


def _create(planned: Planned, kind: Kind) -> Request:
    """Creates in FALLBACK_NAMESPACE, with a generated name that cannot be taken."""
    meta = {k: v for k, v in planned.manifest["metadata"].items() if k not in ("name", "namespace")}
    body = {**planned.manifest, "metadata": {**meta, "generateName": "precheck-"}}
    return Request("POST", f"{kind.collection(FALLBACK_NAMESPACE)}?dryRun=All", body)


def _no_namespace(answer: Answer | None) -> bool:
    return answer is not None and answer.code == 404 and answer.resource == "namespaces"
