"""The Service that leads to a control plane on another cluster."""

from __future__ import annotations

import pulumi
import pulumi_kubernetes as k8s

from components import kube
from mesh.releases.release import Installation
from mesh.releases.remote import RemoteService, ip_version

core, discovery = k8s.core.v1, k8s.discovery.v1


def lead_to(mesh: Installation, namespace: pulumi.Input[str], opts: pulumi.ResourceOptions) -> None:
    """Installs the Service if the values name a control plane on another cluster, with an endpoint for its address
    unless that is a host name."""
    wanted = mesh.release.remote_service(mesh) if mesh.in_namespaces else None
    if not wanted:
        return
    version = ip_version(wanted.address)
    spec = core.ServiceSpecArgs(
        ports=[
            core.ServicePortArgs(name=port.name, port=port.number, target_port=port.target, protocol="TCP")
            for port in wanted.ports
        ],
        type=None if version else "ExternalName",
        external_name=None if version else wanted.address,
        cluster_ip="None" if version and wanted.headless else None,
        ip_family_policy=wanted.ip_family_policy or None,
        ip_families=list(wanted.ip_families) or None,
    )
    kube.service(wanted.name, namespace, wanted.labels, spec, opts)
    if version and wanted.slices:
        _slice(wanted, namespace, version, opts)
    elif version:
        _endpoints(wanted, namespace, opts)


def _slice(
    wanted: RemoteService, namespace: pulumi.Input[str], version: int, opts: pulumi.ResourceOptions
) -> discovery.EndpointSlice:
    return discovery.EndpointSlice(
        wanted.name,
        metadata=kube.metadata(wanted.name, namespace, {"kubernetes.io/service-name": wanted.name}),
        address_type=f"IPv{version}",
        endpoints=[discovery.EndpointArgs(addresses=[wanted.address])],
        ports=[discovery.EndpointPortArgs(name=port.name, port=port.target, protocol="TCP") for port in wanted.ports],
        opts=opts,
    )


def _endpoints(wanted: RemoteService, namespace: pulumi.Input[str], opts: pulumi.ResourceOptions) -> core.Endpoints:
    ports = [core.EndpointPortArgs(name=port.name, port=port.target, protocol="TCP") for port in wanted.ports]
    addresses = [core.EndpointAddressArgs(ip=wanted.address)]
    return core.Endpoints(
        wanted.name,
        metadata=kube.metadata(wanted.name, namespace),
        subsets=[core.EndpointSubsetArgs(addresses=addresses, ports=ports)],
        opts=opts,
    )
