"""Objects of Istio that the newer release refuses, and kinds and versions that it does not serve."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from mesh.analysis import reading
from mesh.analysis.objects import Object
from mesh.api import Kind
from mesh.api.model import Metadata
from mesh.core.places import written
from mesh.releases import lacking
from mesh.releases.differences import Severity
from mesh.releases.release import Installation
from mesh.upgrade.changes import Change, Place
from mesh.upgrade.subject import Subject


def objects(subject: Subject) -> Iterator[Change]:
    """Objects of Istio that the older release accepts, and the newer one refuses."""
    for kind in reading.TYPES:
        for obj in subject.own(kind):
            message = obj.form.message
            if message and not _unserved(subject.after, obj):
                known = set(_problems(subject.before.release.name, obj, message))
                for path, text in _problems(subject.after.release.name, obj, message):
                    if (path, text) not in known:
                        yield _change(subject, Place.of(obj, path), text)


def _problems(release: str, obj: Object, message: Kind) -> Iterator[tuple[str, str]]:
    metadata = Metadata(obj.name, obj.namespace, obj.labels, obj.annotations)
    for path, text in lacking.of_whole(release, message, metadata):
        yield written(path), text


def kinds(subject: Subject) -> Iterator[Change]:
    """Objects of Istio of a kind or in a version that the older release serves, but the newer one does not."""
    for obj in subject.mesh.objects:
        text = _unserved(subject.after, obj)
        if text and not _unserved(subject.before, obj):
            yield _change(subject, Place.of(obj, "apiVersion"), text)


def _unserved(installation: Installation, obj: Object) -> str:
    """Why a release does not serve an object; empty if it does, or if the object is not Istio's."""
    kind = reading.TYPES.get(obj.kind)
    version = str(obj.body["apiVersion"]).rpartition("/")[2]
    return lacking.of_kind(installation.release.name, kind, version) if kind else ""


def _change(subject: Subject, place: Place, text: str) -> Change:
    release = subject.after.release
    return Change(
        severity=Severity.REFUSED,
        name="refused-objects",
        since=release.name,
        places=(place,),
        before="",
        after=text if text.startswith("Istio ") else f"Istio {release.name} refuses it: {text}",
        remedy="write it so that both releases accept it, before the upgrade",
        source=f"validation and definitions of {release.version} (istio/istio: pkg/config/validation, manifests)",
    )


RULES: Final = (objects, kinds)
