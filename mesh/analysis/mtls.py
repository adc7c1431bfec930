"""The mutual TLS mode of workloads, as PeerAuthentications set it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from mesh.analysis.mesh import Mesh, selector_labels
from mesh.analysis.objects import Object
from mesh.analysis.workloads import Workload
from mesh.core import kinds

PERMISSIVE: Final = "PERMISSIVE"
"""Plain text and mutual TLS are accepted; the default."""
STRICT: Final = "STRICT"
"""Only mutual TLS is accepted."""
DISABLE: Final = "DISABLE"
"""Only plain text is accepted."""


class PeerAuthentications:
    """The PeerAuthentications of a mesh.

    The first of several with the same selector applies. Istio takes the oldest, but a stack's objects have no age yet.
    """

    def __init__(self, mesh: Mesh) -> None:
        self._root = mesh.root
        self._wide: dict[str, Object] = {}
        self._narrow: dict[str, list[Object]] = {}
        for policy in mesh.of(kinds.PEER_AUTHENTICATION):
            if selector_labels(policy):
                self._narrow.setdefault(policy.namespace, []).append(policy)
            else:
                self._wide.setdefault(policy.namespace, policy)

    def applying_to(self, workload: Workload) -> Sequence[Object]:
        """The policies that apply to a workload, the most specific first: its own, its namespace's, the mesh's."""
        own = (
            p for p in self._narrow.get(workload.namespace, ()) if selector_labels(p).items() <= workload.labels.items()
        )
        wide = (self._wide.get(place) for place in dict.fromkeys((workload.namespace, self._root)))
        return [policy for policy in (next(own, None), *wide) if policy]

    def mode(self, workload: Workload, port: int | None = None) -> str:
        """The mode of a workload, or of one port of its pods: PERMISSIVE, STRICT or DISABLE."""
        policies = self.applying_to(workload)
        if policies and port is not None:
            ports: Mapping[Any, Any] = policies[0].spec.get("portLevelMtls") or {}
            mode = _mode(ports.get(str(port)) or ports.get(port))
            if mode:
                return mode
        return next(filter(None, (_mode(policy.spec.get("mtls")) for policy in policies)), PERMISSIVE)


def _mode(mtls: Mapping[str, Any] | None) -> str:
    mode = (mtls or {}).get("mode") or "UNSET"
    return "" if mode == "UNSET" else str(mode)
