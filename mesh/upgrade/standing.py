"""How far a stack is on the road to another release, according to its config."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

from mesh import releases
from mesh.config import edits
from mesh.config.settings import NAMESPACE, Settings
from mesh.core.names import DEFAULT_REVISION
from mesh.releases.release import Installation, Release
from mesh.upgrade.target import Target


@dataclass(frozen=True, kw_only=True)
class Standing:
    """A stack's config and its target."""

    settings: Settings
    own: Mapping[str, Any]
    """The keys of the stack file, without the config namespace."""
    target: Target
    namespace: str = ""
    """The namespace to move next; the first one if empty."""

    @classmethod
    def of(cls, settings: Settings, config: Mapping[str, Any], target: Target, namespace: str = "") -> Self:
        """The standing of a stack. `config` is the config of the stack file."""
        prefix = f"{NAMESPACE}:"
        own = {
            key.removeprefix(prefix): edits.as_map(value) or value
            for key, value in config.items()
            if key.startswith(prefix)
        }
        return cls(settings=settings, own=own, target=target, namespace=namespace)

    @cached_property
    def main(self) -> Installation:
        """The control plane of the stack's own keys: the old one until the last step."""
        return self.settings.installation

    @property
    def release(self) -> Release:
        """The release of the target."""
        return releases.get(self.target.release)

    @property
    def arrived(self) -> bool:
        """Whether the target is the control plane of the stack's own keys."""
        return self.main.revision == self.target.revision

    @property
    def same_release(self) -> bool:
        """Whether the release stays, so that only settings change."""
        return self.main.release.name == self.target.release

    @property
    def profile(self) -> str:
        """The profile of the new control plane: the stack's if the release has it, else `default`."""
        return self.settings.profile if self.settings.profile in self.release.profiles.names else "default"

    def is_moved(self, revision: str) -> bool:
        """Whether a revision or a revision tag stands for the target."""
        return self.settings.revision_of(revision) == self.target.revision

    @cached_property
    def namespaces(self) -> Mapping[str, bool]:
        """The namespaces that the old control plane or the target injects, and whether it is the target. Namespaces of
        other control planes do not move."""
        return self._of_road({name: one.revision for name, one in self.settings.injectedNamespaces.items()})

    @cached_property
    def gateways(self) -> Mapping[str, bool]:
        """The installed gateways of the old control plane or the target, and whether it is the target."""
        return self._of_road({name: one.revision for name, one in self.settings.gateways.items() if one.enabled})

    def _of_road(self, revisions: Mapping[str, str]) -> dict[str, bool]:
        ours = (self.main.revision, self.target.revision)
        return {
            name: self.is_moved(revision)
            for name, revision in revisions.items()
            if self.settings.revision_of(revision) in ours
        }

    @property
    def unmoved(self) -> bool:
        """Whether nothing has moved to the target yet."""
        return not (self.arrived or any(self.namespaces.values()) or any(self.gateways.values()))

    @property
    def old_tags(self) -> Sequence[str]:
        """The revision tags that stand for the old control plane, `default` first, even if it is only implied."""
        tags = self.settings.revisionTags
        old = [tag for tag, revision in tags.items() if revision == self.main.revision != self.target.revision]
        implied = self.has_default and tags.get(DEFAULT_REVISION) != self.target.revision and not self.arrived
        return [*([DEFAULT_REVISION] if implied else []), *(tag for tag in old if tag != DEFAULT_REVISION)]

    @property
    def has_default(self) -> bool:
        """Whether the label `istio-injection: enabled` belongs to a control plane of this stack, not to another one."""
        said = self.settings.revisionTags.get(DEFAULT_REVISION)
        if said is not None:
            return said in (self.main.revision, self.target.revision)
        return not self.settings.revision or self.settings.base.enabled
