"""The steps of an upgrade in a change: to CRDs, control planes, revision tags, namespaces and gateways."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mesh.analysis.mesh import Mesh
from mesh.analysis.objects import Object
from mesh.core import kinds, words
from mesh.core.names import DEFAULT_REVISION, INJECTOR, REVISION_LABEL, revisioned
from mesh.proxy import control_plane
from mesh.review import injection
from mesh.review.changes import Change
from mesh.review.risks import availability
from mesh.review.subject import Subject


def of(subject: Subject) -> Sequence[str]:
    """The steps in the order of an upgrade, each a sentence without a period; none for a new stack."""
    if subject.is_new:
        return []
    parts = (_definitions, _new_control_planes, _namespaces, _gateways, _tags, _old_control_planes)
    return [step for part in parts for step in part(subject)]


def _definitions(subject: Subject) -> Iterator[str]:
    """The versions of Istio's API that the API server then serves, or no longer serves."""
    found = [change for change in subject.changes if change.ref.kind == kinds.CUSTOM_RESOURCE_DEFINITION]
    both = [change for change in found if change.old and change.new]
    for verb, versions in (
        ("serves", _versions(both, "new", "old")),
        ("no longer serves", _versions(both, "old", "new")),
    ):
        if versions:
            many = words.count(len(found), "definition")
            yield f"changes {many} of Istio's API, which then {verb} {', '.join(versions)}"


def _versions(changes: Sequence[Change], there: str, elsewhere: str) -> list[str]:
    """The versions that CRDs serve on one side, but not on the other."""
    found = {
        version
        for change in changes
        for version in _served(getattr(change, there)) - _served(getattr(change, elsewhere))
    }
    return sorted(found)


def _served(definition: Object) -> set[str]:
    return {one["name"] for one in definition.spec.get("versions") or () if one.get("served")}


def _new_control_planes(subject: Subject) -> Iterator[str]:
    for name in _control_planes(subject.new) - _control_planes(subject.old):
        yield f"adds control plane {_shown(name, subject.new)}"


def _old_control_planes(subject: Subject) -> Iterator[str]:
    for name in _control_planes(subject.old) - _control_planes(subject.new):
        yield f"removes control plane {_shown(name, subject.old)}"


def _control_planes(mesh: Mesh) -> set[str]:
    """The revisions of the Services of istiod, without those of tags."""
    found = (one for one in mesh.of(kinds.SERVICE) if control_plane.serves_proxies(one.body))
    return {one.labels.get(REVISION_LABEL, DEFAULT_REVISION) for one in found}


def _way(was: str, now: str, subject: Subject) -> str:
    return f"from {_shown(was, subject.old)} to {_shown(now, subject.new)}"


def _shown(revision: str, mesh: Mesh) -> str:
    """A revision, with the version of its images if it is known."""
    version = (mesh.injectors.get(revisioned(INJECTOR, revision), {}).get("global") or {}).get("tag")
    return f"{revision} ({version})" if version else revision


def _namespaces(subject: Subject) -> Iterator[str]:
    for name in sorted(subject.old.namespaces.keys() & subject.new.namespaces.keys()):
        was, now = (injection.revision(mesh, name, {}) for mesh in (subject.old, subject.new))
        if was and now and was != now:
            restarting = availability.restarting(subject)
            pods = [one.object for one in subject.old.workloads.select({}, name) if one.object.ref in restarting]
            what = f"restarts {availability.pods(pods, subject.old)}" if pods else "restarts no pods of this stack"
            yield f"moves namespace {name} {_way(was, now, subject)}: {what}"


def _gateways(subject: Subject) -> Iterator[str]:
    for change in subject.of(kinds.DEPLOYMENT):
        was, now = (side.labels.get(REVISION_LABEL) if side else None for side in (change.old, change.new))
        if change.old and was and now and was != now:
            pods, way = availability.pods([change.old], subject.old), _way(was, now, subject)
            yield f"moves {change.ref.name} {way}: restarts {pods}"


def _tags(subject: Subject) -> Iterator[str]:
    old, new = subject.old.tags, subject.new.tags
    for tag in sorted(old.keys() | new.keys()):
        if tag not in old:
            yield f"adds tag {tag} for {_shown(new[tag], subject.new)}"
        elif tag not in new:
            yield f"removes tag {tag}"
        elif old[tag] != new[tag]:
            yield f"moves tag {tag} {_way(old[tag], new[tag], subject)}"
