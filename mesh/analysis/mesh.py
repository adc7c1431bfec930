"""The index of a stack's objects, which the analysis, the evaluation of requests and the map read."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import replace
from functools import cached_property
from typing import Any

from mesh import releases
from mesh.analysis import hosts, reading, services, workloads
from mesh.analysis.objects import Object, Ref
from mesh.analysis.services import Service, Services
from mesh.analysis.workloads import Workload, Workloads
from mesh.core import disclosure, kinds, pods
from mesh.core.kinds import GroupKind
from mesh.core.names import GATEWAY_NAME_LABEL, INJECTOR, REVISION_LABEL, TAG_LABEL, MeshNames
from mesh.releases.release import Release

_CONDITIONAL = frozenset(
    (kinds.VIRTUAL_SERVICE, kinds.AUTHORIZATION_POLICY, kinds.ENVOY_FILTER, kinds.REQUEST_AUTHENTICATION)
)
"""Kinds with conditions on requests, which findings, reports and maps quote."""


def without_credentials(obj: Object) -> Object:
    """The object with pseudonyms in place of the credentials in conditions on requests."""
    if obj.kind not in _CONDITIONAL:
        return obj
    body = disclosure.DEFAULT.pseudonymous(obj.body)
    return obj if body == obj.body else replace(obj, body=body)


def without_nulls(obj: Object) -> Object:
    """The object without fields that are null, which the API server drops."""
    body = obj.body if obj.kind == kinds.CUSTOM_RESOURCE_DEFINITION else reading.without_nulls(obj.body)  # long, unread
    return obj if body is obj.body else replace(obj, body=body)


def readable(obj: Object) -> Object | None:
    """The object as the API server keeps it: without nulls and unknown fields; None if it is malformed."""
    form = obj.form
    if form.malformed:
        return None
    return obj if form.body is obj.body else replace(obj, body=form.body)


class Mesh:
    """A stack's objects, looked up by kind and name, with the registry's services and the workloads behind them.

    Malformed objects are in no index, so callers can rely on the types of fields.

    Credentials in conditions on requests, such as the value of a header `authorization`, are replaced by pseudonyms:
    equal ones for equal credentials.

    A mesh is built once and never changes. `names` come from the stack's settings (`Settings.mesh_names`), or are
    `names.DEFAULT_NAMES` where there are no settings.
    """

    def __init__(self, objects: Iterable[Object], names: MeshNames) -> None:
        self.names, self.root, self.home, self.domain = names, names.root, names.home, names.domain
        self.objects: Sequence[Object] = [without_credentials(obj) for obj in objects]
        """All objects, including malformed ones."""
        self.readable: Sequence[Object] = [found for found in map(readable, self.objects) if found]
        """The objects that are not malformed, as the API server keeps them."""
        self._by_kind: dict[GroupKind, list[Object]] = defaultdict(list)
        self._by_ref: dict[Ref, Object] = {}
        for obj in self.readable:
            self._by_kind[obj.kind].append(obj)
            self._by_ref[obj.ref] = obj
        self.namespaces: Mapping[str, Object] = {obj.name: obj for obj in self.of(kinds.NAMESPACE)}
        self.known_namespaces = frozenset(self.namespaces) | {obj.namespace for obj in self._by_ref.values()} - {""}
        """The namespaces that the stack creates or has objects in."""
        self.injectors = {
            obj.name: _values(obj)
            for obj in self.of(kinds.CONFIG_MAP)
            if obj.namespace == self.home and obj.name.startswith(INJECTOR)
        }
        """The values of each injector of the stack, by name of its ConfigMap."""
        self.injects_unlabelled = any(
            (values.get("sidecarInjectorWebhook") or {}).get("enableNamespacesByDefault")
            for values in self.injectors.values()
        )
        """Whether pods of namespaces without an injection label are injected."""
        makers = [obj for kind in pods.TEMPLATES for obj in self.of(kind)]
        found = [workloads.from_object(obj, self.namespaces, self.injects_unlabelled) for obj in makers]
        self.workloads = Workloads(workload for workload in found if workload)
        self.services = Services(
            [
                *(services.of_service(obj, names.domain) for obj in self.of(kinds.SERVICE)),
                *(entry for obj in self.of(kinds.SERVICE_ENTRY) for entry in services.of_entry(obj)),
            ]
        )

    @cached_property
    def of_stack(self) -> bool:
        """Whether the objects come from the config of a stack, not only from files."""
        return any(obj.origin for obj in self.objects)

    def by(self, key: str, otherwise: str) -> str:
        """The advice of a message: `key`, which names a config key, or `otherwise` if there is no stack."""
        return key if self.of_stack else otherwise

    @cached_property
    def tags(self) -> Mapping[str, str]:
        """The revisions that revision tags stand for, by tag, as far as the webhooks of the tags are known."""
        found = (obj.labels for obj in self.of(kinds.MUTATING_WEBHOOK) if REVISION_LABEL in obj.labels)
        return {labels[TAG_LABEL]: labels[REVISION_LABEL] for labels in found if TAG_LABEL in labels}

    def revision_of(self, name: str) -> str:
        """The revision that a value of the label `istio.io/rev` stands for. The label `istio-injection` belongs to
        `default`."""
        return self.tags.get(name, name)

    def of(self, kind: GroupKind) -> Sequence[Object]:
        """All objects of a kind."""
        return self._by_kind.get(kind, ())

    def get(self, ref: Ref) -> Object | None:
        """The object with this kind, namespace and name; None if the stack has none."""
        return self._by_ref.get(ref)

    def service(self, host: str, namespace: str) -> Service | None:
        """The service that `host` stands for in an object of `namespace`; None if the registry has none."""
        return self.services.find(self.full_host(host, namespace), namespace)

    def full_host(self, host: str, namespace: str) -> str:
        """The fully qualified name of a host in an object of `namespace`."""
        return hosts.full_name(host, namespace, self.domain)

    def workloads_of(self, service: Service) -> Sequence[Workload]:
        """The workloads that the selector of a service matches."""
        return [] if service.selector is None else self.workloads.select(service.selector, service.namespace)

    def services_of(self, pods: Iterable[Workload]) -> Sequence[Service]:
        """The services whose selector matches any of the workloads."""
        found = list(pods)
        return [
            service
            for namespace in dict.fromkeys(pod.namespace for pod in found)
            for service in self.services.in_namespace(namespace)
            if any(pod in self.workloads_of(service) for pod in found)
        ]

    @cached_property
    def services_before(self) -> Mapping[Workload, Sequence[Service]]:
        """The Kubernetes Services that select each workload. A workload without a Service has no entry."""
        found: dict[Workload, list[Service]] = defaultdict(list)
        for service in self.services.all:
            for workload in self.workloads_of(service) if service.object.kind == kinds.SERVICE else ():
                found[workload].append(service)
        return found

    def listening(self, workload: Workload) -> Mapping[int, str]:
        """The protocols of a workload's ports, by number, as far as containers and Services state them; empty if the
        protocol is not stated."""
        found = dict.fromkeys(workload.container_ports.values(), "")
        for service in self.services_before.get(workload, ()):
            for port in service.ports:
                number = workload.port_number(port.target)
                if number and port.protocol != "UDP":
                    found[number] = port.protocol
        return found

    def gateway_pods(self, gateway: Object) -> Sequence[Workload]:
        """The workloads that the selector of a Gateway matches, in any namespace; all if it has none."""
        return self.workloads.select(gateway.spec.get("selector") or {})

    def selected_by(self, policy: Object) -> Sequence[Workload]:
        """The workloads to which a policy applies by its `selector`: in its namespace, or in the whole mesh if it is in
        the root namespace. A policy with targets applies to the pods of those that are Gateways of the Gateway API;
        waypoints are ignored here."""
        if attached := targets(policy):
            names = {target["name"] for target in attached if target["kind"] == kinds.GATEWAY.name}
            pods = self.workloads.select({}, policy.namespace)
            return [pod for pod in pods if pod.labels.get(GATEWAY_NAME_LABEL) in names]
        namespace = None if policy.namespace == self.root else policy.namespace
        return self.workloads.select(selector_labels(policy), namespace)

    @cached_property
    def proving_tokens(self) -> Set[Workload]:
        """The workloads whose proxies validate tokens by a RequestAuthentication, and so know the claims."""
        policies = (policy for policy in self.of(kinds.REQUEST_AUTHENTICATION) if policy.items("jwtRules"))
        return {pod for policy in policies for pod in self.selected_by(policy)}

    @property
    def release(self) -> Release:
        """The release of Istio; the default one if it is unknown."""
        return releases.get(self.names.release or releases.DEFAULT)

    @cached_property
    def config(self) -> Mapping[str, Any]:
        """Istio's MeshConfig; empty if its ConfigMap is not part of the stack, or cannot be read."""
        return reading.mesh_config(self.config_map.body["data"]["mesh"])[0] if self.config_map else {}

    @cached_property
    def config_map(self) -> Object | None:
        """The ConfigMap with the MeshConfig; None if it is not part of the stack."""
        own = (obj for obj in self.of(kinds.CONFIG_MAP) if obj.namespace == self.home)
        return next((obj for obj in own if "mesh" in (obj.body.get("data") or {})), None)


