"""Checks which Bookinfo workloads each service answers, in a live sandbox with certificates; for `make smoke`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from http.client import FORBIDDEN, OK
from typing import Final

import requests

from cluster.client import Api
from commands import standing
from mesh import bookinfo
from mesh.analysis.mtls import STRICT, PeerAuthentications
from mesh.config.settings import Settings
from mesh.requests.evaluator import Evaluator
from mesh.requests.types import Request
from sandbox import live
from sandbox.live import Workload

TIMEOUT: Final = 20.0
"""Seconds to wait for one answer."""
REFUSED: Final = 0
"""Stands for a status if the connection is refused."""
PATHS: Final = {service: f"/{service}/0" for service in bookinfo.VERSIONS if service != bookinfo.PRODUCT_PAGE}
"""Paths of the services that are called."""


def rows(api: Api, chosen: Settings, contradicts: str) -> Iterator[tuple[str, str]]:
    """A row for each service: `contradicts`, or an empty text if the service answers exactly the callers that the
    cluster's policies allow, and a line with the callers that it answers and refuses. The last row is about calls in
    plain text. No rows without certificates."""
    if not chosen.bookinfo:
        return
    place = chosen.bookinfo.namespace
    found = live.identified(str(chosen.context))
    workloads = [one for one in found if one.namespace == place and one.service in bookinfo.VERSIONS]
    if not workloads:
        return
    judge = Evaluator(standing.mesh(api, chosen))
    for service, path in PATHS.items():
        own = [one for one in workloads if one.service != service]
        seen = {one.name: _status(one.outbound, service, path) for one in own}
        wanted = {one.name: _wanted(judge, one, service, path, place) for one in own}
        wrong = any(wanted[name] not in (None, status == FORBIDDEN) for name, status in seen.items())
        yield contradicts if wrong else "", f"{service:<14} {_said(seen)}"
    peers = PeerAuthentications(judge.mesh)
    plain = {
        one.name: _status(one.address, one.service, PATHS.get(one.service, bookinfo.PAGE_PATH)) for one in workloads
    }
    strict = {one.name: _strict(judge, peers, one, place) for one in workloads}
    wrong = any(strict[name] != (status == REFUSED) for name, status in plain.items())
    yield contradicts if wrong else "", f"{'plain text':<14} {_said_of_plain(plain)}"


def _status(address: str, service: str, path: str) -> int:
    headers = {"Host": f"{service}:{bookinfo.PORT}"}
    try:
        return requests.get(f"http://{address}:{bookinfo.PORT}{path}", headers=headers, timeout=TIMEOUT).status_code
    except requests.RequestException:
        return REFUSED


def _wanted(judge: Evaluator, caller: Workload, service: str, path: str, namespace: str) -> bool | None:
    """Whether policies refuse a call; None if that depends on the receiver, or if a fault may hide it."""
    pod = judge.mesh.workloads.named(namespace, caller.name)
    if not pod:
        return None
    outcome = judge.from_workload(Request(host=service, path=path, port=bookinfo.PORT), pod)
    refused = {receiver.status == FORBIDDEN for receiver in outcome.receivers}
    return refused.pop() if len(refused) == 1 and not outcome.faults else None


def _strict(judge: Evaluator, peers: PeerAuthentications, called: Workload, namespace: str) -> bool:
    pod = judge.mesh.workloads.named(namespace, called.name)
    return pod is not None and peers.mode(pod, bookinfo.PORT) == STRICT


def _said(seen: Mapping[str, int]) -> str:
    """Such as `answers reviews-v1; 403 for details-v1`."""
    texts = {OK: "answers", REFUSED: "no connection for"}
    by_status = {status: [name for name in seen if seen[name] == status] for status in sorted({*seen.values()})}
    return "; ".join(f"{texts.get(status, f'{status} for')} {', '.join(by_status[status])}" for status in by_status)


def _said_of_plain(seen: Mapping[str, int]) -> str:
    refused = [name for name, status in seen.items() if status == REFUSED]
    accepted = [name for name in seen if name not in refused]
    return "; ".join(
        f"{how} by {', '.join(names)}" for how, names in (("refused", refused), ("accepted", accepted)) if names
    )
