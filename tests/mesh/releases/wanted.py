"""Settings of Istio's that are being built: neither known nor refused so far. The end state is an empty table."""

from __future__ import annotations

from typing import Final

_PARTS: Final = {
    "B: global, meshConfig, telemetry, sidecarInjectorWebhook, base": """
        base.enableIstioConfigCRDs
        global.arch global.configValidation global.defaultNodeSelector global.defaultResources
        global.defaultTolerations global.meshNetworks global.operatorManageWebhooks global.pilotCertProvider
        global.proxy.includeOutboundPorts global.sds global.tracer
        telemetry.v2.accessLogPolicy telemetry.v2.prometheus.configOverride telemetry.v2.stackdriver
    """,
    "C: pilot, gateways, cni, k8s": """
        cni.affinity cni.env cni.hub cni.nodeSelector cni.priorityClassName cni.readinessProbe
        cni.securityContext cni.tag cni.taint cni.tolerations gateways.*.additionalContainers
        gateways.*.annotations gateways.*.autoscaleBehavior gateways.*.containerSecurityContext
        gateways.*.customService gateways.*.daemonSet gateways.*.envVarFrom gateways.*.hpaSpec
        gateways.*.imagePullPolicy gateways.*.initContainers gateways.*.injectionTemplate gateways.*.lifecycle
        gateways.*.memory gateways.*.minReadySeconds gateways.*.networkGateway
        gateways.*.podAntiAffinityLabelSelector gateways.*.podAntiAffinityTermLabelSelector
        gateways.*.podDisruptionBudget gateways.*.priorityClassName gateways.*.rbac gateways.*.readinessProbe
        gateways.*.securityContext gateways.*.service gateways.*.serviceAccount gateways.*.strategy
        gateways.*.tag gateways.*.terminationGracePeriodSeconds gateways.*.topologySpreadConstraints
        gateways.*.volumeMounts gateways.*.volumes pilot.hpaSpec pilot.hub pilot.imagePullPolicy
        pilot.jwksResolverExtraRootCA pilot.podDisruptionBudget pilot.priorityClassName
        pilot.readinessProbe pilot.securityContext pilot.service pilot.strategy pilot.tag ztunnel.hub
        ztunnel.priorityClassName ztunnel.readinessProbe ztunnel.securityContext ztunnel.tag ztunnel.variant
    """,
    "D: another root namespace, remote and external control planes": """
        base.validationURL global.externalIstiod global.ipFamilies global.ipFamilyPolicy global.istioNamespace
        global.remotePilotAddress istiodRemote.enabledLocalInjectorIstiod meshConfig.rootNamespace
    """,
    "E: patches": "patches",
}

WANTED: Final = {tuple(key.split(".")): part for part, keys in _PARTS.items() for key in keys.split()}
"""The parts that build them, by key; one stands for all below it, and `*` for any name."""
