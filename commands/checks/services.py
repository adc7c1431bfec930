"""Checks whether the stack's fixed node ports are free, and whether load balancers get addresses."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from commands.checks.case import Case, Level, Manifest, Result, comma_separated
from mesh.core import kinds

DEFAULT_RANGE: Final = range(30000, 32768)
"""The default of the API server's flag `--service-node-port-range`."""


def node_ports(case: Case) -> Result:
    """Compares the fixed node ports with the Services on the cluster and with the dry runs.

    The API server does not publish its range of node ports, and a dry run accepts any number. Only other Services with
    node ports outside the default range show that the cluster has another range."""
    wanted = {
        port["nodePort"]: planned
        for planned in case.plan.of(kinds.SERVICE)
        for port in planned.manifest["spec"].get("ports", [])
        if port.get("nodePort")
    }
    if not wanted:
        return Result(Level.OK, "no fixed node ports")
    own = {(planned.namespace, planned.name) for planned in wanted.values()}
    taken = [
        f"{port} is the node port of Service {'/'.join(owner)}; choose another one in mesh:ingressNodePorts"
        for service in case.services
        for port in _ports(service)
        if port in wanted and (owner := _place(service)) not in own
    ]
    taken = taken or [f"{trial.planned}: {text}" for trial in case.trials for text in trial.node_ports]
    ports = comma_separated([str(port) for port in sorted(wanted)])
    if taken:
        return Result(Level.ERROR, f"{ports}: not all are available", taken)
    outside = [port for port in wanted if port not in DEFAULT_RANGE]
    if outside and all(port in DEFAULT_RANGE for service in case.services for port in _ports(service)):
        usual = f"{DEFAULT_RANGE[0]}-{DEFAULT_RANGE[-1]}"
        details = [f"{comma_separated([str(p) for p in outside])}: outside of {usual}, the range of most API servers"]
        return Result(Level.WARNING, "free, but possibly out of range", details)
    return Result(Level.OK, f"{ports} free, or already this stack's own")


def load_balancer(case: Case) -> Result:
    """Looks for a Service of type LoadBalancer with an address: nothing else shows that a load balancer controller
    runs."""
    if not any(p.manifest["spec"].get("type") == "LoadBalancer" for p in case.plan.of(kinds.SERVICE)):
        return Result(Level.OK, "not needed")
    for service in case.services:
        ingress = service.get("status", {}).get("loadBalancer", {}).get("ingress")
        if service["spec"].get("type") == "LoadBalancer" and ingress:
            return Result(Level.OK, f"there is one: Service {'/'.join(_place(service))} has an address")
    return Result(
        Level.OK,
        "not known: no Service of type LoadBalancer has an address on this cluster",
        ["without a load balancer `up` waits for an address and fails; then set mesh:gatewayServiceType: NodePort"],
    )


def _ports(service: Manifest) -> Iterator[int]:
    spec = service["spec"]
    yield from (port["nodePort"] for port in spec.get("ports") or [] if port.get("nodePort"))
    if spec.get("healthCheckNodePort"):
        yield spec["healthCheckNodePort"]


def _place(service: Manifest) -> tuple[str, str]:
    return service["metadata"]["namespace"], service["metadata"]["name"]
