"""The live data plane's part of `make status`: the workloads that are served, and those that are not."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from sandbox import paths
from sandbox.live import pilot, proxies
from sandbox.live.folder import Folder
from sandbox.live.plan import MOST, Plan
from sandbox.live.run import current, running
from sandbox.network import LOOPBACK
from sandbox.paths import Layout
from sandbox.process import Process, log_excerpt

SIMULATED: Final = "simulated: pods, their sidecars, istiod and certificates; see docs/live.md"
"""The line about a cluster without the real istiod. With it, istiod's part of `make status` has a similar line."""


def lines(context: str) -> list[str]:
    """The lines of `make status` about the live data plane of a cluster."""
    layout = paths.layout(context)
    names = list(running(layout))
    if not names:
        return ["not running: `make up` of a stack with apps or Bookinfo, and an ingress gateway, starts it"]
    dead = [Process(name, layout) for name in names if not Process(name, layout).alive()]
    if dead:
        return [line for process in dead for line in _dead(process)]
    try:
        plan = Plan.of(current(context) or {})
    except TypeError:
        return ["running, but started by another version of this program: `make up` restarts it"]
    return list(_state(json.loads(Folder(layout).notes.read_text()), plan, layout))


def _dead(process: Process) -> Sequence[str]:
    return (f"{process.name} has ended: `make up` starts it again", *log_excerpt(process).splitlines())


def _state(notes: Mapping[str, Any], plan: Plan, layout: Layout) -> Iterator[str]:
    where = ", ".join(f"{name} {_scheme(name)}://{LOOPBACK}:{port}" for name, port in notes["nodePorts"].items())
    yield f"{where or 'no node port is open: there is no Gateway'}; pilot, {len(plan.proxies)} proxies, stand-ins"
    yield f"serving: {', '.join(notes['serving']) or 'nothing, no pod is ready'}"
    yield _certificates(plan) if plan.identity else SIMULATED
    if notes["unserved"]:
        yield f"not served, since there is no stand-in: {', '.join(notes['unserved'])}; {_remedy(plan)}"
    for reason, names in notes["leftOut"].items():
        more = f" and {len(names) - 1} more" if len(names) > 1 else ""
        yield f"left out: {names[0]}{more}: {reason}"
    if said := pilot.refusal(layout):
        yield f"pilot rejects the configuration on the cluster and keeps the previous one: {said}"
    for name, said in proxies.rejections(plan).items():
        yield f"the proxy of {name} rejects a part of its configuration: {said}"


def _remedy(plan: Plan) -> str:
    """What to do about Services without a stand-in."""
    return "`make up` starts one" if len(plan.proxies) < MOST else f"there is room for {MOST} proxies only"


def _certificates(plan: Plan) -> str:
    """The number of proxies that have certificates, and their trust domains."""
    held = proxies.identities(plan)
    domains = sorted({identity.split("/")[2] for identity in held.values()})
    of = f", trust domain {', '.join(domains)}" if domains else ""
    return f"{len(held)} of {len(plan.proxies)} proxies have certificates from istiod{of}"


def _scheme(port: str) -> str:
    return "https" if port.startswith("https") else "http"
