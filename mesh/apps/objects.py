"""The objects of the apps: in their namespaces, with their images, checked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from mesh import manifests
from mesh.analysis import reading
from mesh.analysis.objects import Object, Ref
from mesh.analysis.rules import schema
from mesh.apps import exported, images, plain
from mesh.apps.app import App
from mesh.apps.item import OBJECTS, AppObject, path_of, twice
from mesh.apps.needs import scaled
from mesh.apps.scopes import cluster_scoped
from mesh.core import errors, kinds
from mesh.core.kinds import GroupKind
from mesh.core.names import INJECTION_LABELS
from mesh.manifests import Manifest, ManifestError

REPLICAS: Final = "spec.replicas"


@dataclass(frozen=True, kw_only=True)
class Project:
    """The project and the stack for which the files of apps are read."""

    root: Path
    """The project's folder: paths are relative to it, and must not lead out of it."""
    release: str
    namespaces: Mapping[str, str]
    """The namespaces that the stack declares, each `create` or `existing`."""
    injected: Set[str] = frozenset()
    """The namespaces with injection."""


@dataclass(frozen=True, kw_only=True)
class Apps:
    """The objects of all apps."""

    objects: Sequence[AppObject] = ()
    namespaces: Mapping[str, AppObject] = field(default_factory=dict)
    """The namespaces among the files' objects, by name. The stack creates them, with their labels and annotations."""


def of_apps(
    apps: Mapping[str, App], objects_in_plain: Sequence[plain.Entry], project: Project
) -> tuple[Apps, list[str]]:
    """The objects of the apps and of `mesh:objects`, and the problems, each with file and line or the key of the
    config."""
    read: dict[str, list[Manifest]] = {}
    read[OBJECTS], problems = plain.read(objects_in_plain, project.root)
    for name, app in apps.items():
        try:
            read[name] = manifests.read(app.manifests, project.root, key=f"mesh:apps.{name}.manifests")
        except ManifestError as error:
            problems += str(error).splitlines()
    for name, found in read.items():
        read[name] = [one for one in found if not _is_malformed(one, project.release, problems)]
    scoped = cluster_scoped(manifest for found in read.values() for manifest in found)
    objects = [_placed(name, apps.get(name), one, scoped) for name, found in read.items() for one in found]
    problems += twice(((item.ref, item.source) for item in objects), "leave one of them out")
    for item in objects:
        problems += _problems(item, project, scoped)
        if item.ref.kind in reading.TYPES:  # of other kinds only the form is known, and it has been checked
            problems += _refusals(item.source, Object.read(item.body), project.release)
    made = {item.ref.name: item for item in objects if item.ref.kind == kinds.NAMESPACE}
    readable = {name: app for name, app in apps.items() if name in read}
    for name, app in readable.items():
        problems += _unused(name, app, read[name])
    owned = list(_owned(readable, [item for item in objects if item.ref.kind != kinds.NAMESPACE], problems))
    return Apps(objects=owned, namespaces=made), problems


def _placed(name: str, app: App | None, manifest: Manifest, scoped: Set[GroupKind]) -> AppObject:
    body = images.replaced(exported.cleaned(manifest.body), app.images if app else {})
    if app and manifest.kind not in scoped and app.namespace and not body["metadata"].get("namespace"):
        body = {**body, "metadata": {**body["metadata"], "namespace": app.namespace}}
    return AppObject(app=name, body=body, source=manifest)


