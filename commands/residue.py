"""Reports the objects that an Istio has left on the cluster after a teardown. `make down PURGE=1` deletes those that
istiod created while it ran, because no installer does. Other objects do not belong to this stack: for these, the
command that removes them is printed."""

from __future__ import annotations

from cluster import client, leftovers, proxy, survey
from cluster.errors import ClusterError
from cluster.target import Target


def report(at: Target, purge: bool) -> None:
    """Prints the objects that an Istio left. With `purge`, deletes those that istiod created. Does neither while
    another control plane on the cluster uses them."""
    found = survey.take(at)
    if found.istio and not found.abandoned:
        print(f"objects that istiod has left are kept because another Istio uses them: {found.istio}", flush=True)
        return
    with proxy.connect(at) as api:
        try:
            left = list(leftovers.made_by_istiod(api))
        except ClusterError as error:
            print(f"objects that istiod has left cannot be listed: {error}", flush=True)
            return
        for one in left:
            if purge:
                client.delete(api, one.path)
            print(f"{'removed' if purge else 'left by Istio'}: {one}", flush=True)
        if left and not purge:
            print("`make down PURGE=1` removes them", flush=True)
        for one in leftovers.readable(api, leftovers.INSTALLED):
            print(f"left by another Istio: {one}; `{one.removal(at.context)}` removes it", flush=True)
