"""`make status`: shows what is installed and running on a stack's cluster."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, repeat
from typing import Any, Final

from cluster import client, proxy, survey
from cluster.client import Api
from cluster.errors import Unreachable
from cluster.survey import Survey
from cluster.target import Target, offline
from commands import stacks
from commands import status_control_planes as control_planes
from components import gateways
from mesh.config.stack import Stack
from mesh.core import names
from mesh.core.names import DEFAULT_REVISION, EMBEDDED_CLUSTERS
from mesh.releases.release import Installation
from sandbox import istiod, live

Manifest = Mapping[str, Any]
DEPLOYMENTS: Final = "/apis/apps/v1/namespaces/{}/deployments"
SERVICES: Final = "/api/v1/namespaces/{}/services"


def show(stack: str) -> int:
    """Prints the state of the mesh on the stack's cluster. Returns 1 if there is none, else 0."""
    whole = stacks.load(stack)
    chosen, mesh = whole.settings, whole.installation
    target = Target.named(chosen.context)
    try:
        found = survey.take(target)
    except Unreachable as error:
        raise Unreachable(f"{error}{hint(stack, target)}") from None
    print(f"cluster   {target.context}, {target.server}, Kubernetes {'.'.join(map(str, found.version))}")
    mark = found.namespaces.get(mesh.root, {})
    if names.OWNER_PROJECT not in mark:
        for line in _none(found, mesh, stack):
            print(line)
        return 1
    project, owner = mark[names.OWNER_PROJECT], mark.get(names.OWNER_STACK)
    print(f"mesh      namespace {mesh.root}, of project {project}, stack {owner}")
    with proxy.connect(target) as api:
        for line in [*_table([*_workloads(api, mesh, found)]), *_control_planes(api, whole)]:
            print(line)
    if target.context in EMBEDDED_CLUSTERS:
        for part, lines in (("istiod", istiod.lines(target.context)), ("live", live.lines(target.context))):
            for head, line in zip(chain([part], repeat("")), lines, strict=False):
                print(f"{head:<10}{line}")
    return 0


def _control_planes(api: Api, stack: Stack) -> Iterator[str]:
    """The control planes of a stack that has several, the tags, and the pods of injected namespaces."""
    rows, tags = list(control_planes.rows(api, stack)), control_planes.tags(api)
    yield from _headed("control", _table(rows))
    # A single control plane's own default tag says nothing.
    told = {tag: revision for tag, revision in tags.items() if rows or tag != DEFAULT_REVISION}
    yield from _headed("tags", _table([[tag, revision] for tag, revision in sorted(told.items())]))
    yield from control_planes.sidecars(api, stack, tags)


def _headed(head: str, lines: Iterable[str]) -> Iterator[str]:
    for text, line in zip(chain([head], repeat("")), lines, strict=False):
        yield f"{text:<10}{line.removeprefix(' ' * 10)}"


def hint(stack: str, target: Target) -> str:
    """The end of an error message that says how to start a stack's embedded cluster; empty for other clusters."""
    embedded = target.context in EMBEDDED_CLUSTERS and not offline()
    return f"; `make sandbox{stacks.variables(stack)}` starts it" if embedded else ""


def _none(found: Survey, mesh: Installation, stack: str) -> Iterator[str]:
    """The lines for a cluster without a mesh of this project.

    `make up` refuses a cluster with another Istio, unless the stack is a further revision (`mesh:base` disabled)."""
    unmarked = sorted(name for name, one in found.definitions.items() if names.OWNER_PROJECT not in one.annotations)
    others = found.istio or "".join(f"{name} is defined" for name in unmarked[:1])
    if others and mesh.values.base.enabled:
        yield f"mesh      none of this project, but an Istio of others: {others}"
        yield f"          `make parity STACK={stack}` compares it with the stack"
        yield f"          `make adopt STACK={stack}` takes it over"
    else:
        yield f"mesh      none; `make up STACK={stack}` installs it"


def _workloads(api: Api, mesh: Installation, found: Survey) -> Iterator[list[str]]:
    """A row for each Deployment of the root namespace, and for each gateway in another one."""
    gateways = mesh.values.gateways
    for place in dict.fromkeys([mesh.root, *(spec.namespace or mesh.root for spec in gateways.values())]):
        services = {service["metadata"]["name"]: service for service in client.items(api, SERVICES.format(place))}
        for deployment in client.items(api, DEPLOYMENTS.format(place)):
            name, spec, status = deployment["metadata"]["name"], deployment["spec"], deployment.get("status", {})
            if place == mesh.root or name in gateways:
                image = spec["template"]["spec"]["containers"][0]["image"]
                ready = f"{status.get('readyReplicas', 0)}/{spec.get('replicas', 1)} ready"
                way = _way(services[name], found) if name in gateways and name in services else ""
                yield [name, ready, image, way]


def _way(service: Manifest, found: Survey) -> str:
    """The gateway's Service type, addresses and node ports."""
    spec = service["spec"]
    ingress = service.get("status", {}).get("loadBalancer", {}).get("ingress") or []
    facts = gateways.address(
        spec["type"],
        {port["name"]: port.get("nodePort") for port in spec["ports"]},
        [point.get("ip") or point.get("hostname") for point in ingress],
    )
    ports = ", ".join(f"{name} {port}" for name, port in facts.get("nodePorts", {}).items())
    where = facts.get("addresses") or ([found.node] if ports and found.node else [])
    return "  ".join(filter(None, (facts["type"], ", ".join(where), ports)))


def _table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield ("          " + "  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True))).rstrip()
