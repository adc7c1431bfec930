"""The config of a stack that is an installation: its release, the profile with the fewest differences, and settings.

The stack is rendered and compared with the installation as `make parity` does it; `explaining` reads settings off the
differences, until there is none left that it can read. What remains becomes patches, as far as it can be patched."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from cluster import client, proxy
from cluster.target import Target
from commands import explaining, remaining
from commands.explaining import Installation
from commands.parity import intended, sources, versions
from commands.parity.compare import Difference, differences
from commands.parity.normal import Manifest
from commands.parity.sources import StackObjects
from commands.stackfiles import CommandError
from mesh import releases
from mesh.config import loading
from mesh.config.settings import SettingsError
from mesh.core import kinds
from mesh.core.diff import ABSENT
from mesh.core.errors import UserError
from mesh.core.kinds import GroupKind
from mesh.core.merge import merged
from mesh.core.names import DEFAULT_REVISION, REVISION_LABEL, ROOT
from mesh.imports import importing, pruning
from mesh.imports.draft import Draft
from mesh.imports.importing import Imported
from mesh.imports.source import Left
from mesh.releases.release import Release

CONTEXT: Final = "context:"
"""What a context in `FROM` begins with."""

_ISTIODS: Final = "/apis/apps/v1/deployments?labelSelector=app%3Distiod"

Config = dict[str, Any]


def of_context(context: str) -> list[Manifest]:
    """The objects of the Istio on the cluster of a context. Raises CommandError if there is none."""
    with proxy.connect(Target.named(context)) as api:
        items = [{"apiVersion": "apps/v1", "kind": "Deployment", **one} for one in client.items(api, _ISTIODS)]
        release = _release(items, f"context {context}")
        config = {"release": release.name, "profile": "demo", **_place(items)}
        return sources.of_cluster(api, _rendered(config).plan)


def imported(objects: Sequence[Manifest], origin: str) -> Imported:
    """The config of the stack that explains the objects best. Raises CommandError if they are no Istio of a release
    here."""
    release = _release(objects, origin)
    known: Config = {"release": release.name, **_place(objects), **_images(objects, release)}
    candidates = [known | {"profile": name} for name in release.profiles.names]
    config = min(filter(_is_valid, candidates), key=lambda one: len(_found(one, objects)))
    there = Installation(objects)
    for stage in explaining.STAGES:
        draft = Draft(release)
        stage(draft, _found(config, objects, every=True), there)
        more = merged(config, draft.config)
        config = more if _is_valid(more) else config
    config = _with_patches(config, objects)
    left = [Left(path=str(one.object), why=_said(one)) for one in _found(config, objects)]
    return importing.finished(config, left, release)


def _with_patches(config: Config, objects: Sequence[Manifest]) -> Config:
    """The config with patches of the objects that settings alone do not make as they are."""
    left = _found(config, objects)
    for ref, patch in remaining.patches(left).items():
        more = {**config, "patches": [*config.get("patches", ()), patch]}
        try:
            found = _found(more, objects)
        except UserError:
            continue  # not everything can be patched
        if not any(one.object == ref for one in found):
            config = more
    return config


def _release(objects: Sequence[Manifest], origin: str) -> Release:
    found = versions.of(objects)
    if not found:
        raise CommandError(f"{origin}: there is no istiod whose image says of which release it is")
    if (release := releases.of_version(found[0])) is None:
        raise CommandError(f"{origin} is Istio {found[0]}, and the releases here are {', '.join(releases.NAMES)}")
    return release


def _istiod(objects: Sequence[Manifest]) -> Manifest:
    return next(
        (
            one
            for one in objects
            if GroupKind.of(one) == kinds.DEPLOYMENT and (one["metadata"].get("labels") or {}).get("app") == "istiod"
        ),
        {},
    )


def _place(objects: Sequence[Manifest]) -> Config:
    """Revision and namespace of the control plane, if they are not the usual ones."""
    meta = _istiod(objects).get("metadata") or {}
    revision, namespace = (meta.get("labels") or {}).get(REVISION_LABEL, DEFAULT_REVISION), meta.get("namespace", ROOT)
    return {
        **({} if revision == DEFAULT_REVISION else {"revision": revision}),
        **({} if namespace == ROOT else {"global": {"istioNamespace": namespace}}),
    }


def _images(objects: Sequence[Manifest], release: Release) -> Config:
    """Registry and tag, if they are not those of the release."""
    image = str(_istiod(objects)["spec"]["template"]["spec"]["containers"][0]["image"]) if _istiod(objects) else ""
    hub, _, name = image.rpartition("/")
    tag = name.partition("@")[0].partition(":")[2]
    return {**({"hub": hub} if hub else {}), **({"tag": tag} if tag and tag != release.version else {})}


def _is_valid(config: Config) -> bool:
    try:
        loading.load(pruning.texts(config))
    except SettingsError:
        return False
    return True


def _rendered(config: Config) -> StackObjects:
    """The objects of a stack with this config."""
    texts = pruning.texts(config)
    return sources.of_stack("import", loading.load(texts), texts)


def _found(config: Config, objects: Sequence[Manifest], every: bool = False) -> list[Difference]:
    """The differences between a stack with this config and the objects; `every`: those on purpose, too."""
    ours = _rendered(config)
    found = differences(objects, ours.beside(objects), ours.patches)
    return [one for one in found if every or not (intended.reason(one) or _is_anothers(one))]


def _is_anothers(found: Difference) -> bool:
    """Whether it is about an object that an installation of Istio has not: a Secret, or somebody's own."""
    return found.whole and found.object.kind in (kinds.SECRET, kinds.NAMESPACE)


def _said(found: Difference) -> str:
    if found.whole:
        return "only the stack has it" if found.theirs is ABSENT else "the stack has no such object"
    return f"{found.path} is not as in the stack"
