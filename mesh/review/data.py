"""Writes a review as data for JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mesh.analysis.objects import Ref
from mesh.review.changes import Change
from mesh.review.fields import Field
from mesh.review.review import Review


def plain(review: Review) -> Mapping[str, Any]:
    """The whole review; docs/report.md describes the keys."""
    return {
        "stack": review.stack,
        "source": _filled({"kind": review.source.kind, "text": review.source.text, "commit": review.source.commit}),
        "counts": {**review.counts, "unchanged": review.subject.unchanged},
        "risks": [
            {"weight": str(risk.weight), "risk": risk.name, "object": _ref(risk.object), "reason": risk.reason}
            for risk in review.risks
        ],
        "restarts": review.restarts,
        "steps": list(review.steps),
        "requests": [
            {
                "requests": change.what,
                "way": "through" if change.through_gateway else "from",
                "sources": change.sources,
                "before": change.before,
                "after": change.after,
                "samples": change.samples,
            }
            for change in review.request_changes
        ],
        "notEvaluated": list(review.not_evaluated),
        "findings": list(review.findings),
        "refused": list(review.refused),
        "drift": _changes(review.drift),
        "changes": _changes(review.subject.changes),
    }


def _changes(changes: Sequence[Change]) -> list[Mapping[str, Any]]:
    return [
        {
            "op": change.op,
            "object": _ref(change.ref),
            "component": change.item.component,
            "fields": [_field(field) for field in change.fields],
        }
        for change in changes
    ]


def _field(field: Field) -> Mapping[str, Any]:
    return _filled({"path": field.path, "note": field.note, "old": field.old, "new": field.new, "by": field.by})


def _filled(said: Mapping[str, Any]) -> Mapping[str, Any]:
    return {key: value for key, value in said.items() if value not in (None, "")}


def _ref(ref: Ref) -> Mapping[str, str]:
    return {"kind": str(ref.kind), "namespace": ref.namespace, "name": ref.name}
