"""Does the kubelet's work for the agents of the proxies: writes the files that are mounted into their pods, and renews
the tokens."""

import base64
import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from cluster import client
from cluster.client import Api
from cluster.errors import Refused
from sandbox.api import account_token
from sandbox.files import put
from sandbox.live import registry
from sandbox.live.folder import Folder
from sandbox.live.plan import Plan
from sandbox.live.snapshot import Manifest, Snapshot

TOKEN: Final = "var/run/secrets/tokens/istio-token"
ROOT: Final = "var/run/secrets/istio/root-cert.pem"
ANNOTATIONS: Final = "etc/istio/pod/annotations"
"""Files below an agent's working folder."""

AUDIENCE: Final = "istio-ca"
"""Recipient of the tokens: istiod."""
LIFETIME: Final = 43200
"""Lifetime of a token in seconds, as in the volumes of injected pods."""
RENEWAL: Final = 0.8
"""Fraction of its lifetime after which a token is renewed; the kubelet uses the same."""
ROOTS: Final = "istio-ca-root-cert"
"""ConfigMap that istiod writes into each namespace."""

NO_STATUS_PORT: Final = 'status.sidecar.istio.io/port="0"\n'
"""The annotation that stops the agent from listening for probes, on all addresses of the machine."""


def mount(api: Api, seen: Snapshot, plan: Plan, folder: Folder) -> None:
    """Writes the files that are missing or out of date. Raises ClusterError if the API server does not answer."""
    if not plan.identity:
        return
    roots = {namespace: _root(api, namespace) for namespace in {proxy.namespace for proxy in plan.proxies}}
    for proxy in plan.proxies:
        place = folder.pod(proxy.key)
        for file in (TOKEN, ROOT, ANNOTATIONS):
            (place / file).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        put(place / ANNOTATIONS, NO_STATUS_PORT)
        if root := roots[proxy.namespace]:
            put(place / ROOT, root)
        _renew(api, place / TOKEN, registry.pods(seen, proxy))


def _root(api: Api, namespace: str) -> str:
    """The root certificate of istiod, in PEM format; empty if istiod has not written it yet."""
    found = client.find(api, f"/api/v1/namespaces/{namespace}/configmaps/{ROOTS}") or {}
    return str((found.get("data") or {}).get("root-cert.pem", ""))


def _renew(api: Api, file: Path, pods: Sequence[Manifest]) -> None:
    """Writes a token for one of the pods, unless the file has a good one; deletes it if there are no pods."""
    if not pods:
        file.unlink(missing_ok=True)
    elif not _is_good(file, pods, time.time()):
        try:
            put(file, _token(api, pods[0]))
        except Refused as error:
            print(time.strftime("%H:%M:%S"), f"no token for {pods[0]['metadata']['name']}: {error}", flush=True)


def _is_good(file: Path, pods: Sequence[Manifest], now: float) -> bool:
    """Whether a file has a token of one of the pods that need not be renewed yet."""
    if not file.exists():
        return False
    claims = _claims(file.read_text())
    renewal = claims["iat"] + RENEWAL * (claims["exp"] - claims["iat"])
    return claims["kubernetes.io"]["pod"]["uid"] in {pod["metadata"]["uid"] for pod in pods} and now < renewal


def _claims(token: str) -> Mapping[str, Any]:
    """The content of a JSON Web Token."""
    payload = token.split(".")[1]
    claims: Mapping[str, Any] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return claims


def _token(api: Api, pod: Manifest) -> str:
    """A token of the API server for a pod's service account, which is valid as long as the pod exists."""
    meta = pod["metadata"]
    bound = {"apiVersion": "v1", "kind": "Pod", "name": meta["name"], "uid": meta["uid"]}
    spec = {"audiences": [AUDIENCE], "expirationSeconds": LIFETIME, "boundObjectRef": bound}
    return account_token(api, meta["namespace"], registry.account([pod]), **spec)
