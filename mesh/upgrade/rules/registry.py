"""Services, ServiceEntries and DestinationRules: endpoints, names and ports."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from mesh.analysis import hosts, reading, virtual_services
from mesh.analysis.objects import Object
from mesh.analysis.services import Service
from mesh.analysis.workloads import Workload
from mesh.api.names import covers
from mesh.core import kinds
from mesh.core.selectors import selects
from mesh.upgrade.changes import Place
from mesh.upgrade.subject import Hit, Subject

_MANY: Final = 2


def load_balancer(subject: Subject) -> Iterator[Hit]:
    """The services with several endpoints for which no DestinationRule sets the load balancing."""
    chosen = [host for host, _ in _rules(subject, _chooses)]
    for service in subject.called:
        if _endpoints(subject, service) >= _MANY and not any(covers(host, service.host) for host in chosen):
            yield Hit(Place.of(service.object))


def _chooses(rule: Object) -> bool:
    balancer = (rule.spec.get("trafficPolicy") or {}).get("loadBalancer") or {}
    return balancer.get("simple", "UNSPECIFIED") != "UNSPECIFIED" or "consistentHash" in balancer


def _endpoints(subject: Subject, service: Service) -> int:
    """The number of endpoints of a service; 0 if proxies do not choose among them, or if it is unknown."""
    spec = service.object.spec
    if service.object.kind == kinds.SERVICE:
        direct = spec.get("clusterIP") == "None" or spec.get("type") == "ExternalName"
        return 0 if direct else max(_sizes(subject, service))
    if (spec.get("resolution") or "NONE") not in ("STATIC", "DNS"):
        return 0
    return len(spec.get("endpoints") or ()) + sum(_pods(subject, one) for one in subject.mesh.workloads_of(service))


def _sizes(subject: Subject, service: Service) -> Iterator[int]:
    """The numbers of pods among which proxies choose: those of subsets if requests go to subsets, else of all pods."""
    mesh, subsets = subject.mesh, {"": service.selector or {}}
    for host, rule in _rules(subject):
        if host == service.host:
            found = {one["name"]: one.get("labels") or {} for one in rule.items("subsets")}
            subsets |= {name: {**(service.selector or {}), **labels} for name, labels in found.items()}
    objects = mesh.of(kinds.VIRTUAL_SERVICE) if service.host in virtual_services.of_sidecars(mesh) else ()
    receivers = ((obj, one) for obj in objects for one in virtual_services.destinations(obj))
    used = {one.subset for obj, one in receivers if mesh.full_host(one.host, obj.namespace) == service.host}
    for name in used or {""}:
        labels = subsets.get(name)
        yield sum(_pods(subject, pod) for pod in mesh.workloads.select(labels, service.namespace)) if labels else 0


def _pods(subject: Subject, workload: Workload) -> int:
    obj = workload.object
    if obj.kind == kinds.POD:
        return 1
    if obj.kind == kinds.DAEMON_SET:
        return _MANY
    for scaler in subject.mesh.of(kinds.HORIZONTAL_POD_AUTOSCALER):
        target = scaler.spec.get("scaleTargetRef") or {}
        if (scaler.namespace, target.get("kind"), target.get("name")) == (obj.namespace, obj.kind.name, obj.name):
            return int(scaler.spec.get("maxReplicas", 1))
    return int(obj.spec.get("replicas", 1))


def external_names(subject: Subject) -> Iterator[Hit]:
    """The Services of type ExternalName with ports, or that rules name."""
    named = {host for host, _ in _rules(subject)} | set(virtual_services.of_sidecars(subject.mesh))
    for obj in subject.mesh.of(kinds.VIRTUAL_SERVICE):
        named |= {subject.mesh.full_host(one.host, obj.namespace) for one in virtual_services.destinations(obj)}
    for service in subject.mesh.services.all:
        spec = service.object.spec
        if spec.get("type") == "ExternalName" and (service.ports or service.host in named):
            yield Hit(Place.of(service.object), {"target": str(spec.get("externalName") or "")})


def target_ports(subject: Subject) -> Iterator[Hit]:
    """The ports of ServiceEntries without resolution that have another targetPort."""
    for obj in subject.mesh.of(kinds.SERVICE_ENTRY):
        for i, port in enumerate(obj.items("ports")):
            number, target = port.get("number"), port.get("targetPort")
            if obj.spec.get("resolution", "NONE") == "NONE" and target and target != number:
                place = Place.of(obj, f"ports[{i}].targetPort")
                yield Hit(place, {"number": str(number), "target": str(target)})


def same_host(subject: Subject) -> Iterator[Hit]:
    """The services that are visible to other namespaces and share their host with services of other namespaces."""
    seen: dict[str, list[Service]] = defaultdict(list)
    for service in subject.mesh.services.all:
        if service.exported_to - {service.namespace}:
            seen[service.host].append(service)
    for host, found in seen.items():
        if len({service.namespace for service in found}) > 1:
            yield from (Hit(Place.of(service.object), {"host": host}) for service in found)


def exported_rules(subject: Subject) -> Iterator[Hit]:
    """The DestinationRules of one namespace for the same host that are exported to different namespaces."""
    found: dict[tuple[str, str], list[Object]] = defaultdict(list)
    for host, rule in _rules(subject):
        found[rule.namespace, host].append(rule)
    for (_, host), same in found.items():
        if len({hosts.exported_to(rule.items("exportTo"), rule.namespace) for rule in same}) > 1:
            yield from (Hit(Place.of(rule, "exportTo"), {"host": host}) for rule in same)


def allocated_addresses(subject: Subject) -> Iterator[Hit]:
    """The ServiceEntries whose hosts get addresses, if proxies answer DNS requests and gave them none before."""
    for obj in subject.mesh.of(kinds.SERVICE_ENTRY) if subject.captures_dns and not subject.allocates else ():
        named = any(not host.startswith("*") for host in obj.items("hosts"))
        if named and not obj.items("addresses") and obj.spec.get("resolution") in ("STATIC", "DNS"):
            yield Hit(Place.of(obj))


def discovery_selectors(subject: Subject) -> Iterator[Hit]:
    """Istio's objects in namespaces that no selector of the MeshConfig matches."""
    selectors = subject.mesh_config.get("discoverySelectors") or ()
    for kind in reading.TYPES if selectors else ():
        for obj in subject.own(kind):
            namespace = subject.mesh.namespaces.get(obj.namespace)
            left_out = namespace and not any(selects(one, _labels(namespace)) for one in selectors)
            if left_out and obj.namespace != subject.mesh.root:
                yield Hit(Place.of(obj), {"namespace": obj.namespace})


