"""Checks of revisions, of revision tags, of the keys that refer to either, and of ztunnel's service account."""

from __future__ import annotations

from collections.abc import Iterator

from mesh import releases
from mesh.api.model import wire
from mesh.config.proxies import path_of
from mesh.config.revisions import SHARED
from mesh.config.settings import Settings
from mesh.core import errors
from mesh.core.names import DEFAULT_REVISION
from mesh.releases.release import Installation
from mesh.values.ztunnel import NAME


def problems(s: Settings) -> Iterator[str]:
    """Problems of the keys that give a control plane its name or refer to one, one line each."""
    yield from _further(s)
    yield from _definitions(s)
    yield from _tags(s)
    yield from _named(s)
    yield from _default_moved(s)
    yield from _certificates(s)
    yield from _ztunnel(s)


def _further(s: Settings) -> Iterator[str]:
    """Entries of `mesh:controlPlanes` that are no further control planes, or do not belong to the stack's mesh."""
    own, main = s.revision or DEFAULT_REVISION, s.installation
    for revision, entry in s.controlPlanes.items():
        path = f"mesh:controlPlanes.{revision}"
        if revision in (own, DEFAULT_REVISION):
            yield f"{path}: {own} is the control plane of the stack's own keys: choose another revision"
            continue
        if not entry.pilot.enabled:
            yield f"{path}: the profile {entry.profile} has no istiod: choose another, such as minimal"
        for keys in SHARED:
            mine, theirs = _value(main, keys), _value(s.installations[revision], keys)
            if mine != theirs:
                yield (
                    f"{path}.{'.'.join(keys)}: {errors.show(theirs)} is not the value of the mesh, {errors.show(mine)}:"
                    " leave it out, since the control planes of a stack serve one mesh"
                )


def _value(mesh: Installation, keys: tuple[str, ...]) -> str:
    """A value that the control planes of a mesh share; empty if it is not set."""
    data = {"global": mesh.values.global_.model_dump(by_alias=True), "meshConfig": wire(mesh.values.meshConfig)}
    for key in keys:
        data = data.get(key) or {}
    return str(data or "")


def _definitions(s: Settings) -> Iterator[str]:
    """A release of the CRDs that is unknown, or older than that of a control plane."""
    chosen = s.base.release
    if chosen and chosen not in releases.NAMES:
        yield f"mesh:base.release: {errors.not_one_of(chosen, releases.NAMES)}"
    elif chosen and chosen != (newest := s.installation.newest.name):
        yield (
            f"mesh:base.release: {chosen} is older than the control plane {newest}, which needs the CRDs of its own"
            " release: leave it out"
        )


def _tags(s: Settings) -> Iterator[str]:
    """Tags that are revisions themselves, and tags without a control plane that could inject for them."""
    if s.revisionTags and not _injects(s):
        yield f"mesh:revisionTags is set, but the profile {s.profile} has no control plane that injects"
    for tag, revision in s.revisionTags.items():
        if tag == DEFAULT_REVISION:
            continue  # the control plane without a name has the label of this tag, too
        if tag in s.installations:
            yield (
                f"mesh:revisionTags.{tag}: {tag} is a revision itself, and a label cannot mean both: choose another"
                f" name for the tag, such as {tag}-stable"
            )
        elif revision in s.revisionTags and revision != DEFAULT_REVISION:
            yield (
                f"mesh:revisionTags.{tag}: {revision} is a tag, and tags stand for revisions: write"
                f" {s.revisionTags[revision]}"
            )


def _injects(s: Settings) -> bool:
    return any(one.values.pilot.enabled or one.values.istiodRemote.enabled for one in s.installations.values())


def _named(s: Settings) -> Iterator[str]:
    """Revisions that namespaces and gateways name, but the stack does not have."""
    known = [*s.installations, *(tag for tag in s.revisionTags if tag not in s.installations)]
    injected = [
        (f"injectedNamespaces.{name}", one.revision, one.injection == "manual")
        for name, one in s.injectedNamespaces.items()
    ]
    gateways = [(f"gateways.{name}", one.revision, True) for name, one in s.gateways.items() if one.enabled]
    for path, revision, made_here in (*injected, *gateways):
        target = s.revision_of(revision)
        if revision and revision not in known:
            yield errors.invalid_choice(f"mesh:{path}.revision", revision, known)
        elif revision and made_here and target not in s.installations:
            yield (
                f"mesh:{path}.revision: {revision} stands for {target}, which is not a control plane of this stack:"
                f" name one of {', '.join(s.installations)}"
            )


def _default_moved(s: Settings) -> Iterator[str]:
    """Namespaces that the tag `default` would move to another control plane without a restart of their pods."""
    target = s.revisionTags.get(DEFAULT_REVISION, DEFAULT_REVISION)
    if target not in s.controlPlanes or s.revision:
        return
    for name, one in s.injectedNamespaces.items():
        if not one.revision and one.injection == "auto":
            yield (
                f"mesh:revisionTags.default: {target} would also inject namespace {name}, whose pods now have the"
                f" sidecar of another control plane: set mesh:injectedNamespaces.{name}.revision first, to {target} or"
                " a tag, which restarts them"
            )


def _certificates(s: Settings) -> Iterator[str]:
    """Providers of istiod's certificate that its release does not have."""
    for mesh in s.installations.values():
        chosen, known = mesh.values.global_.pilotCertProvider, mesh.release.cert_providers
        if not any(chosen == one or (one.endswith("/") and chosen.startswith(one)) for one in known):
            path = f"{path_of(s, mesh)}global.pilotCertProvider"
            yield f"{errors.invalid_choice(path, chosen, known)}: Istio {mesh.release.name} has no other"


def _ztunnel(s: Settings) -> Iterator[str]:
    """A ztunnel that an istiod does not trust: it gets no certificates on behalf of pods."""
    where = f" with mesh:global.platform {s.global_.platform}" if s.global_.platform else ""
    for mesh in s.installations.values():
        pilot = mesh.values.pilot
        if not (s.ztunnel.enabled and pilot.enabled) or "CA_TRUSTED_NODE_ACCOUNTS" in pilot.env:
            continue
        for field, actual, key, trusted, fallback in (
            ("namespace", s.ztunnel.namespace, "trustedZtunnelNamespace", pilot.trustedZtunnelNamespace, s.root),
            ("resourceName", s.ztunnel.resourceName, "trustedZtunnelName", pilot.trustedZtunnelName, NAME),
        ):
            if (trusted or fallback) != (actual or fallback):
                yield (
                    f"mesh:ztunnel.{field} is {actual or fallback}{where}, but istiod trusts {trusted or fallback}: set"
                    f" {path_of(s, mesh)}pilot.{key} to {actual or fallback}"
                )
