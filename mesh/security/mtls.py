"""`mesh:security.mtls`: the mode of mutual TLS for the mesh, for namespaces and for workloads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, Literal

from pydantic import Field

from mesh import api
from mesh.api.names import Selector
from mesh.api.scalars import PortKey
from mesh.core.kubernetes import Name
from mesh.core.typed import Documented, Findings, ShortForm
from mesh.traffic.context import StackContext
from mesh.traffic.objects import ConfigObject

Mode = Literal["STRICT", "PERMISSIVE", "DISABLE"]

PATH: Final = "security.mtls"
MESH: Final = "default"
"""Name of the objects that apply to the whole mesh."""


class WorkloadMtls(Documented):
    """Mutual TLS of some workloads, instead of their namespace's mode."""

    labels: Selector = Field(min_length=1)
    """Labels of the workloads' pods; a pod must have all of them."""
    namespace: Name | None = None
    """Namespace of the workloads; if not set, Bookinfo's, or the only injected namespace."""
    mode: Mode | None = None
    """Mode of all ports that are not in `ports`; the namespace's if not set."""
    ports: dict[PortKey, Mode] = {}
    """Modes of single ports of the pods, by number."""

    def check(self) -> Findings:
        if self.mode is None and not self.ports:
            yield (), "needs mode, ports or both"


class Mtls(ShortForm):
    """Mutual TLS that workloads require of clients. `STRICT`: only mutual TLS is accepted. `PERMISSIVE`, Istio's
    default: plain text is accepted, too. `DISABLE`: only plain text."""

    short_forms = "a mode for the whole mesh"

    mesh: Mode | None = None
    """Mode of the whole mesh; Istio's default if not set."""
    namespaces: dict[Name, Mode] = {}
    """Modes of single namespaces."""
    workloads: dict[Name, WorkloadMtls] = {}
    """Modes of some workloads, by a name of your choice."""

    @classmethod
    def expanded(cls, value: Any) -> Any:
        return {"mesh": value} if isinstance(value, str) else value

    def namespace_mode(self, namespace: str) -> Mode:
        """The mode in a namespace, for workloads without a mode of their own."""
        return self.namespaces.get(namespace) or self.mesh or "PERMISSIVE"


def objects(mtls: Mtls, stack: StackContext) -> Iterator[ConfigObject]:
    """The PeerAuthentications, and DestinationRules for clients where automatic mutual TLS is off. Raises ApiError if a
    namespace is not the stack's."""
    if mtls.mesh:
        yield _peer("mesh", MESH, stack.root_namespace, mode=mtls.mesh)
    for namespace, mode in mtls.namespaces.items():
        yield _peer(f"namespaces.{namespace}", f"namespace-{namespace}", stack.namespace_for(namespace), mode=mode)
    for name, some in mtls.workloads.items():
        home = stack.namespace_for(some.namespace)
        yield _peer(f"workloads.{name}", name, home, some.labels, some.mode, some.ports)
    if stack.client_tls:
        kubernetes = stack.full_host("kubernetes", "default")
        yield _client(MESH, "*.local", api.ClientTLSSettings(mode="ISTIO_MUTUAL"), stack)
        yield _client("api-server", kubernetes, api.ClientTLSSettings(mode="DISABLE"), stack)


def _peer(
    key: str,
    name: str,
    namespace: str,
    labels: Mapping[str, str] | None = None,
    mode: Mode | None = None,
    ports: Mapping[int, Mode] | None = None,
) -> ConfigObject:
    body = api.PeerAuthentication(
        selector=api.PolicySelector(matchLabels=dict(labels)) if labels else None,
        mtls=api.MutualTLS(mode=mode) if mode else None,
        portLevelMtls={port: api.MutualTLS(mode=other) for port, other in (ports or {}).items()} or None,
    )
    return ConfigObject(path=f"{PATH}.{key}", body=body, name=name, namespace=namespace)


def _client(name: str, host: str, tls: api.ClientTLSSettings, stack: StackContext) -> ConfigObject:
    body = api.DestinationRule(host=host, trafficPolicy=api.TrafficPolicy(tls=tls))
    return ConfigObject(path=PATH, body=body, name=name, namespace=stack.root_namespace)
