"""Whether the user of the context may do all that `up`, `refresh` and `down` do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final

from cluster.client import Api, Request, ask_all
from cluster.errors import Refused
from commands.checks.case import Case, Level, Result
from commands.checks.plan import Kind, Planned
from mesh.core import kinds
from mesh.core.kinds import GroupKind
from mesh.core.words import count

WHOLE: Final = ("create", "get", "list", "watch", "patch", "delete")
PART: Final = ("get", "patch")
"""Verbs for an object of ours, and for fields of an object of others. Pulumi's provider creates by server-side apply,
which is a patch, and lists and watches until an object is ready or gone."""

AWAITED: Final[Mapping[GroupKind, Sequence[tuple[str, str]]]] = {
    kinds.DEPLOYMENT: (("apps", "replicasets"), ("", "pods"), ("", "persistentvolumeclaims")),
    kinds.DAEMON_SET: (("", "pods"),),
}
"""What it lists and watches besides, in the same namespace, until an object of a kind is ready."""

READ: Final = (
    ("", "namespaces"),
    ("", "nodes"),
    ("admissionregistration.k8s.io", "mutatingwebhookconfigurations"),
)
"""What `up` lists before its first resource, see cluster/survey.py."""

_REVIEW: Final = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
_SELF: Final = "/apis/authentication.k8s.io/v1/selfsubjectreviews"


@dataclass(frozen=True, order=True)
class Right:
    """Leave for one verb, in the words of Kubernetes' authorization API."""

    namespace: str
    """Empty for the whole cluster."""
    group: str
    resource: str
    name: str
    """Empty for all objects of the resource."""
    verb: str

    @property
    def review(self) -> dict[str, Any]:
        """The question to the API server whether the caller has it."""
        attributes = {"verb": self.verb, "group": self.group, "resource": self.resource}
        where = {"namespace": self.namespace, "name": self.name}
        attributes.update({key: value for key, value in where.items() if value})
        head = {"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview"}
        return {**head, "spec": {"resourceAttributes": attributes}}


def check(case: Case) -> Result:
    """Asks the API server for each right, which needs no right itself."""
    wanted = sorted({right for p in case.plan.objects for right in _of(p, case.kinds[p.type])} | {*_reads()})
    answers = ask_all(case.api, [Request("POST", _REVIEW, right.review) for right in wanted])
    for answer in answers:
        if not answer.ok:
            raise Refused(answer.message)
    missing = [r for r, a in zip(wanted, answers, strict=True) if not a.body.get("status", {}).get("allowed")]
    user = _user(case.api)
    if not missing:
        return Result(Level.OK, f"{user} has all {len(wanted)} rights that up, refresh and down need")
    return Result(
        Level.ERROR,
        f"{user} lacks {len(missing)} of {count(len(wanted), 'right')}; whoever has the ClusterRole cluster-admin can"
        " grant them. Each line asks for what is missing:",
        [*_lines(missing, case.target.context)],
    )


def _of(planned: Planned, kind: Kind | None) -> Iterator[Right]:
    if kind is None:
        return
    name = planned.name if planned.patch else ""
    # Kubernetes lets a Role in a namespace speak of the Namespace object itself.
    namespace = name if kind.plural == "namespaces" else planned.namespace
    for verb in PART if planned.patch else WHOLE:
        yield Right(namespace, kind.group, kind.plural, name, verb)
    for what in AWAITED.get(planned.kind, ()):
        yield from (Right(planned.namespace, *what, "", verb) for verb in ("list", "watch"))


def _reads() -> Iterator[Right]:
    return (Right("", *what, "", "list") for what in READ)


def _lines(missing: Sequence[Right], context: str) -> Iterator[str]:
    """For each resource the command that asks for the first missing verb, and the other ones."""
    for (namespace, group, resource, name), rights in groupby(
        missing, lambda r: (r.namespace, r.group, r.resource, r.name)
    ):
        verb, *others = [right.verb for right in rights]
        what = ".".join(filter(None, (resource, group))) + (f"/{name}" if name else "")
        where = f" --namespace {namespace}" if namespace else ""
        also = f"  # also {', '.join(others)}" if others else ""
        yield f"kubectl auth can-i {verb} {what}{where} --context {context}{also}"


def _user(api: Api) -> str:
    """The name that the API server knows the caller by; Kubernetes before 1.28 does not tell."""
    review = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
    answer = api.ask(Request("POST", _SELF, review))
    name = answer.body.get("status", {}).get("userInfo", {}).get("username") if answer.ok else None
    return str(name or "the context's user")
