"""Checks whether the user of the context has the permissions that `up`, `refresh` and `down` need."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final

from cluster.client import Api, Request, ask_all
from cluster.discovery import Kind
from cluster.errors import Refused
from commands.checks.case import Case, Level, Result
from commands.checks.plan import Planned
from mesh.core import kinds
from mesh.core.kinds import GroupKind
from mesh.core.words import count

OWN_OBJECT_VERBS: Final = ("create", "get", "list", "watch", "patch", "delete")
"""Verbs on objects that the stack owns. Pulumi's provider creates by server-side apply, which is a patch, and lists and
watches until an object is ready or deleted."""
PATCH_VERBS: Final = ("get", "patch")
"""Verbs on objects that the stack does not manage, but in which it sets some fields."""

WATCHED: Final[Mapping[GroupKind, Sequence[tuple[str, str]]]] = {
    kinds.DEPLOYMENT: (("apps", "replicasets"), ("", "pods"), ("", "persistentvolumeclaims")),
    kinds.DAEMON_SET: (("", "pods"),),
}
"""Further resources (API group and name) that the provider lists and watches in the namespace of an object, by its
kind, until the object is ready."""

LISTED_FIRST: Final = (
    ("", "namespaces"),
    ("", "nodes"),
    ("admissionregistration.k8s.io", "mutatingwebhookconfigurations"),
    ("admissionregistration.k8s.io", "validatingwebhookconfigurations"),
)
"""Resources that `up` lists before it registers its first one, see cluster/survey.py."""

_REVIEW: Final = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
_SELF: Final = "/apis/authentication.k8s.io/v1/selfsubjectreviews"


@dataclass(frozen=True, order=True)
class Permission:
    """Permission for one verb, with the fields of Kubernetes' ResourceAttributes."""

    namespace: str
    """Empty for the whole cluster."""
    group: str
    resource: str
    name: str
    """Empty for all objects of the resource."""
    verb: str

    @property
    def review(self) -> dict[str, Any]:
        """The SelfSubjectAccessReview that asks whether the caller has the permission."""
        attributes = {"verb": self.verb, "group": self.group, "resource": self.resource}
        where = {"namespace": self.namespace, "name": self.name}
        attributes.update({key: value for key, value in where.items() if value})
        head = {"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview"}
        return {**head, "spec": {"resourceAttributes": attributes}}


def check(case: Case) -> Result:
    """Asks the API server about each permission, which needs no permission itself. Raises Refused if the API server
    does not answer."""
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
        f"{user} lacks {len(missing)} of {count(len(wanted), 'right')} that up, refresh and down need; a user with"
        " the ClusterRole cluster-admin can grant them. Each command checks a missing right:",
        [*_lines(missing, case.target.context)],
    )


def _of(planned: Planned, kind: Kind | None) -> Iterator[Permission]:
    if kind is None:
        return
    name = planned.name if planned.patch else ""
    # A Role in a namespace can grant permissions on the Namespace object itself.
    namespace = name if kind.plural == "namespaces" else planned.namespace
    for verb in PATCH_VERBS if planned.patch else OWN_OBJECT_VERBS:
        yield Permission(namespace, kind.group, kind.plural, name, verb)
    for what in WATCHED.get(planned.kind, ()):
        yield from (Permission(planned.namespace, *what, "", verb) for verb in ("list", "watch"))


def _reads() -> Iterator[Permission]:
    return (Permission("", *what, "", "list") for what in LISTED_FIRST)


def _lines(missing: Sequence[Permission], context: str) -> Iterator[str]:
    """A `kubectl auth can-i` command for the first missing verb of each resource, with the other verbs as comment."""
    for (namespace, group, resource, name), rights in groupby(
        missing, lambda r: (r.namespace, r.group, r.resource, r.name)
    ):
        verb, *others = [right.verb for right in rights]
        what = ".".join(filter(None, (resource, group))) + (f"/{name}" if name else "")
        where = f" --namespace {namespace}" if namespace else ""
        also = f"  # also {', '.join(others)}" if others else ""
        yield f"kubectl auth can-i {verb} {what}{where} --context {context}{also}"


def _user(api: Api) -> str:
    """The caller's user name. Kubernetes before 1.28 does not return it."""
    review = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
    answer = api.ask(Request("POST", _SELF, review))
    name = answer.body.get("status", {}).get("userInfo", {}).get("username") if answer.ok else None
    return str(name or "the context's user")
