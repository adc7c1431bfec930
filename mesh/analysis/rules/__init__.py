"""The rules of the analysis, one module for each subject. A rule takes the mesh and yields findings."""

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from mesh.analysis.findings import Finding
from mesh.analysis.mesh import Mesh
from mesh.analysis.rules import (
    annotations,
    authorization,
    budgets,
    callers,
    client_addresses,
    conditions,
    destination_rules,
    envoy_filters,
    gateway_api,
    gateways,
    interactions,
    mutual_tls,
    namespaces,
    networks,
    policy_conditions,
    ports,
    preflights,
    proxy_images,
    rewrites,
    routes,
    schema,
    service_entries,
    shadowed_routes,
    sidecars,
    telemetries,
    tokens,
    virtual_hosts,
    workloads,
)

Rule = Callable[[Mesh], Iterator[Finding]]

RULES: Final[Sequence[Rule]] = (
    *annotations.RULES,
    *authorization.RULES,
    *callers.RULES,
    *budgets.RULES,
    *client_addresses.RULES,
    *conditions.RULES,
    *destination_rules.RULES,
    *service_entries.RULES,
    *envoy_filters.RULES,
    *gateway_api.RULES,
    *gateways.RULES,
    *namespaces.RULES,
    *networks.RULES,
    *mutual_tls.RULES,
    *interactions.RULES,
    *policy_conditions.RULES,
    *ports.RULES,
    *preflights.RULES,
    *proxy_images.RULES,
    *rewrites.RULES,
    *routes.RULES,
    *schema.RULES,
    *shadowed_routes.RULES,
    *sidecars.RULES,
    *telemetries.RULES,
    *tokens.RULES,
    *virtual_hosts.RULES,
    *workloads.RULES,
)
