"""No resource depends on one that it does not need, so that an update is as fast as possible."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

import pytest

from commands import render
from engine.recorder import Resource

pytestmark = pytest.mark.slow

PLACE: Final = frozenset({"Namespace"})
CUSTOM: Final = frozenset({"Namespace", "CustomResourceDefinition", "ValidatingWebhookConfiguration"})
LATE: Final = CUSTOM | {"DestinationRule", "EnvoyFilter", "Gateway"}
"""Subsets for routes, and limits that apply from the first request on."""
NEEDED: Final[Mapping[str, frozenset[str]]] = {
    "CustomResourceDefinition": frozenset(),
    # Labelled for injection: from then on pods are refused if the injector does not answer.
    "Namespace": frozenset({"Deployment", "MutatingWebhookConfiguration"}),
    "NamespacePatch": frozenset({"Deployment", "MutatingWebhookConfiguration"}),
    "ServiceAccount": PLACE,
    "Service": PLACE,
    "Secret": PLACE,
    "Role": PLACE,
    "ClusterRole": frozenset(),
    "RoleBinding": PLACE | {"Role"},
    "ClusterRoleBinding": frozenset({"ClusterRole", "ServiceAccount"}),
    "PodDisruptionBudget": PLACE,
    "NetworkPolicy": PLACE,
    "ConfigMap": PLACE | {"Service"},  # whose address it holds
    "HorizontalPodAutoscaler": PLACE | {"Deployment"},
    # What its pods read and may do, what they do not get ready without, and what puts their sidecar in.
    "Deployment": frozenset(
        {"Namespace", "NamespacePatch", "ServiceAccount", "ConfigMap", "Secret", "Service", "RoleBinding"}
        | {"ClusterRoleBinding", "CustomResourceDefinition", "Deployment", "MutatingWebhookConfiguration"}
    ),
    "StatefulSet": PLACE | {"ServiceAccount", "ConfigMap", "RoleBinding"},
    "MutatingWebhookConfiguration": frozenset({"Deployment", "Service"}),
    "ValidatingWebhookConfiguration": frozenset({"Deployment", "Service"}),
    "DestinationRule": CUSTOM,
    "EnvoyFilter": CUSTOM,
    "Gateway": CUSTOM,
    "MonitoringDashboard": CUSTOM,
    "PeerAuthentication": CUSTOM,
    "RequestAuthentication": CUSTOM,
    "VirtualService": LATE,
    "AuthorizationPolicy": CUSTOM | {"AuthorizationPolicy", "RequestAuthentication"},
}
"""For each kind, the kinds that it may depend on."""


def kind(resource: Resource) -> str:
    return resource.type.rpartition(":")[2]


def unneeded(recorded: list[Resource]) -> Iterator[str]:
    by_urn = {resource.urn: resource for resource in recorded if resource.type.startswith("kubernetes:")}
    for resource in by_urn.values():
        for urn in resource.depends_on & by_urn.keys():
            if kind(by_urn[urn]) not in NEEDED[kind(resource)]:
                yield f"{kind(resource)} {resource.name} waits for {kind(by_urn[urn])} {by_urn[urn].name}"


@pytest.mark.parametrize("stack", ["dev", "hardened", "today"])
def test_no_resource_depends_on_one_that_it_does_not_need(stack: str) -> None:
    assert list(unneeded(render.record(stack))) == []


def test_only_workloads_depend_on_the_injector() -> None:
    recorded = render.record("dev")
    (injector,) = (r.urn for r in recorded if kind(r) == "MutatingWebhookConfiguration")
    waiting = {kind(r) for r in recorded if injector in r.depends_on}
    assert waiting == {"Deployment", "NamespacePatch"}
