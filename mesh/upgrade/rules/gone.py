"""Settings, environment variables and annotations that the newer release does not have."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from mesh.core import kinds
from mesh.core.lacking import Lacks
from mesh.core.places import written
from mesh.releases.differences import Gone, Severity
from mesh.upgrade import settings
from mesh.upgrade.changes import Change, Place
from mesh.upgrade.subject import Subject
from mesh.values.values import Values


def of_settings(subject: Subject) -> Iterator[Change]:
    """The installation's own values, outside of its profile, that the release lacks."""
    known = subject.after.release.differences.settings
    for part in Lacks(subject.after.release.api.lacks).parts(Values, settings.own(subject.before)):
        yield _change(subject, "gone-settings", Place(f"mesh:{written(part.path)}"), known.get(part.name))


def of_profile(subject: Subject) -> Iterator[Change]:
    """The profile, if the release does not have it."""
    name = settings.profile(subject.before)
    if name not in subject.after.release.profiles.names:
        yield _change(
            subject, "gone-profile", Place("mesh:profile"), subject.after.release.differences.profiles.get(name)
        )


def variables(subject: Subject) -> Iterator[Change]:
    """The environment variables that are set, but that the newer release no longer reads."""
    before, after = subject.before.release, subject.after.release
    for key, found in _environments(subject).items():
        for name in found:
            if name in before.variables - after.variables:
                place = Place(f"mesh:{key}.{name}")
                yield _change(subject, "gone-variables", place, after.differences.variables.get(name))


def _environments(subject: Subject) -> Mapping[str, Mapping[str, str]]:
    """The variables that are set, by config key, without the default variables of gateways."""
    values, profiles = subject.before.values, subject.before.release.profiles
    found = {"pilot.env": values.pilot.env, "meshConfig.defaultConfig.proxyMetadata": subject.metadata}
    for name, gateway in values.gateways.items():
        usual = profiles.gateways.get(gateway.kind, {}).get("env", {})
        found[f"gateways.{name}.env"] = {key: text for key, text in gateway.env.items() if usual.get(key) != text}
    return found


def of_annotations(subject: Subject) -> Iterator[Change]:
    """The annotations of objects and pods that the release no longer knows."""
    before, after = subject.before.release, subject.after.release
    lost = before.annotations.readers.keys() - after.annotations.readers.keys()
    for place, found in _annotated(subject):
        for name in sorted(lost & found.keys()):
            path = written((*place.path.split("."), name)) if place.path else name
            known = after.differences.annotations.get(name)
            yield _change(subject, "gone-annotations", place._replace(path=path), known)


def _annotated(subject: Subject) -> Iterator[tuple[Place, Mapping[str, str]]]:
    for kind in (kinds.NAMESPACE, kinds.SERVICE):
        for obj in subject.own(kind):
            yield Place.of(obj, "metadata.annotations"), obj.annotations
    for one in subject.mesh.workloads.all:
        obj = one.object
        path = "metadata.annotations" if obj.kind == kinds.POD else "template.metadata.annotations"
        if not subject.of_istio(obj):
            yield Place.of(obj, path), one.annotations


def _change(subject: Subject, name: str, place: Place, known: Gone | None) -> Change:
    release = subject.after.release
    return Change(
        severity=Severity.REFUSED,
        name=name,
        since=known.since if known else release.name,
        places=(place,),
        before="",
        after=f"Istio {release.name} does not have it: {known.after}" if known else f"Istio {release.name} lacks it",
        remedy=known.remedy if known else "leave it out",
        source=known.source if known else f"docs/releases.md, {release.name}",
    )


RULES: Final = (of_settings, of_profile, variables, of_annotations)