def _values(injector: Object) -> Mapping[str, Any]:
    """The values in an injector's ConfigMap, which are JSON; empty if they cannot be read."""
    try:
        found = json.loads((injector.body.get("data") or {}).get("values") or "{}")
    except json.JSONDecodeError:
        return {}
    places = [found, found.get("global") or {}] if isinstance(found, dict) else []
    inner = [place.get(name) or {} for place in places for name in ("global", "proxy", "sidecarInjectorWebhook")]
    return found if places and all(isinstance(value, dict) for value in inner) else {}


def selector_labels(policy: Object) -> Mapping[str, str]:
    """The labels of a policy's selector; empty if it applies to its whole namespace."""
    found: Mapping[str, str] = (policy.spec.get("selector") or {}).get("matchLabels") or {}
    return found


def targets(policy: Object) -> Sequence[Mapping[str, str]]:
    """The objects that a policy names instead of a selector, each with `kind`, `name`, and possibly `group`."""
    single = policy.spec.get("targetRef")
    return policy.items("targetRefs") or ([single] if single else [])


def gateway_ref(name: str, namespace: str) -> Ref:
    """The Gateway that a VirtualService of `namespace` names: `name`, `namespace/name`, or `name.namespace.svc.…`."""
    place, slash, rest = name.partition("/")
    if slash:
        return Ref(kinds.GATEWAY, place, rest)
    parts = name.split(".")
    return Ref(kinds.GATEWAY, parts[1] if len(parts) > 1 else namespace, parts[0])
