"""The settings of Istio that every release refuses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

NO_EFFECT: Final = "Istio {release} accepts it without any effect"

REFUSED: Final[Mapping[str, str]] = {
    NO_EFFECT: """
        cni.repair.createEvents cni.repair.hub cni.repair.image cni.repair.tag
        gateways.enabled global.multiCluster.globalDomainSuffix global.multiCluster.includeEnvoyFilter
        global.podDNSSearchNamespaces global.revision=revision global.trustDomain=meshConfig.trustDomain
        meshConfig.defaultConfig.availabilityZone meshConfig.defaultConfig.discoveryRefreshDelay
        meshConfig.defaultConfig.sds
        meshConfig.defaultConfig.zipkinAddress=meshConfig.defaultConfig.tracing.zipkin.address
        sidecarInjectorWebhook.injectionURL=istiodRemote.injectionURL
    """,
    "Istio {release} only checks whether it is set": """
        meshConfig.defaultConfig.envoyMetricsServiceAddress=meshConfig.defaultConfig.envoyMetricsService.address
    """,
    "these objects have no pods": "base.k8s=patches",
    "no pods of this cluster belong to it": """
        istiodRemote.hub=hub istiodRemote.k8s=patches istiodRemote.tag=tag
    """,
    "a DaemonSet runs on every node and has no Service": """
        cni.hpaSpec cni.podDisruptionBudget cni.replicaCount cni.service cni.serviceAnnotations
    """,
    "IstioOperator accepts it without any effect": "cni.volumeMounts=patches cni.volumes=patches",
    "CRDs are always installed as objects of the stack": "base.enableCRDTemplates=base.enabled",
    "it only sets a label that names the tool which installed an object": "ownerName",
    "the key below mesh:gateways is the name": "gateways.*.name",
    "all ports are in one list": """
        gateways.*.egressPorts=gateways.*.ports gateways.*.ingressPorts=gateways.*.ports
    """,
    "pods ask for it by the annotation sidecar.istio.io/capNetBindService": "global.proxy.capNetBindService",
    "each release here has its own charts": "installPackagePath=release",
    "each value has a key of its own here, and a patch sets what no chart reads": "unvalidatedValues=patches",
}
"""Keys by reason, as `mesh.releases.refusals.table` takes them."""
