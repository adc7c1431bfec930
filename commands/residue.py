"""What Istio itself leaves on a cluster. istiod writes these objects while it runs; no installer ever deletes them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from cluster import client, proxy, survey
from cluster.client import Api
from cluster.errors import ClusterError
from cluster.target import Target

TRACES: Final = {
    "configmaps": (
        "istio-ca-root-cert",  # the root certificate, in every namespace
        # who leads among several istiods, in its namespace
        "istio-leader",
        "istio-status-leader",
        "istio-analyze-leader",
        "istio-gateway-status-leader",
        "istio-namespace-controller-election",
        "istio-serviceexport-controller-election",
        "istio-validation-controller-election",
    ),
    "secrets": ("istio-ca-secret",),  # the key of istiod's own certificate authority
}
"""Names by resource, as in Istio's packages `leaderelection`, `namespacecontroller` and `pki/ca`."""

Trace = tuple[str, str, str]
"""Resource, namespace and name."""


def report(at: Target, purge: bool) -> None:
    """Says what is left, and removes it if `purge`; nothing while another control plane on the cluster uses it."""
    user = survey.take(at).istio
    if user:
        print(f"traces of Istio stay, since there is another one: {user}", flush=True)
        return
    with proxy.connect(at) as api:
        try:
            left = list(traces(api))
        except ClusterError as error:
            print(f"what Istio itself has left cannot be told: {error}", flush=True)
            return
        for resource, namespace, name in left:
            if purge:
                client.delete(api, f"/api/v1/namespaces/{namespace}/{resource}/{name}")
            said = "removed" if purge else "left by Istio"
            print(f"{said}: {resource.removesuffix('s')} {namespace}/{name}", flush=True)
    if left and not purge:
        print("`make down PURGE=1` removes them", flush=True)


def traces(api: Api) -> Iterator[Trace]:
    """The objects by those names on the cluster, in any namespace that stays."""
    for resource, names in TRACES.items():
        for name in names:
            items = client.items(api, f"/api/v1/{resource}?fieldSelector=metadata.name%3D{name}")
            yield from ((resource, item["metadata"]["namespace"], name) for item in items)
