"""What the evaluation predicts for the samples of drawn pairs, and whether the answers of Envoys agree."""

from __future__ import annotations

import json
import math
import random
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import yaml

from commands import spoken
from mesh import releases
from mesh.analysis.mesh import Mesh
from mesh.analysis.objects import Object
from mesh.config import loading
from mesh.core.names import DEFAULT_NAMES
from mesh.requests import samples
from mesh.requests.evaluator import Evaluator
from mesh.requests.samples import Sample
from mesh.requests.types import Outcome, Receiver
from tests.e2e.judge import dataplane, tokens
from tests.e2e.judge.dataplane import (
    ADMIN,
    CALLERS,
    GATEWAY_PORTS,
    INGRESS,
    LABELS,
    PORT,
    ROOT,
    SERVERS,
    TLS_PORT,
    Ask,
    Manifest,
    Said,
    custom,
    endpoint,
)
from tests.e2e.judge.drawn import Pair, Side, ports_of
from tests.meshes import deployment, manifest_of, service

APPS = ("reviews", "ratings", "cart", "store", "vault")
TEAM = ("ratings", "cart")
"""The services whose pods the Service `team` selects as well."""
APART = 5000
"""How far the ports of one side that it alone has are from those of the other."""
SIDES = ("o", "n")
"""The last letters of the namespaces of both sides, in place of the token's."""
FALSE_ALARMS = 1e-6
"""Probability that chance makes a run fail."""
SAMPLES = 22
"""The most samples of a pair that are asked, chosen at random."""
REPEATS = 120
"""Requests to each sample whose answer has shares."""


@dataclass(frozen=True)
class Prediction:
    """A request to one side of a pair, and the predicted answers."""

    pair: Pair
    side: str
    sample: Sample
    ask: Ask
    shares: Mapping[Said, float]
    """The share of each answer. The server of an answer may be one of several, separated by spaces."""

    def told(self, seen: Counter[Said]) -> str:
        """The example in words: both configs, the request, what was predicted and what was seen."""
        parts = {
            side: {"traffic": one.traffic, "policies": [policy["spec"] for policy in one.policies]}
            for side, one in (("old", self.pair.old), ("new", self.pair.new))
        }
        where = dict(zip(SIDES, parts, strict=True))[self.side]
        return "\n".join(
            [
                yaml.safe_dump(parts, sort_keys=False),
                f"asked of {where}: {self.sample}",
                *(f"predicted {share:.0%}: {said}" for said, share in self.shares.items()),
                *(f"seen {count} times: {said}" for said, count in seen.items()),
            ]
        )


def stack(traffic: Mapping[str, Any], namespace: str, release: str) -> list[Manifest]:
    """The objects that traffic compiles to in a release. Raises SettingsError if it is refused."""
    return _compiled(json.dumps(traffic), namespace, release)


@lru_cache(maxsize=1000)
def _compiled(traffic: str, namespace: str, release: str) -> list[Manifest]:
    ports = [
        {"name": f"port-{one}", "port": one, "targetPort": GATEWAY_PORTS.get(one, one)} for one in _edge(namespace)
    ]
    config = {
        "mesh:profile": "demo",
        "mesh:injectedNamespaces": json.dumps({namespace: "existing"}),
        "mesh:gateways": json.dumps({INGRESS: {"ports": ports}}),
        "mesh:meshConfig": json.dumps({"defaultConfig": dataplane.topology(release)}),
    }
    loaded = loading.load({**config, "mesh:release": release, "mesh:traffic": traffic})
    return [item.manifest(releases.get(release).api) for item in loaded.traffic]


def _edge(token: str) -> tuple[int, ...]:
    """The ports of the gateway's Service."""
    return 80, TLS_PORT, ports_of(token)[2]


def _ports(app: str, token: str) -> Mapping[str, tuple[int, str]]:
    """The ports of a service, each with its protocol, by name."""
    store, vault, _ = ports_of(token)
    own = {
        "cart": {"http": (PORT, "HTTP"), "admin": (ADMIN, "HTTP")},
        "store": {"http": (store, "TCP")},
        "vault": {"http": (vault, "TLS")},
    }
    return own.get(app, {"http": (PORT, "HTTP")})


def index(pair: Pair, side: Side, release: str) -> Evaluator:
    """The evaluation of one side in a release."""
    proxy = [{"name": "istio-proxy", "image": "proxyv2"}]
    edge = [
        {"name": f"port-{one}", "port": one, "targetPort": GATEWAY_PORTS.get(one, one), "protocol": "TCP"}
        for one in _edge(pair.token)
    ]
    objects = [
        manifest_of("Namespace", pair.token),
        manifest_of("Namespace", ROOT),
        *(manifest_of("Namespace", place, labels={"istio-injection": "enabled"}) for place in CALLERS),
        *(deployment(name, {"app": name, "version": "v1"}, place) for place, name in CALLERS.items()),
        deployment(INGRESS, LABELS, ROOT, containers=proxy),
        manifest_of("ConfigMap", "istio", namespace=ROOT)
        | {"data": {"mesh": json.dumps({"defaultConfig": dataplane.topology(release)})}},
        service(INGRESS, edge, ROOT, selector=LABELS),
        *_services(pair.token),
        *stack(side.traffic, pair.token, release),
        *side.policies,
        *rest([side.policies], [pair.token]),
        tokens.authentication(),
    ]
    return Evaluator(Mesh([Object.read(one) for one in objects], replace(DEFAULT_NAMES, release=release)))


