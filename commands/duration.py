"""How long an upgrade step that replaces pods takes, by the time that the running pods needed to get ready."""

from __future__ import annotations

from collections.abc import Sequence

from cluster import client, proxy, readiness
from cluster.errors import ClusterError
from cluster.target import Target
from mesh.core import words
from mesh.proxy.control_plane import Name


def needed(context: str | None, workloads: Sequence[Name]) -> Sequence[float]:
    """Seconds that the pods of each of these workloads needed to get ready; empty if the cluster does not know it for
    all of them."""
    if not workloads:
        return ()
    try:
        with proxy.connect(Target.named(context)) as api:
            took = readiness.seconds(client.items(api, "/api/v1/pods"))
    except ClusterError:
        return ()
    return [took[one] for one in workloads] if took.keys() >= {*workloads} else ()


def line(took: Sequence[float], workloads: int, limit: int) -> str:
    """The line of `make upgrade`. `took`: seconds by workload, empty if they are not known; `limit`: seconds after
    which a workload is rolled back."""
    if not workloads:
        return "takes: as long as applying the objects; no pods are replaced"
    about = f"about {sum(took):.0f} s, as long" if took else "about as long"
    known = f"; the running pods needed {min(took):.0f} to {max(took):.0f} s" if took else ""
    return (
        f"takes: {about} as the new pods of {words.count(workloads, 'workload')} need to get ready, one workload after"
        f" another, each at most {limit} s (mesh:timeout){known}"
    )
