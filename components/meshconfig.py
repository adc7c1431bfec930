"""The ConfigMaps that istiod reads, such as mesh configuration, injection templates and values."""

from __future__ import annotations

from collections.abc import Mapping

import pulumi
from pulumi_kubernetes.core.v1 import ConfigMap

from components import kube
from mesh.core import documents
from mesh.core.names import EXTRA_CERTIFICATES, INJECTOR, MESH_CONFIG
from mesh.proxy import injection
from mesh.releases.release import Installation
from mesh.values import networks


def config_maps(mesh: Installation, namespace: pulumi.Input[str], opts: pulumi.ResourceOptions) -> list[ConfigMap]:
    """The ConfigMaps that the values enable; none if the installation leaves out objects in namespaces."""
    if not mesh.in_namespaces:
        return []
    return [
        ConfigMap(name, metadata=kube.metadata(name, namespace, {**mesh.labels, **labels}), data=data, opts=opts)
        for name, (labels, data) in {**_of_istiod(mesh), **_of_gateway_classes(mesh)}.items()
    ]


_Contents = dict[str, tuple[Mapping[str, str], dict[str, str]]]
"""Labels and data of ConfigMaps by name."""


def _of_istiod(mesh: Installation) -> _Contents:
    """The mesh configuration, injection templates and values, and a certificate that istiod trusts."""
    values, contents = mesh.values, dict[str, dict[str, str]]()
    if values.pilot.configMap:
        text = documents.dump(mesh.release.mesh_config(mesh), sort_keys=True)
        text_of_networks = documents.dump({"networks": networks.wire(values.global_.meshNetworks)}, sort_keys=True)
        contents[MESH_CONFIG] = {"mesh": text, "meshNetworks": text_of_networks}
    if not values.global_.omitSidecarInjectorConfigMap:
        contents[INJECTOR] = injection.config_map_data(
            mesh.release.injection_templates(), mesh.release.injection_values(mesh)
        )
    if values.runs_istiod and values.pilot.jwksResolverExtraRootCA:
        contents[EXTRA_CERTIFICATES] = {"extra.pem": values.pilot.jwksResolverExtraRootCA}
    return {mesh.revisioned(name): ({}, data) for name, data in contents.items()}


def _of_gateway_classes(mesh: Installation) -> _Contents:
    """The defaults, by GatewayClass, of the objects that istiod creates for Gateways of the Gateway API."""
    return {
        f"istio-{mesh.revision}-gatewayclass-{name}": (
            {"gateway.istio.io/defaults-for-class": name},
            {part: documents.dump(overlay, sort_keys=True).rstrip() for part, overlay in parts.items()},
        )
        for name, parts in mesh.values.gatewayClasses.items()
    }


def checksum(mesh: Installation) -> str:
    """A checksum of templates, injection values and mesh configuration: it changes when injected sidecars change."""
    release = mesh.release
    injector, values = release.injector, release.injection_values(mesh)
    read = injector.reads(release.mesh_config(mesh))
    return injection.checksum(release.injection_templates(), injection.decisive(values, injector.variables), read)