def _services(token: str) -> Iterator[Manifest]:
    """The Services and Deployments of a pair, as people write them: with several ports, with names of target ports, and
    with one Service for the pods of several workloads."""
    for app in APPS:
        ports = [
            {"name": f"{protocol.lower()}-{name}", "port": number, "targetPort": name, "protocol": "TCP"}
            for name, (number, protocol) in _ports(app, token).items()
        ]
        yield service(app, ports, token)
        listening = [{"name": name, "containerPort": number} for name, (number, _) in _ports(app, token).items()]
        team = {"team": "x"} if app in TEAM else {}
        for version in SERVERS[app]:
            labels = {"app": app, "version": version, **team}
            yield deployment(
                f"{app}-{version}", labels, token, containers=[{"name": "app", "image": "app", "ports": listening}]
            )
    yield service("team", [{"name": "http", "port": PORT, "protocol": "TCP"}], token, selector={"team": "x"})


def rest(policies: Sequence[Sequence[Manifest]], tokens: Sequence[str]) -> Iterator[Manifest]:
    """A policy that allows all hosts for which no other policy allows anything; nothing if there is no other."""
    guarded = [
        form
        for token, some in zip(tokens, policies, strict=True)
        if any(one["spec"]["action"] == "ALLOW" for one in some)
        for form in (f"{token}.example.com", f"*.{token}.example.com")
    ]
    if guarded:
        port = [str(GATEWAY_PORTS[80])]
        rules = [{"to": [{"operation": one}]} for one in ({"notHosts": guarded}, {"notPorts": port})]
        spec = {"selector": {"matchLabels": LABELS}, "action": "ALLOW", "rules": rules}
        yield custom("AuthorizationPolicy", "rest", ROOT, spec)


def objects(pairs: Sequence[Pair], release: str) -> list[Manifest]:
    """The objects of both sides of all pairs for pilot, each side in a namespace of its own."""
    found: list[Manifest] = []
    names, policies = [], []
    for pair in pairs:
        for letter, side in zip(SIDES, (pair.old, pair.new), strict=True):
            made = [*map(_static, stack(side.traffic, pair.token, release)), *_registry(pair.token), *side.policies]
            found += json.loads(_renamed(_moved(json.dumps(made), pair.token, letter), pair.token, letter))
            names.append(f"{pair.token[:-1]}{letter}")
            policies.append(side.policies)
    return [*found, *rest(policies, names), tokens.authentication()]


def _registry(token: str) -> Iterator[Manifest]:
    for app in (*APPS, "team"):
        own = TEAM if app == "team" else (app,)
        pods = [endpoint(one, version, _ports(app, token)) for one in own for version in SERVERS[one]]
        ports = [
            {"number": number, "name": name, "protocol": protocol}
            for name, (number, protocol) in _ports(app, token).items()
        ]
        spec = {
            "hosts": [f"{app}.{token}.svc.cluster.local"],
            "ports": ports,
            "location": "MESH_INTERNAL",
            "resolution": "STATIC",
            "endpoints": pods,
        }
        yield custom("ServiceEntry", app, token, spec)


def _moved(text: str, token: str, letter: str) -> str:
    """The text with the ports of a side that the pair alone has."""
    for port in ports_of(token):
        text = re.sub(rf"\b{port}\b", str(_port(port, letter)), text)
    return text


def _port(port: int, letter: str) -> int:
    return port + APART if letter == SIDES[1] and 10000 <= port < 40000 else port


def _static(one: Manifest) -> Manifest:
    """The object; a host outside the mesh has an endpoint here in place of DNS."""
    if one["kind"] != "ServiceEntry":
        return one
    return {**one, "spec": {**one["spec"], "resolution": "STATIC", "endpoints": [endpoint("outside", "v1", ("http",))]}}


def _renamed(text: str, token: str, letter: str) -> str:
    return text.replace(token, f"{token[:-1]}{letter}")


