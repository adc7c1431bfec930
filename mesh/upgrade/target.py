"""The target of an upgrade: a release, and the revision of its control plane."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from pydantic import TypeAdapter, ValidationError

from mesh import releases
from mesh.config.settings import Settings
from mesh.core import errors
from mesh.releases.differences import order
from mesh.values.revision import Revision

GUIDE: Final = "docs/upgrade.md"
"""The page about upgrades."""
SUPPORTED: Final = 2
"""The most minor releases over which the Istio project supports an upgrade, with a revision of its own:
https://istio.io/latest/docs/setup/upgrade/canary/."""


class UpgradeError(errors.UserError):
    """There is no road to the requested target. The message says why, and what is possible."""


@dataclass(frozen=True, kw_only=True)
class Target:
    """The only control plane that a stack has after the upgrade."""

    release: str
    """Minor version of Istio."""
    revision: str


def choose(settings: Settings, to: str, revision: str = "") -> Target:
    """The target for a stack. `to` is a release, `revision` the revision of the new control plane. An empty one means a
    control plane of that release that the stack has, or else the release's version with hyphens.

    Raises UpgradeError if there is no road to the target.
    """
    main = settings.installation
    if not to:
        raise UpgradeError(
            f"TO is missing: the release to go to. The stack's own is {main.release.name}; there are"
            f" {', '.join(releases.NAMES)} (docs/releases.md): make upgrade TO={releases.NAMES[-1]}"
        )
    if to not in releases.NAMES:
        raise UpgradeError(errors.invalid_choice("TO", to, releases.NAMES))
    if order(to) < order(main.release.name):
        raise UpgradeError(
            f"TO={to} is older than the stack's release {main.release.name}, and a downgrade is not possible: the API"
            f" server has stored objects in versions that the definitions of {to} do not have. Install {to} on another"
            " cluster"
        )
    if not main.values.pilot.enabled:
        raise UpgradeError(
            f"the profile {settings.profile} has no istiod on this cluster, so there is no control plane to move away"
            " from: upgrade the stack that has it"
        )
    return Target(release=to, revision=_revision(settings, to, revision))


def distance(before: str, after: str) -> int:
    """The number of minor releases between two."""
    return order(after)[1] - order(before)[1]


def _revision(settings: Settings, to: str, asked: str) -> str:
    main = settings.installation
    standing = [name for name, entry in settings.controlPlanes.items() if entry.release == to]
    usual = releases.get(to).version.replace(".", "-")
    if not asked and main.release.name == to and not standing:
        return main.revision
    if not asked and len(standing) > 1 and usual not in standing:
        raise UpgradeError(
            f"the stack has several control planes of {to}: name the one to go to, REVISION={' or '.join(standing)}"
        )
    chosen = asked or (standing[0] if len(standing) == 1 else usual)
    if chosen in standing or (chosen == main.revision and main.release.name == to):
        return chosen
    if chosen in (main.revision, *settings.controlPlanes):
        raise UpgradeError(f"REVISION={chosen} is a control plane of another release: name another revision")
    if chosen in settings.revisionTags:
        raise UpgradeError(
            f"REVISION={chosen} is a tag (mesh:revisionTags): name a revision, such as REVISION={usual}-b"
        )
    try:
        TypeAdapter(Revision).validate_python(chosen)
    except ValidationError:
        raise UpgradeError(
            f"REVISION={chosen}: a revision has lowercase letters, digits and hyphens, at most 40, such as {usual}"
        ) from None
    return chosen
