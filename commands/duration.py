"""How long a step takes that replaces pods, by what those that run have needed."""

from __future__ import annotations

from collections.abc import Sequence

from cluster import client, proxy, readiness
from cluster.errors import ClusterError
from cluster.target import Target
from mesh.core import words
from mesh.proxy.control_plane import Name


def needed(context: str | None, workloads: Sequence[Name]) -> Sequence[float]:
    """Seconds that the pods of each of these workloads have needed to get ready; empty if the cluster does not tell of
    all."""
    if not workloads:
        return ()
    try:
        with proxy.connect(Target.named(context)) as api:
            took = readiness.seconds(client.items(api, "/api/v1/pods"))
    except ClusterError:
        return ()
    return [took[one] for one in workloads] if took.keys() >= {*workloads} else ()


def line(took: Sequence[float], workloads: int, limit: int) -> str:
    """The line of `make upgrade`. `took`: seconds, by workload, as far as they are known; `limit`: those after which a
    workload goes back."""
    if not workloads:
        return "takes: as long as the objects take; no pods are replaced"
    about = f"about {sum(took):.0f} s, as long" if took else "about as long"
    known = f"; the pods that run needed {min(took):.0f} to {max(took):.0f} s" if took else ""
    return (
        f"takes: {about} as the new pods of {words.count(workloads, 'workload')} need to get ready, one workload after"
        f" another, each at most {limit} s (mesh:timeout){known}"
    )
