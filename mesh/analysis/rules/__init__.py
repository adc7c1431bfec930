"""The rules of the analysis, one module for each subject. A rule takes the mesh and yields findings."""

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from mesh.analysis.findings import Finding
from mesh.analysis.mesh import Mesh
from mesh.analysis.rules import (
    annotations,
    authorization,
    destinations,
    entries,
    filters,
    gateways,
    namespaces,
    peers,
    ports,
    routes,
    schema,
    shadows,
    sidecars,
    virtual_hosts,
    workloads,
)

Rule = Callable[[Mesh], Iterator[Finding]]

RULES: Final[Sequence[Rule]] = (
    *annotations.RULES,
    *authorization.RULES,
    *destinations.RULES,
    *entries.RULES,
    *filters.RULES,
    *gateways.RULES,
    *namespaces.RULES,
    *peers.RULES,
    *ports.RULES,
    *routes.RULES,
    *schema.RULES,
    *shadows.RULES,
    *sidecars.RULES,
    *virtual_hosts.RULES,
    *workloads.RULES,
)
