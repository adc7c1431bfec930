"""Derives the config of a stack from an installation: its release, the profile with the fewest differences, and
settings.

The stack is rendered and compared with the installation as in `make parity`. `explaining` derives settings from the
differences until it can derive no more. The remaining differences become patches, as far as they can be patched."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cache
from typing import Any, Final

from cluster import client, proxy
from cluster.client import Api
from cluster.target import Target
from commands import explaining, remaining
from commands.explaining import Installation, Stage
from commands.parity import intended, sources, versions
from commands.parity.compare import Difference, differences
from commands.parity.normal import Manifest
from commands.parity.sources import StackObjects
from commands.stackfiles import CommandError
from mesh import releases
from mesh.analysis.objects import Ref
from mesh.config import loading
from mesh.config.settings import SettingsError
from mesh.core import kinds
from mesh.core.diff import ABSENT
from mesh.core.errors import UserError
from mesh.core.merge import merged
from mesh.core.names import DEFAULT_REVISION, REVISION_LABEL, ROOT
from mesh.imports import importing, pruning
from mesh.imports.draft import Draft
from mesh.imports.importing import Imported
from mesh.imports.source import Left
from mesh.releases.release import Release

CONTEXT: Final = "context:"
"""Prefix of a context in `FROM`."""

_DEPLOYMENTS: Final = "/apis/apps/v1/deployments"
_DAEMON_SETS: Final = "/apis/apps/v1/daemonsets"
_OF_ANOTHER: Final = "belongs to a further control plane: see mesh:controlPlanes"
_ON_NODES: Final = ("istio-cni-node", "ztunnel")
"""Prefixes of the names of Istio's DaemonSets."""

Config = dict[str, Any]


def of_context(context: str) -> Imported:
    """The config of the stack that comes closest to the Istio on the cluster of a context. Raises CommandError if the
    cluster has no Istio of a supported release."""
    with proxy.connect(Target.named(context)) as api:
        listed = [{"apiVersion": "apps/v1", "kind": "Deployment", **one} for one in client.items(api, _DEPLOYMENTS)]
        found = [one for one in listed if Installation([one]).istiod or Installation([one]).gateways]
        every = list(_workloads(found))
        revisions = {_revision(one) for one in found if Installation([one]).istiod} - {"", *map(_revision, every[:1])}
        workloads = [one for one in (*every, *_on_nodes(api)) if _revision(one) not in revisions]
        config = {**_known(workloads, f"context {context}"), "profile": "default"}
        config = _explained(config, workloads, explaining.structure)
        standing = _standing(api, _with_each_profile(config), revisions)
        made = imported(standing, f"context {context}")
        # settings that only these objects show create further objects
        known = {Ref.of(one) for one in standing}
        more = [one for one in _standing(api, [dict(made.config)], revisions) if Ref.of(one) not in known]
    if more:
        made = imported([*standing, *more], f"context {context}")
    others = [Left(path=str(Ref.of(one)), why=_OF_ANOTHER) for one in found if _revision(one) in revisions]
    return replace(made, left=[*made.left, *others])


def _revision(manifest: Manifest) -> str:
    """The revision in the labels of an object of Istio's; empty if it has none."""
    return str((manifest["metadata"].get("labels") or {}).get(REVISION_LABEL, ""))


def _workloads(deployments: Sequence[Manifest]) -> Iterator[Manifest]:
    """The Deployments of istiod and of gateways, in any namespace, but not of gateways that istiod deploys."""
    there = Installation([one for one in deployments if not one["metadata"].get("ownerReferences")])
    yield from filter(None, (there.istiod, *there.gateways.values()))


def _on_nodes(api: Api) -> Iterator[Manifest]:
    for one in client.items(api, _DAEMON_SETS):
        if one["metadata"]["name"].startswith(_ON_NODES):
            yield {"apiVersion": "apps/v1", "kind": "DaemonSet", **one}


