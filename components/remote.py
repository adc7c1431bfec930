"""A cluster whose control plane is remote (`istiodRemote`): the webhooks that call it, and its address."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import Final

import pulumi
import pulumi_kubernetes as k8s

from components import kube, meshconfig, rbac, telemetry, webhooks
from components.base import Base
from mesh.core.names import XDS_PORT
from mesh.releases.release import Installation

_PORTS: Final = (("tcp-istiod", XDS_PORT, XDS_PORT), ("tcp-webhook", 443, 15017))
"""Name, port and target port of the Service."""

core, discovery = k8s.core.v1, k8s.discovery.v1


@dataclass(frozen=True, kw_only=True)
class RemoteArgs:
    """Arguments of Remote."""

    mesh: Installation
    base: Base
    """Its namespace, and Istio's definitions if they are installed."""
    gate: bool = True
    """Whether the webhooks count as ready only when istiod has patched them."""


class Remote(pulumi.ComponentResource):
    """The webhooks, and the roles, the Service, ConfigMaps and telemetry filters that the values enable."""

    injecting: list[pulumi.Resource]
    """The injection webhooks, ready when new pods of a labelled namespace get a sidecar."""
    validation: list[pulumi.Resource]
    """The validation webhooks, where this cluster holds the remote control plane's configuration."""

    def __init__(self, name: str, args: RemoteArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mesh:istio:Remote", name, None, opts)
        mesh, namespace = args.mesh, args.base.namespace
        self._child = pulumi.ResourceOptions(parent=self)
        rbac.of_control_plane(mesh, namespace, self)
        meshconfig.config_maps(mesh, namespace, self._child)
        if mesh.values.global_.remotePilotAddress and mesh.in_namespaces:
            self._lead_to(mesh.values.global_.remotePilotAddress, mesh, namespace)
        self.injecting = [*webhooks.injectors(mesh, args.gate, self._child)]
        after = pulumi.ResourceOptions(parent=self, depends_on=args.base.definitions)
        self.validation = [*_own_validators(mesh, args.gate, self._child)]
        telemetry.install(mesh, namespace, after)
        self.register_outputs({})

    def _lead_to(self, address: str, mesh: Installation, namespace: pulumi.Input[str]) -> None:
        """The Service `istiod`, which leads to the control plane's address: a name, or an IP address."""
        name, version = mesh.revisioned("istiod"), _ip_version(address)
        spec = core.ServiceSpecArgs(
            ports=[
                core.ServicePortArgs(name=port, port=number, target_port=target, protocol="TCP")
                for port, number, target in _PORTS
            ],
            type=None if version else "ExternalName",
            external_name=None if version else address,
        )
        kube.service(name, namespace, mesh.labels, spec, self._child)
        if version:
            discovery.EndpointSlice(
                name,
                metadata=kube.metadata(name, namespace, {"kubernetes.io/service-name": name}),
                address_type=f"IPv{version}",
                endpoints=[discovery.EndpointArgs(addresses=[address])],
                ports=[
                    discovery.EndpointPortArgs(name=port, port=target, protocol="TCP") for port, _, target in _PORTS
                ],
                opts=self._child,
            )


def _own_validators(mesh: Installation, gate: bool, opts: pulumi.ResourceOptions) -> list[pulumi.Resource]:
    return [*webhooks.validators(mesh, gate, opts)] if mesh.values.global_.configCluster else []


def _ip_version(address: str) -> int | None:
    """4 or 6; None if it is a host name."""
    try:
        return ipaddress.ip_address(address).version
    except ValueError:
        return None
