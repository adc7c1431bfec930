"""Objects that istiod creates while it runs. No installer deletes them; `make down PURGE=1` does."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from cluster import client, proxy, survey
from cluster.client import Api
from cluster.errors import ClusterError
from cluster.target import Target

LEFTOVERS: Final = {
    "configmaps": (
        "istio-ca-root-cert",  # the root certificate, in every namespace
        # leader election among istiod's replicas, in its namespace
        "istio-leader",
        "istio-status-leader",
        "istio-analyze-leader",
        "istio-gateway-status-leader",
        "istio-namespace-controller-election",
        "istio-serviceexport-controller-election",
        "istio-validation-controller-election",
    ),
    "secrets": ("istio-ca-secret",),  # the key of istiod's certificate authority
}
"""Names of the objects by resource, as in Istio's packages `leaderelection`, `namespacecontroller` and `pki/ca`."""

Leftover = tuple[str, str, str]
"""Resource, namespace and name."""


def report(at: Target, purge: bool) -> None:
    """Prints the objects that istiod left, and deletes them with `purge`. While another control plane on the cluster
    uses them, it does neither."""
    user = survey.take(at).istio
    if user:
        print(f"objects that istiod has left are kept, since another Istio uses them: {user}", flush=True)
        return
    with proxy.connect(at) as api:
        try:
            left = list(leftovers(api))
        except ClusterError as error:
            print(f"objects that istiod has left cannot be listed: {error}", flush=True)
            return
        for resource, namespace, name in left:
            if purge:
                client.delete(api, f"/api/v1/namespaces/{namespace}/{resource}/{name}")
            said = "removed" if purge else "left by Istio"
            print(f"{said}: {resource.removesuffix('s')} {namespace}/{name}", flush=True)
    if left and not purge:
        print("`make down PURGE=1` removes them", flush=True)


def leftovers(api: Api) -> Iterator[Leftover]:
    """The objects of LEFTOVERS that exist on the cluster, in any namespace."""
    for resource, names in LEFTOVERS.items():
        for name in names:
            items = client.items(api, f"/api/v1/{resource}?fieldSelector=metadata.name%3D{name}")
            yield from ((resource, item["metadata"]["namespace"], name) for item in items)