def _standing(api: Api, configs: Iterable[Config], others: Collection[str]) -> list[Manifest]:
    """The objects of stacks with these configs that exist on the cluster, without those of other revisions."""
    plans = [_rendered(config).plan for config in filter(_is_valid, configs)]
    found = {Ref.of(one): one for plan in plans for one in sources.of_cluster(api, plan)}
    return [one for one in found.values() if _revision(one) not in others]


def imported(objects: Sequence[Manifest], origin: str) -> Imported:
    """The config of the stack that comes closest to the objects. Raises CommandError if they are not an Istio of a
    supported release."""
    candidates = _with_each_profile(_known(objects, origin))
    config = min(filter(_is_valid, candidates), key=lambda one: len(_found(one, objects)))
    for stage in explaining.STAGES:
        config = _explained(config, objects, stage)
    config = _with_patches(config, objects)
    left = [Left(path=str(one.object), why=_said(one)) for one in _found(config, objects)]
    return importing.finished(config, left, releases.get(config["release"]))


def _known(objects: Sequence[Manifest], origin: str) -> Config:
    """Release, revision, namespace and images. Raises CommandError if the objects are not an Istio of a supported
    release."""
    release = _release(objects, origin)
    there = Installation(objects)
    return {"release": release.name, **_place(there), **_images(there, release)}


def _with_each_profile(config: Config) -> list[Config]:
    return [{**config, "profile": name} for name in releases.get(config["release"]).profiles.names]


def _explained(config: Config, objects: Sequence[Manifest], stage: Stage) -> Config:
    """The config with the settings that a stage derives from the differences; unchanged if they are not valid."""
    draft = Draft(releases.get(config["release"]))
    stage(draft, _found(config, objects, every=True), Installation(objects))
    more = merged(config, draft.config)
    return more if _is_valid(more) else config


def _with_patches(config: Config, objects: Sequence[Manifest]) -> Config:
    """The config with patches for the objects that settings alone cannot make equal to the installation."""
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
        raise CommandError(f"{origin}: there is no istiod whose image or labels name its release")
    if (release := releases.of_version(found[0])) is None:
        raise CommandError(
            f"{origin} is Istio {found[0]}, which is not supported: the releases are {', '.join(releases.NAMES)}"
        )
    return release


def _place(there: Installation) -> Config:
    """Revision and namespace of the control plane, if they are not the usual ones."""
    revision = (_revision(there.istiod) if there.istiod else "") or DEFAULT_REVISION
    return {
        **({} if revision == DEFAULT_REVISION else {"revision": revision}),
        **({} if there.root == ROOT else {"global": {"istioNamespace": there.root}}),
    }


def _images(there: Installation, release: Release) -> Config:
    """Registry and tag, if they are not those of the release."""
    image = str(there.istiod["spec"]["template"]["spec"]["containers"][0]["image"]) if there.istiod else ""
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
    return _rendered_once(json.dumps(config, sort_keys=True))


@cache
def _rendered_once(written: str) -> StackObjects:
    texts = pruning.texts(json.loads(written))
    return sources.of_stack("import", loading.load(texts), texts)


def _found(config: Config, objects: Sequence[Manifest], every: bool = False) -> list[Difference]:
    """The differences between a stack with this config and the objects; `every`: also the intended ones."""
    ours = _rendered(config)
    found = differences(objects, ours.beside(objects), ours.patches)
    return [one for one in found if every or not (intended.reason(one) or _is_anothers(one))]


def _is_anothers(found: Difference) -> bool:
    """Whether a difference is about an object that is not part of an installation of Istio: a Secret or a namespace."""
    return found.whole and found.object.kind in (kinds.SECRET, kinds.NAMESPACE)


def _said(found: Difference) -> str:
    if found.whole:
        return "only the stack has it" if found.theirs is ABSENT else "the stack has no such object"
    return f"{found.path} differs from the stack"
