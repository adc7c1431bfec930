"""What Istio 1.30 added to the values and the API of the releases before it, and what it removed."""

from __future__ import annotations

from typing import Final

_ADDED: Final[dict[str, str]] = {
    "Base": "excludedCRDs validationURL validationCABundle validationFailurePolicy",
    "Cni": (
        "variant logging cniNetnsDir istioOwnedCNIConfig istioOwnedCNIConfigFileName provider podLabels daemonSetLabels"
        " resourceQuotas affinity tolerations updateStrategy terminationGracePeriodSeconds seccompProfile"
        " seLinuxOptions useAppArmorAnnotation env ambient"
    ),
    "DefaultProviders": "metrics accessLogging",
    "Gateway": "ipFamilyPolicy ipFamilies serviceAccount additionalContainers",
    "Global": (
        "platform variant networkPolicy nativeNftables waypoint resourceScope pilotCertProvider certSigners caName"
        " trustBundleName configValidation enableReaderRBAC externalIstiod configCluster remotePilotAddress meshNetworks"
    ),
    "IstiodRemote": "injectionPath injectionCABundle",
    "MeshConfig": "serviceScopeConfigs",
    "MeshExtensionProvider": "skywalking opentelemetry envoyOtelAls",
    "Pilot": (
        "variant memory autoscaleBehavior deploymentAnnotations podLabels serviceAccountAnnotations"
        " sidecarInjectorWebhookAnnotations cni taint extraContainerArgs envVarFrom volumes volumeMounts initContainers"
        " seccompProfile topologySpreadConstraints jwksResolverExtraRootCA ipFamilyPolicy ipFamilies"
        " trafficDistribution trustedZtunnelNamespace trustedZtunnelName crlConfigMapName"
    ),
    "Proxy": "includeInboundPorts includeOutboundPorts startupProbe variant outlierLogPath seccompProfile tracer=none",
    "ProxyConfig": "image",
    "ProxyInit": "forceApplyIptables",
    "Repair": "repairPods",
    "SidecarInjectorWebhook": "reinvocationPolicy",
    "Values": (
        "compatibilityVersion revisionTags ztunnel injectedGateways gatewayClasses pdb experimental images=ztunnel"
    ),
}
_REMOVED: Final[dict[str, str]] = {
    "Cni": "logLevel psp_cluster_role",
    "Global": "jwtPolicy oneNamespace",
    "MultiCluster": "enabled",
    "Pilot": "enableProtocolSniffingForInbound enableProtocolSniffingForOutbound",
    "Prometheus": "wasmEnabled",
    "Proxy": "enableCoreDump",
    "ProxyInit": "resources",
    "TelemetryV2": "metadataExchange",
}


def _fields(table: dict[str, str]) -> frozenset[str]:
    return frozenset(f"{kind}.{field}" for kind, fields in table.items() for field in fields.split())


ADDED: Final = _fields(_ADDED)
"""Added fields, as `mesh.releases.lacks` writes them."""
REMOVED: Final = _fields(_REMOVED)
"""Removed fields."""
