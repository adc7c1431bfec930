"""Checks injection webhooks: no two of them inject the same pods."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, product
from typing import Any, Final, NamedTuple

from mesh.analysis import codes
from mesh.analysis.findings import Finding
from mesh.analysis.mesh import Mesh
from mesh.analysis.objects import Object
from mesh.core import kinds
from mesh.core.names import INJECT_LABEL, NAMESPACE_LABEL, REVISION_LABEL
from mesh.core.selectors import selects

Labels = Mapping[str, str]
_NAMESPACES: Final[Sequence[Labels]] = ({}, {NAMESPACE_LABEL: "enabled"}, {NAMESPACE_LABEL: "disabled"})
_PODS: Final[Sequence[Labels]] = ({}, {INJECT_LABEL: "true"}, {INJECT_LABEL: "false"})
"""Labels by which webhooks select, in addition to the label of a revision."""


class _Webhook(NamedTuple):
    object: Object
    path: str
    body: Mapping[str, Any]


def overlaps(mesh: Mesh) -> Iterator[Finding]:
    """For each combination of labels of namespace and pod, at most one webhook injects."""
    found = list(_webhooks(mesh))
    revisions = sorted({revision for webhook in found for revision in _revisions(webhook)})
    said: dict[int, set[str]] = {}
    for namespace, pod in product(_with(revisions, _NAMESPACES), _with(revisions, _PODS)):
        taken = [i for i, webhook in enumerate(found) if _injects(webhook.body, namespace, pod)]
        for i in taken:
            said.setdefault(i, set()).update(str(found[j].object.ref) for j in taken if j != i)
    for i, others in said.items():
        if others:
            text = (
                f"{', '.join(sorted(others))} also injects the pods of this webhook: their selectors must not overlap"
            )
            yield codes.WEBHOOK.at(found[i].object, found[i].path, text)


def _webhooks(mesh: Mesh) -> Iterator[_Webhook]:
    """The webhooks that inject sidecars."""
    for obj in mesh.of(kinds.MUTATING_WEBHOOK):
        several = obj.body.get("webhooks") or ()
        made = [_Webhook(obj, f"webhooks[{i}]", webhook) for i, webhook in enumerate(several)]
        if any(webhook.body["name"].endswith("istio.io") or list(_revisions(webhook)) for webhook in made):
            yield from made


def _revisions(webhook: _Webhook) -> Iterator[str]:
    """The revisions that a webhook or its configuration names."""
    if REVISION_LABEL in webhook.object.labels:
        yield webhook.object.labels[REVISION_LABEL]
    for name in ("namespaceSelector", "objectSelector"):
        selector = webhook.body.get(name) or {}
        if REVISION_LABEL in (selector.get("matchLabels") or {}):
            yield selector["matchLabels"][REVISION_LABEL]
        for condition in selector.get("matchExpressions") or ():
            if condition["key"] == REVISION_LABEL:
                yield from condition.get("values") or ()


def _with(revisions: Iterable[str], several: Sequence[Labels]) -> list[Labels]:
    more = ({**labels, REVISION_LABEL: revision} for revision in revisions for labels in several)
    return list(chain(several, more))


def _injects(webhook: Mapping[str, Any], namespace: Labels, pod: Labels) -> bool:
    return selects(webhook.get("namespaceSelector"), namespace) and selects(webhook.get("objectSelector"), pod)


RULES: Final = (overlaps,)