def _labels(namespace: Object) -> Mapping[str, str]:
    return {"kubernetes.io/metadata.name": namespace.name, **namespace.labels}


def limits(subject: Subject) -> Iterator[Hit]:
    """The DestinationRules with a limit on connections or requests."""
    for _, rule in _rules(subject):
        if any("connectionPool" in policy for _, policy in policies(rule)):
            yield Hit(Place.of(rule))


def policies(rule: Object) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The traffic policies of a DestinationRule, with their paths: its own, of ports, and of subsets."""
    subsets = ((f"subsets[{i}].", one) for i, one in enumerate(rule.items("subsets")))
    for path, part in (("", rule.spec), *subsets):
        policy = part.get("trafficPolicy") or {}
        yield f"{path}trafficPolicy", policy
        for i, port in enumerate(policy.get("portLevelSettings") or ()):
            yield f"{path}trafficPolicy.portLevelSettings[{i}]", port


def _rules(subject: Subject, chosen: Callable[[Object], bool] = lambda _: True) -> Iterator[tuple[str, Object]]:
    """The DestinationRules that are chosen, with the full names of their hosts."""
    for rule in subject.mesh.of(kinds.DESTINATION_RULE):
        if chosen(rule):
            yield subject.mesh.full_host(str(rule.spec["host"]), rule.namespace), rule


RULES: Final = {
    "default-load-balancer": load_balancer,
    "external-names": external_names,
    "target-port-of-none": target_ports,
    "same-host": same_host,
    "exported-rules": exported_rules,
    "allocated-addresses": allocated_addresses,
    "discovery-selectors": discovery_selectors,
    "circuit-breaker-metrics": limits,
}
