"""Whether an update would turn a control plane into one of another namespace or of a far release, in place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from cluster import revisions
from cluster.orphans import Objects
from cluster.state import StackState
from mesh import releases
from mesh.proxy.control_plane import GUIDE
from mesh.upgrade.target import distance

Manifest = Mapping[str, Any]

SUPPORTED: Final = 1
"""The minor releases over which the Istio project supports it:
https://istio.io/latest/docs/setup/upgrade/in-place/."""


def problem(before: Objects, after: Objects) -> str:
    """Why the update must not be made, and what to do; empty if it may. Images without a version tell nothing."""
    for name in sorted(before.templates.keys() & after.templates.keys()):
        old, new = _version(before.templates[name]), _version(after.templates[name])
        if old and new and abs(distance(releases.minor(old), releases.minor(new))) > SUPPORTED:
            return (
                f"control plane {'/'.join(name)} would turn from Istio {old} into {new} in place, under its proxies."
                f" The Istio project supports that over {SUPPORTED} minor release, and the old webhooks would refuse"
                f" the new objects halfway. Put the release back{_road(releases.minor(old), releases.minor(new))}"
            )
    return ""


def moved(recorded: StackState, root: str) -> str:
    """Why a stack that is installed must not go to Istio's namespace `root`, and what to do; empty if it stays where it
    is, or is new."""
    before = recorded.resources.get("mesh:istio:Base::base", {}).get("namespace")
    if before in (None, root):
        return ""
    return (
        f"mesh:global.istioNamespace: {root}, but the stack is installed in {before}, and all that names its control"
        f" plane would go away under the running proxies: set it to {before}, or take the stack down first (make down)"
    )


def _road(before: str, to: str) -> str:
    if distance(before, to) < 0:
        return f"; there is no way down ({GUIDE})"
    return f", then make upgrade TO={to}: a second control plane, with a way back at each step ({GUIDE})"


def _version(template: Manifest) -> str:
    """The version of istiod's image; empty for the pods of others, and if the image has none."""
    if ((template.get("metadata") or {}).get("labels") or {}).get("app") != "istiod":
        return ""
    return revisions.version(str(template["spec"]["containers"][0].get("image") or ""))