def _owned(apps: Mapping[str, App], objects: Sequence[AppObject], problems: list[str]) -> Iterator[AppObject]:
    """The objects, each with the fields that other controllers set: those that are named, and the replicas of what an
    autoscaler scales."""
    named: dict[tuple[str, str], list[str]] = {}
    for name, app in apps.items():
        of_app = {text: one.ref for one in objects if one.app == name for text in _names(one.ref, app)}
        for i, owned in enumerate(app.ownedByOthers):
            if owned.object not in of_app:
                known = errors.not_one_of(owned.object, sorted({str(ref) for ref in of_app.values()}))
                problems.append(f"mesh:apps.{name}.ownedByOthers[{i}].object: {known}, the objects of its files")
            else:
                named.setdefault((name, str(of_app[owned.object])), []).extend(owned.fields)
    autoscaled = {target for one in objects if (target := scaled(one.body))}
    for item in objects:
        fields = [*named.get((item.app, str(item.ref)), ()), *([REPLICAS] if item.ref in autoscaled else ())]
        yield replace(item, others=list(dict.fromkeys(fields))) if fields else item


def _names(ref: Ref, app: App) -> Iterator[str]:
    """How the config may name an object."""
    yield str(ref)
    if ref.namespace and ref.namespace == app.namespace:
        yield f"{ref.kind} {ref.name}"


def _problems(item: AppObject, project: Project, scoped: Set[GroupKind]) -> Iterator[str]:
    namespace, place = item.ref.namespace, item.source.place("metadata.namespace")
    known = {kind.name for kind in reading.TYPES if kind.group == item.ref.kind.group}
    if known and item.ref.kind.name not in known:
        yield f"{item.source.place('kind')}: kind {errors.not_one_of(item.ref.kind.name, sorted(known))}"
    if item.ref.kind == kinds.NAMESPACE:
        yield from _of_namespace(item, project)
    if item.ref.kind in scoped:
        if namespace:
            yield f"{place}: {item.ref.kind} is cluster-scoped: leave it out"
    elif not namespace:
        remedy = "write metadata.namespace" if item.app == OBJECTS else f"set {item.key}.namespace"
        yield f"{item.source.place('metadata')}: {item.ref} has no namespace: {remedy}"
    elif namespace not in project.namespaces:
        declared = errors.not_one_of(namespace, sorted(project.namespaces))
        yield f"{place}: namespace {declared}: declare it in mesh:injectedNamespaces or mesh:namespaces"


def _of_namespace(item: AppObject, project: Project) -> Iterator[str]:
    place, name = item.source.place("metadata.name"), item.ref.name
    if name not in project.namespaces:
        yield f"{place}: namespace {name} is not declared: add it to mesh:injectedNamespaces or mesh:namespaces"
    elif project.namespaces[name] != "create":
        yield f"{place}: namespace {name} is declared `existing`, so this stack does not create it: leave it out here"
    for label in INJECTION_LABELS:
        if name not in project.injected and label in metadata_of(item, "labels"):
            yield f"{item.source.place(f'metadata.labels.{label}')}: {label} is set by mesh:injectedNamespaces alone"


def _is_malformed(manifest: Manifest, release: str, problems: list[str]) -> bool:
    """Whether fields of an object have wrong types or lack required parts, so that the object cannot be read."""
    obj = Object.read(manifest.body)
    if obj.form.malformed:
        problems += _refusals(manifest, obj, release)
    return obj.form.malformed


def _refusals(manifest: Manifest, obj: Object, release: str) -> Iterator[str]:
    """The problems of an object's form that the API server, or istiod for objects of Istio's API, would refuse."""
    for finding in schema.refusals(obj, release):
        path = path_of(manifest, finding.path)
        place = manifest.place(path)
        where = f" {path}" if path and not place.endswith(f".{path}") else ""
        yield f"{place}: {obj.ref}{where}: {finding.text}"


def _unused(name: str, app: App, found: Sequence[Manifest]) -> Iterator[str]:
    """Entries of `images` for images that the app does not have."""
    used = {images.name(image) for manifest in found for image in images.of(manifest.body)}
    for image in app.images:
        if image not in used:
            yield f"mesh:apps.{name}.images: {errors.not_one_of(image, sorted(used))}, the images of its containers"


def metadata_of(item: AppObject | None, part: str) -> Mapping[str, Any]:
    """The labels or annotations of an object; none without it."""
    return (item.body["metadata"].get(part) or {}) if item else {}
