"""Whether an update would move a control plane to another namespace, or to a distant release in place."""

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
"""The number of minor releases over which the Istio project supports an upgrade in place:
https://istio.io/latest/docs/setup/upgrade/in-place/."""


def problem(before: Objects, after: Objects) -> str:
    """The reason why the update must not run, and what to do; empty if it may. Images without a version are ignored."""
    for name in sorted(before.templates.keys() & after.templates.keys()):
        old, new = _version(before.templates[name]), _version(after.templates[name])
        if old and new and abs(distance(releases.minor(old), releases.minor(new))) > SUPPORTED:
            return (
                f"control plane {'/'.join(name)} would change from Istio {old} to {new} in place, while proxies use it."
                f" The Istio project supports this over {SUPPORTED} minor release, and the old webhooks would refuse"
                f" the new objects halfway. Set the release back{_road(releases.minor(old), releases.minor(new))}"
            )
    return ""


def moved(recorded: StackState, root: str) -> str:
    """The reason why an installed stack must not move to Istio's namespace `root`, and what to do; empty if it stays in
    its namespace, or is new."""
    before = recorded.resources.get("mesh:istio:Base::base", {}).get("namespace")
    if before in (None, root):
        return ""
    return (
        f"mesh:global.istioNamespace: {root}, but the stack is installed in {before}, and the move would delete the"
        f" control plane that running proxies use: set it to {before}, or take the stack down first (make down)"
    )


def _road(before: str, to: str) -> str:
    if distance(before, to) < 0:
        return f"; a downgrade is not supported ({GUIDE})"
    return f", then run make upgrade TO={to}: it adds a second control plane, and each step can be undone ({GUIDE})"


def _version(template: Manifest) -> str:
    """The version of istiod's image; empty if the image has none, or if the pods are not istiod's."""
    if ((template.get("metadata") or {}).get("labels") or {}).get("app") != "istiod":
        return ""
    return revisions.version(str(template["spec"]["containers"][0].get("image") or ""))
