"""A fake API server with recorded answers of a real one, and a case for `commands.checks` with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from cluster.client import Answer, Request
from cluster.errors import ClusterError
from cluster.state import StackState
from cluster.survey import Survey
from cluster.target import Target
from commands import render, stackfiles
from commands.checks import Case
from commands.checks.plan import Plan, Planned, plan
from mesh.config import loading

TARGET = Target("here", "https://here")
SURVEY = Survey(TARGET, "uid", (1, 33), {"kube-system": {}, "default": {}}, None, "10.0.0.1")
NOTHING = StackState()
MANAGER = "mesh-dev"
NODE = {
    "metadata": {"name": "node-1", "labels": {"kubernetes.io/arch": "amd64"}},
    "status": {"allocatable": {"cpu": "4", "memory": "16393244Ki"}, "nodeInfo": {"architecture": "amd64"}},
}
WEBHOOKS = "/apis/admissionregistration.k8s.io/v1"


def listing(*objects: Mapping[str, Any]) -> Answer:
    return Answer(200, {"items": list(objects)})


def namespace(name: str, **labels: str) -> dict[str, Any]:
    return {"metadata": {"name": name, "labels": {"kubernetes.io/metadata.name": name, **labels}}}


def status(code: int, message: str, kind: str = "", causes: Sequence[Mapping[str, str]] = ()) -> Answer:
    """The answer of an API server with a `Status`."""
    return Answer(code, {"kind": "Status", "message": message, "details": {"kind": kind, "causes": list(causes)}})


def denied(resource: str, verb: str = "list") -> Answer:
    return status(403, f'{resource} is forbidden: User "dev" cannot {verb} resource "{resource}" at the cluster scope')


@dataclass
class FakeApi:
    """An API server with one node, the namespaces of a new cluster, and the kinds of the plan. It accepts every request
    for which `answers` has no other answer (by method and path without query)."""

    answers: dict[str, Answer] = field(default_factory=dict)
    missing: Sequence[tuple[str, str, str]] = ()
    """Rights that the caller does not have: verb, resource, namespace."""
    asked: list[Request] = field(default_factory=list)

    def ask(self, request: Request) -> Answer:
        self.asked.append(request)
        path = request.path.partition("?")[0]
        given = self.answers.get(f"{request.method} {path}")
        if given:
            return given
        if path.endswith("selfsubjectaccessreviews") and request.body:
            wanted = request.body["spec"]["resourceAttributes"]
            right = (wanted["verb"], wanted["resource"], wanted.get("namespace", ""))
            return Answer(201, {"status": {"allowed": right not in self.missing}})
        if request.method == "GET":
            return KNOWN.get(path, Answer(404))
        if "/namespaces/istio-system/" in path:
            return status(404, 'namespaces "istio-system" not found', "namespaces")
        return Answer(201 if request.method == "POST" else 200)


def _resources(*kinds: tuple[str, str, bool]) -> Answer:
    return Answer(200, {"resources": [{"kind": k, "name": n, "namespaced": ns} for k, n, ns in kinds]})


_RBAC = [
    ("Role", "roles", True),
    ("RoleBinding", "rolebindings", True),
    ("ClusterRole", "clusterroles", False),
    ("ClusterRoleBinding", "clusterrolebindings", False),
]
KNOWN = {
    "/api/v1": _resources(
        ("Namespace", "namespaces", False),
        ("Service", "services", True),
        ("Service", "services/status", True),
        ("ServiceAccount", "serviceaccounts", True),
        ("ConfigMap", "configmaps", True),
        ("Secret", "secrets", True),
    ),
    "/apis/apps/v1": _resources(("Deployment", "deployments", True), ("Deployment", "deployments/scale", True)),
    "/apis/policy/v1": _resources(("PodDisruptionBudget", "poddisruptionbudgets", True)),
    "/apis/rbac.authorization.k8s.io/v1": _resources(*_RBAC),
    "/apis/apiextensions.k8s.io/v1": _resources(("CustomResourceDefinition", "customresourcedefinitions", False)),
    WEBHOOKS: _resources(
        ("MutatingWebhookConfiguration", "mutatingwebhookconfigurations", False),
        ("ValidatingWebhookConfiguration", "validatingwebhookconfigurations", False),
    ),
    "/api/v1/namespaces": listing(namespace("kube-system"), namespace("default")),
    "/api/v1/nodes": listing(NODE),
    "/api/v1/services": listing({"metadata": {"namespace": "default", "name": "kubernetes"}, "spec": {}}),
    f"{WEBHOOKS}/mutatingwebhookconfigurations": listing(),
    f"{WEBHOOKS}/validatingwebhookconfigurations": listing(),
}


@cache
def planned(stack: str = "dev") -> Plan:
    """The plan of a stack file without its addons: the numbers in tests are those of the mesh and of Bookinfo."""
    config = {key: value for key, value in stackfiles.config(stack).items() if key != "mesh:addons"}
    compiled = loading.load(config)
    return plan(render.record(stack, config, compiled), compiled.settings)


def case(
    api: FakeApi | None = None,
    chosen: Plan | None = None,
    version: tuple[int, int] = (1, 33),
    survey: Survey | ClusterError = SURVEY,
    recorded: StackState | None = NOTHING,
) -> Case:
    chosen = chosen or planned()
    return Case("dev", chosen.settings, TARGET, chosen, api or FakeApi(), version, survey, recorded)


def only(*manifests: Mapping[str, Any], patch: bool = False) -> Plan:
    """A plan with these objects and the settings of `dev`."""
    return Plan([Planned(manifest, patch, MANAGER) for manifest in manifests], planned().settings)
