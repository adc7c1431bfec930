"""The objects of the apps: in their namespaces, with their images, checked, in the order of their creation."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from mesh import manifests
from mesh.analysis.objects import Object, Ref
from mesh.analysis.rules import schema
from mesh.apps import images, plain
from mesh.apps.app import App
from mesh.apps.order import Stage, stage
from mesh.apps.scopes import cluster_scoped
from mesh.core import errors
from mesh.core.kinds import GroupKind
from mesh.manifests import Manifest, ManifestError

OBJECTS: Final = ""
"""What `mesh:objects` is called among the apps, whose own names are not empty."""


@dataclass(frozen=True, kw_only=True)
class AppObject:
    """An object of an app."""

    app: str
    """The app's name; that of `mesh:objects` is `OBJECTS`."""
    body: Mapping[str, Any]
    """The object as it is created."""
    source: Manifest
    """The object as it is written."""

    @property
    def ref(self) -> Ref:
        return Ref.of(self.body)

    @property
    def key(self) -> str:
        """The key of the config that the object comes from: its own if it stands in there."""
        if self.app != OBJECTS:
            return f"mesh:apps.{self.app}"
        return plain.KEY if self.source.node else self.source.file

    @property
    def stage(self) -> Stage:
        return stage(self.ref.kind)


def of_apps(
    apps: Mapping[str, App],
    namespaces: Set[str],
    release: str,
    root: Path,
    objects_in_plain: Sequence[str | Mapping[str, Any]] = (),
) -> tuple[list[AppObject], list[str]]:
    """The objects of the apps in the order of their creation, and the problems, each with file and line or the key of
    the config. `namespaces` are those that the stack declares; `root` is the project's folder; `objects_in_plain` is
    `mesh:objects`."""
    read: dict[str, list[Manifest]] = {}
    read[OBJECTS], problems = plain.read(objects_in_plain, root)
    for name, app in apps.items():
        try:
            read[name] = manifests.read(app.manifests, root)
        except ManifestError as error:
            problems += str(error).splitlines()
    scoped = cluster_scoped(manifest for found in read.values() for manifest in found)
    objects = [_placed(name, apps.get(name), one, scoped) for name, found in read.items() for one in found]
    problems += _twice(objects)
    for item in objects:
        problems += _problems(item, namespaces, scoped)
        problems += _of_istio(item, release)
    for name in (name for name in apps if name in read):
        problems += _unused(name, apps[name], read[name])
    return sorted(objects, key=lambda item: item.stage), problems


def _placed(name: str, app: App | None, manifest: Manifest, scoped: Set[GroupKind]) -> AppObject:
    body = images.replaced(manifest.body, app.images) if app else manifest.body
    if app and manifest.kind not in scoped and app.namespace and not body["metadata"].get("namespace"):
        body = {**body, "metadata": {**body["metadata"], "namespace": app.namespace}}
    return AppObject(app=name, body=body, source=manifest)


def _twice(objects: Iterable[AppObject]) -> Iterator[str]:
    first: dict[Ref, AppObject] = {}
    for item in objects:
        other = first.setdefault(item.ref, item)
        if other is not item:
            yield f"{item.source.place()}: {item.ref} is in {other.source.place()}, too: leave one of them out"


def _problems(item: AppObject, namespaces: Set[str], scoped: Set[GroupKind]) -> Iterator[str]:
    namespace, place = item.ref.namespace, item.source.place("metadata.namespace")
    if item.ref.kind in scoped:
        if namespace:
            yield f"{place}: {item.ref.kind} is in no namespace: leave it out"
    elif not namespace:
        remedy = "write metadata.namespace" if item.app == OBJECTS else f"set {item.key}.namespace"
        yield f"{item.source.place('metadata')}: {item.ref} has no namespace: {remedy}"
    elif namespace not in namespaces:
        known = errors.not_one_of(namespace, sorted(namespaces))
        yield f"{place}: namespace {known}: declare it in mesh:injectedNamespaces or mesh:namespaces"


def _of_istio(item: AppObject, release: str) -> Iterator[str]:
    """What the release's API server and istiod refuse of an object of Istio's API."""
    if item.ref.kind.group.endswith("istio.io") and schema.is_known(item.ref.kind):
        for finding in schema.refusals(Object.read(item.body), release):
            path = finding.path if finding.path.startswith("metadata") or not finding.path else f"spec.{finding.path}"
            where = f"{path}: " if finding.path else ""
            yield f"{item.source.place(path)}: {item.ref} {where}{finding.text}"


def _unused(name: str, app: App, found: Sequence[Manifest]) -> Iterator[str]:
    """Images that are to take the place of none."""
    used = {images.name(image) for manifest in found for image in images.of(manifest.body)}
    for image in app.images:
        if image not in used:
            yield f"mesh:apps.{name}.images: {errors.not_one_of(image, sorted(used))}, the images of its containers"