def predict(pair: Pair, release: str) -> Iterator[Prediction]:
    """The predictions for some samples of a pair, on both sides."""
    sides = {letter: index(pair, side, release) for letter, side in zip(SIDES, (pair.old, pair.new), strict=True)}
    old, new = sides.values()
    found = samples.between(old.mesh, new.mesh).requests
    possible = [
        one
        for one in found
        if (pair.token in one.host or one.port in pair.ports)
        and pair.token not in one.source
        and tokens.can_be_proven(one)
        and (not one.address or one.address.startswith("127."))
    ]
    for sample in random.Random(pair.token).sample(possible, min(len(possible), SAMPLES)):
        for letter, judge in sides.items():
            place, _, name = sample.source.partition("/")
            pod = judge.mesh.workloads.named(place, name)
            assert pod
            outcome = (judge.from_outside if sample.outside else judge.from_workload)(sample.request, pod)
            speaks = spoken.of(judge.mesh, sample, outcome)
            if outcome.receivers or outcome.status not in (0, 200):
                shares = _shares(outcome) if speaks == spoken.HTTP else _taken(outcome)
                ask = _ask(sample, speaks, pair.token, letter)
                if dataplane.topology(release) and ask.address and speaks == spoken.HTTP:
                    ask = replace(ask, address="", headers=(*ask.headers, ("x-forwarded-for", ask.address)))
                yield Prediction(pair, letter, sample, ask, shares)


def _ask(sample: Sample, speaks: str, token: str, letter: str) -> Ask:
    return Ask(
        source=sample.source,
        method=sample.method,
        host=_renamed(sample.request.authority, token, letter),
        path=_renamed(sample.path, token, letter),
        headers=(
            *((name, _renamed(value, token, letter)) for name, value in sample.headers),
            *([("authorization", f"Bearer {tokens.token(sample)}")] if sample.principal else ()),
        ),
        port=_port(sample.port, letter),
        address=sample.address,
        spoken=speaks,
    )


def _taken(outcome: Outcome) -> dict[Said, float]:
    """Who takes a connection."""
    shares: dict[Said, float] = {}
    for receiver in outcome.receivers:
        said = Said(200, " ".join(receiver.workloads)) if receiver.status == 200 else Said(0)
        shares[said] = shares.get(said, 0) + receiver.share
    return shares or {Said(0): 1.0}


def _shares(outcome: Outcome) -> dict[Said, float]:
    if not outcome.receivers:
        return {Said(outcome.status, location=outcome.location): 1.0}
    aborted = {Said(fault.status): fault.share for fault in outcome.faults if fault.status and fault.share}
    shares = dict(aborted)
    for receiver in outcome.receivers:
        said = _said(outcome, receiver)
        left = receiver.share * (1 - sum(aborted.values()))
        if left:
            shares[said] = shares.get(said, 0) + left
    return shares


def _said(outcome: Outcome, receiver: Receiver) -> Said:
    sent = outcome.request
    assert sent
    if receiver.status != 200:
        return Said(receiver.status)
    second = f":{ADMIN}" if receiver.port == ADMIN else ""
    names = " ".join(f"{one}{second}" for one in receiver.workloads) or "outside-v1"
    return Said(200, names, sent.path, sent.authority, sent.header("x-added") or "")


def repeats(prediction: Prediction) -> int:
    """How often a prediction is asked."""
    return 2 if len(prediction.shares) == 1 else REPEATS


def wrong(predictions: Sequence[Prediction], answers: Sequence[Sequence[Said]]) -> list[str]:
    """The predictions that the answers contradict, in words."""
    comparisons = sum(len(one.shares) for one in predictions if len(one.shares) > 1)
    limit = FALSE_ALARMS / max(comparisons, 1)
    found = []
    for prediction, said in zip(predictions, answers, strict=True):
        seen = Counter(_back(one, prediction) for one in said)
        if not agrees(prediction.shares, seen, limit):
            found.append(prediction.told(seen))
    return found


def _back(said: Said, prediction: Prediction) -> Said:
    """The answer with the names of the pair; if the predicted server is one of several, with all of them."""
    token = prediction.pair.token

    def named(text: str) -> str:
        return text.replace(f"{token[:-1]}{prediction.side}", token)

    same = Said(said.status, said.server, named(said.path), named(said.host), said.added, named(said.location))
    for expected in prediction.shares:
        if same.server in expected.server.split(" ") and same.server not in {one.server for one in prediction.shares}:
            return Said(same.status, expected.server, same.path, same.host, same.added, same.location)
    return same


def agrees(shares: Mapping[Said, float], seen: Counter[Said], limit: float) -> bool:
    """Whether answers agree with predicted shares, of which chance contradicts each with at most this probability."""
    count = seen.total()
    if set(seen) - set(shares):
        return False
    return all(share == 1 or _tail(seen[said], count, share) >= limit for said, share in shares.items())


def _tail(hits: int, count: int, share: float) -> float:
    """Twice the probability of `hits` or a number further from the expected one: an upper bound of how often chance
    shows so much."""
    some = range(hits, count + 1) if hits > count * share else range(hits + 1)
    total = sum(math.comb(count, one) * share**one * (1 - share) ** (count - one) for one in some)
    return 2 * total
