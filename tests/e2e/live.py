"""Helpers for tests of the live data plane: objects, requests to the gateway and to a Prometheus, expected answers."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests
import yaml

from mesh.analysis.mesh import Mesh
from mesh.analysis.objects import Object
from mesh.core.names import DEFAULT_NAMES
from mesh.requests.evaluator import Evaluator
from mesh.requests.types import Outcome
from sandbox.live.plan import Plan
from sandbox.network import is_free
from tests.e2e.conftest import Checkout
from toolchain.checkers import PROMETHEUS, checkers

PRODUCT = "/api/v1/products/0"


def soon(condition: Callable[[], Any], limit: float = 10) -> Any:
    deadline = time.monotonic() + limit
    while not (result := condition()):
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.1)
    return result


_WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
_WORKERS = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
_CANDIDATES = iter(range(30000 + _WORKER, 30086, _WORKERS))


def free_node_port() -> int:
    """A node port on which nothing listens, so that a sandbox of the user does not conflict, and which no other test
    gets: each test process has its own share of those that an API server gives to nobody who does not ask for them."""
    return next(port for port in _CANDIDATES if is_free(port))


def plan(checkout: Checkout) -> Plan:
    """The plan of the live data plane that runs."""
    record = json.loads((checkout.cluster / "run" / "live-sync.json").read_text())
    return Plan.of(json.loads(Path(record["command"][-1]).read_text()))


def virtual_service(service: str, *http: Mapping[str, Any]) -> dict[str, Any]:
    return custom("VirtualService", service, {"hosts": [service], "http": list(http)})


def custom(kind: str, name: str, spec: Mapping[str, Any]) -> dict[str, Any]:
    metadata = {"name": name, "namespace": "default"}
    return {"apiVersion": "networking.istio.io/v1alpha3", "kind": kind, "metadata": metadata, "spec": spec}


def to(**weights: int) -> dict[str, Any]:
    """A VirtualService that routes to versions of reviews by weight."""
    return {
        "route": [
            {"destination": {"host": "reviews", "subset": subset}, "weight": weight}
            for subset, weight in weights.items()
        ]
    }


SUBSETS = [{"name": version, "labels": {"version": version}} for version in ("v1", "v2", "v3")]
# As the sample has it: mutual TLS is asked for; without certificates the live part does without.
RULE = custom("DestinationRule", "reviews", {"host": "reviews", "trafficPolicy": {"tls": {"mode": "ISTIO_MUTUAL"}}})
RULE["spec"]["subsets"] = SUBSETS
RATINGS = {"route": [{"destination": {"host": "ratings"}}]}


def _service(name: str, *ports: Mapping[str, Any]) -> dict[str, Any]:
    spec = {"selector": {"app": name}, "ports": list(ports)}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name, "namespace": "shop"}, "spec": spec}


def _deployment(name: str, **labels: str) -> dict[str, Any]:
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "own", "image": "own"}]}}
    spec = {"selector": {"matchLabels": labels}, "template": template}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": "shop"},
        "spec": spec,
    }


def shop() -> list[dict[str, Any]]:
    """An app of three services: web at shop.example.com, cart in two versions, which get 80 and 20 %, and a store that
    speaks TCP."""
    http = {"name": "http", "port": 80, "targetPort": 8080}
    cart = [{"destination": {"host": "cart", "subset": v}, "weight": w} for v, w in (("v1", 80), ("v2", 20))]
    server = {"port": {"number": 80, "name": "http", "protocol": "HTTP"}, "hosts": ["shop.example.com"]}
    to_web = {
        "hosts": ["shop.example.com"],
        "gateways": ["shop"],
        "http": [{"route": [{"destination": {"host": "web"}}]}],
    }
    of_istio = [
        custom("DestinationRule", "cart", {"host": "cart", "subsets": SUBSETS[:2]}),
        custom("VirtualService", "cart", {"hosts": ["cart"], "http": [{"route": cart}]}),
        custom("Gateway", "shop", {"selector": {"istio": "ingressgateway"}, "servers": [server]}),
        custom("VirtualService", "shop", to_web),
    ]
    namespace = {"name": "shop", "labels": {"istio-injection": "enabled"}}
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": namespace},
        _service("web", http),
        _service("cart", http, {"name": "grpc", "port": 9000}),
        _service("store", {"name": "tcp", "port": 6379}),
        _deployment("web", app="web"),
        _deployment("store", app="store"),
        *(_deployment(f"cart-{version}", app="cart", version=version) for version in ("v1", "v2")),
        *({**one, "metadata": {**one["metadata"], "namespace": "shop"}} for one in of_istio),
    ]


@contextmanager
def standing(checkout: Checkout, *objects: Mapping[str, Any]) -> Iterator[None]:
    """Applies objects, waits until pilot has them, and deletes them afterwards."""
    file = checkout.cluster / "live" / "config" / "objects.yaml"
    before = file.stat().st_mtime_ns
    checkout.apply(*objects)
    soon(lambda: file.stat().st_mtime_ns != before)
    try:
        yield
    finally:
        for one in objects:
            checkout.kubectl("delete", one["kind"].lower(), one["metadata"]["name"], "--ignore-not-found")


def version(site: str, session: requests.Session | None = None) -> str:
    """The version of reviews that answered."""
    found: str = (session or requests).get(f"{site}{PRODUCT}/reviews", timeout=20).json().get("version", "none")
    return found


def versions(site: str, count: int) -> Counter[str]:
    """The number of answers of each version of reviews."""

    def some(number: int) -> Counter[str]:
        with requests.Session() as session:
            return Counter(version(site, session) for _ in range(number))

    with ThreadPoolExecutor(4) as pool:
        return sum(pool.map(some, [count // 4] * 4), Counter())


def statuses(site: str, count: int, path: str = f"{PRODUCT}/ratings") -> Counter[int]:
    with requests.Session() as session:
        return Counter(session.get(f"{site}{path}", timeout=20).status_code for _ in range(count))


def within(share: float, hits: int, count: int) -> bool:
    """Whether `hits` of `count` agree with `share` within five standard deviations, which chance exceeds once in two
    million runs."""
    return bool(abs(hits - share * count) <= 5 * (count * share * (1 - share)) ** 0.5)


Seen = tuple[int, str]
"""An answer: its status, and the workload that answered or the target of a redirect."""


def evaluator(checkout: Checkout) -> Evaluator:
    """The evaluation of the routes on the cluster, with the policies that the live data plane applies."""
    plain = ("namespaces", "services", "deployments", "configmaps")
    networking = ("gateways", "virtualservices", "destinationrules", "serviceentries", "sidecars")
    kinds = [*plain, *(f"{kind}.networking.istio.io" for kind in networking)]
    found = json.loads(checkout.kubectl("get", ",".join(kinds), "--all-namespaces", "--output=json"))["items"]
    live = yaml.safe_load_all((checkout.cluster / "live" / "config" / "objects.yaml").read_text())
    found += [one for one in live if one["kind"] in ("AuthorizationPolicy", "PeerAuthentication")]
    return Evaluator(Mesh((Object.read(manifest) for manifest in found), DEFAULT_NAMES))


def expected(outcome: Outcome) -> dict[Seen, float]:
    """The expected share of each answer, by the evaluation."""
    if not outcome.receivers:
        return {(outcome.status, outcome.location): 1.0}
    aborts = {(fault.status, ""): fault.share for fault in outcome.faults if fault.status}
    rest = 1 - sum(aborts.values())
    found: dict[Seen, float] = dict(aborts)
    for receiver in outcome.receivers:
        for name in receiver.workloads:
            seen = (200, name) if receiver.status == 200 else (receiver.status, "")
            found[seen] = found.get(seen, 0) + rest * receiver.share / len(receiver.workloads)
    return found


def answered(site: str, session: requests.Session, path: str, headers: Mapping[str, str]) -> Seen:
    """The answer to one request through the gateway."""
    answer = session.get(f"{site}{path}", headers=headers, timeout=20, allow_redirects=False)
    if answer.status_code != 200:
        return answer.status_code, answer.headers.get("Location", "")
    said = answer.json()
    kind = "ratings-v1" if "ratings" in said else "details-v1" if "author" in said else ""
    return 200, said.get("podname") or kind


def differing(site: str, wanted: Mapping[Seen, float], path: str, headers: Mapping[str, str]) -> Counter[Seen] | None:
    """The answers to some requests, if they differ from the expected shares by more than chance allows; else None."""
    count = 20 if len(wanted) == 1 else 600
    with requests.Session() as session:
        found = Counter(answered(site, session, path, headers) for _ in range(count))
    same = set(found) == set(wanted) and all(within(share, found[seen], count) for seen, share in wanted.items())
    return None if same else found


def _ready(address: str) -> bool:
    """Whether a Prometheus answers queries; it listens before it is ready."""
    try:
        return requests.get(f"http://{address}/-/ready", timeout=5).ok
    except requests.ConnectionError:
        return False


@contextmanager
def watched(checkout: Checkout) -> Iterator[Callable[[str], dict[str, float]]]:
    """Runs a Prometheus that scrapes the live data plane; a function that maps a PromQL query to values by version."""
    folder = checkout.cluster / "live"
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    flags = {
        "config.file": folder / "prometheus.yml",
        "storage.tsdb.path": folder / "tsdb",
        "web.listen-address": address,
    }
    program = checkers(PROMETHEUS) / "prometheus"
    command = [str(program), "--log.level=error", *(f"--{name}={value}" for name, value in flags.items())]

    def ask(query: str) -> dict[str, float]:
        answer = requests.get(f"http://{address}/api/v1/query", params={"query": query}, timeout=20).json()
        assert answer["status"] == "success", answer
        results = answer["data"]["result"]
        return {one["metric"].get("destination_version", ""): float(one["value"][1]) for one in results}

    with subprocess.Popen(command) as process:
        try:
            soon(lambda: _ready(address), limit=30)
            yield ask
        finally:
            process.terminate()
