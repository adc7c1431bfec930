"""The settings of Istio that release 1.30 refuses."""

from __future__ import annotations

from typing import Final

from mesh.releases import refusals
from mesh.releases.common.refused import NO_EFFECT, REFUSED

REFUSALS: Final = refusals.table(
    "1.30",
    REFUSED,
    {
        NO_EFFECT: """
            base.validateGateway cni.ambient.configDir cni.logLevel=cni.logging.level cni.privileged
            cni.psp_cluster_role cni.rollingMaxUnavailable=cni.updateStrategy gateways.*.hub=hub global.jwtPolicy
            global.multiCluster.enabled global.proxy.enableCoreDump global.proxy_init.resources
            istio_cni.*=pilot.cni meshConfig.certificates pilot.cni.chained=cni.chained
        """,
        "a DaemonSet has no strategy": """
            cni.strategy=cni.updateStrategy ztunnel.strategy=ztunnel.updateStrategy
        """,
        "a DaemonSet runs on every node and has no Service": """
            ztunnel.hpaSpec ztunnel.podDisruptionBudget ztunnel.replicaCount ztunnel.service
            ztunnel.serviceAnnotations
        """,
        "istiod would refuse the whole mesh config": "meshConfig.meshMTLS.ecdhCurves",
        "all ports are in one list": "gateways.*.networkGatewayPorts=gateways.*.ports",
        "its Service leads to its own pods": "gateways.*.selectorLabels=gateways.*.labels",
        "CRDs are left out by name": "base.enableIstioConfigCRDs=base.excludedCRDs",
        "proxies of Istio 1.30 have no such tracer": "global.tracer.stackdriver=meshConfig.extensionProviders",
        "no templates for agentgateway are installed": "global.agentgateway",
        "Istio 1.30 reads another name": "global.waypoint.toleration=global.waypoint.tolerations",
    },
)
