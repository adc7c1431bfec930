"""Checks of the control plane's names: revision tags, and the account of ztunnel."""

from __future__ import annotations

from collections.abc import Iterator

from mesh.config.settings import Settings
from mesh.core.names import DEFAULT_REVISION, ROOT
from mesh.values.ztunnel import NAME


def problems(s: Settings) -> Iterator[str]:
    """Problems of keys that name a control plane, or that a control plane is named by; one line each."""
    yield from _tags(s)
    yield from _ztunnel(s)


def _tags(s: Settings) -> Iterator[str]:
    """Tags that are revisions themselves, or without a control plane whose webhooks they are."""
    if s.revisionTags and not (s.pilot.enabled or s.istiodRemote.enabled):
        yield f"mesh:revisionTags is set, but the profile {s.profile} has no control plane that injects"
    own = s.revision or DEFAULT_REVISION
    for tag, revision in s.revisionTags.items():
        if tag == DEFAULT_REVISION:
            continue  # the control plane without a name has the label of this tag, too
        if tag == own:
            yield (
                f"mesh:revisionTags.{tag}: {tag} is a revision itself, and a label cannot mean both: choose another"
                f" name for the tag, such as {tag}-stable"
            )
        elif revision in s.revisionTags and revision != DEFAULT_REVISION:
            yield (
                f"mesh:revisionTags.{tag}: {revision} is a tag, and tags stand for revisions: write"
                f" {s.revisionTags[revision]}"
            )


def _ztunnel(s: Settings) -> Iterator[str]:
    """A ztunnel that istiod does not trust: it gets no certificates on behalf of pods."""
    if not (s.ztunnel.enabled and s.pilot.enabled) or "CA_TRUSTED_NODE_ACCOUNTS" in s.pilot.env:
        return
    where = f" with mesh:global.platform {s.global_.platform}" if s.global_.platform else ""
    for field, actual, key, trusted, fallback in (
        ("namespace", s.ztunnel.namespace, "trustedZtunnelNamespace", s.pilot.trustedZtunnelNamespace, ROOT),
        ("resourceName", s.ztunnel.resourceName, "trustedZtunnelName", s.pilot.trustedZtunnelName, NAME),
    ):
        if (trusted or fallback) != (actual or fallback):
            yield (
                f"mesh:ztunnel.{field} is {actual or fallback}{where}, but istiod trusts {trusted or fallback}: set"
                f" mesh:pilot.{key} to {actual or fallback}"
            )
