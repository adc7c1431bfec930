"""What Istio 1.30 added to the values and the API of the releases before it, and what it removed."""

from __future__ import annotations

from typing import Final

_API: Final = """
    AuthorizationPolicy.targetRef AuthorizationPolicy.targetRefs CertificateData.certSigners
    CertificateData.trustDomains ClientTLSSettings.caCrl ClientTLSSettings.insecureSkipVerify ConsistentHashLB.maglev
    ConsistentHashLB.ringHash CorsPolicy.unmatchedPreflights DefaultProviders.accessLogging DefaultProviders.metrics
    DestinationRule.workloadSelector EnvoyConfigObjectMatch.context=WAYPOINT EnvoyConfigObjectMatch.waypoint
    EnvoyConfigObjectPatch.applyTo=BOOTSTRAP EnvoyConfigObjectPatch.applyTo=LISTENER_FILTER
    EnvoyExternalAuthorizationHttpProvider.headersToDownstreamOnAllow EnvoyFilter.priority EnvoyFilter.targetRefs
    ExternalAuthorizer.clearRouteCache HTTPCookie.attributes HTTPMatchRequest.statPrefix HTTPRedirect.derivePort
    HTTPRedirect.port HTTPRedirect.scheme HTTPRetry.backoff HTTPRetry.retryIgnorePreviousHosts
    HTTPRewrite.uriRegexRewrite HTTPRoute.directResponse HTTPRoute.mirrors HTTPSettings.maxConcurrentStreams
    IstioIngressListener.connectionPool IstioIngressListener.tls JWTRule.fromCookies JWTRule.outputClaimToHeaders
    JWTRule.spaceDelimitedClaims JWTRule.timeout ListenerMatch.listenerFilter
    LoadBalancerSettings.simple=LEAST_REQUEST LoadBalancerSettings.simple=UNSPECIFIED LoadBalancerSettings.warmup
    LoadBalancerSettings.warmupDurationSecs LocalityLoadBalancerSetting.failoverPriority
    MeshConfig.defaultHttpRetryPolicy MeshConfig.hboneIdleTimeout MeshConfig.inboundTrafficPolicy MeshConfig.meshMTLS
    MeshConfig.proxyInboundListenPort MeshConfig.serviceScopeConfigs MeshConfig.tlsDefaults
    MeshExtensionProvider.envoyFileAccessLog MeshExtensionProvider.envoyHttpAls MeshExtensionProvider.envoyOtelAls
    MeshExtensionProvider.envoyTcpAls MeshExtensionProvider.opentelemetry MeshExtensionProvider.prometheus
    MeshExtensionProvider.sds MeshExtensionProvider.skywalking MeshOutboundTrafficPolicy.mode=ALLOW_ANY_DYNAMIC_DNS
    MeshOutboundTrafficPolicy.tls MeshProxyConfig.fileFlushInterval MeshProxyConfig.fileFlushMinSizeKb
    MeshProxyConfig.image MeshProxyConfig.interceptionMode=NONE MeshProxyConfig.privateKeyProvider
    MeshProxyConfig.proxyHeaders MeshProxyConfig.runtimeValues MeshProxyConfig.statsCompression
    MeshProxyConfig.tracingServiceName OutlierDetection.consecutiveLocalOriginFailures
    OutlierDetection.splitExternalLocalOriginErrors ProxyTracing.enableIstioTags ReadinessProbe.grpc
    RequestAuthentication.targetRef RequestAuthentication.targetRefs ServerTLSSettings.caCertCredentialName
    ServerTLSSettings.caCrl ServerTLSSettings.credentialNames ServerTLSSettings.mode=OPTIONAL_MUTUAL
    ServerTLSSettings.tlsCertificates ServiceEntry.resolution=DNS_ROUND_ROBIN ServiceEntry.resolution=DYNAMIC_DNS
    Sidecar.inboundConnectionPool Source.notServiceAccounts Source.notTrustDomains Source.serviceAccounts
    Source.trustDomains StackdriverProvider.logging TCPSettings.idleTimeout TCPSettings.maxConnectionDuration
    Telemetry.accessLogging Telemetry.metrics Telemetry.targetRef Telemetry.targetRefs TelemetryTag.formatter
    Topology.proxyProtocol Tracing.disableContextPropagation Tracing.enableIstioTags Tracing.match
    Tracing.useRequestIdForTraceSampling TrafficPolicy.proxyProtocol TrafficPolicy.retryBudget TrafficPolicy.tunnel
    VirtualHostMatch.domainName ZipkinTracingProvider.enable64bitTraceId ZipkinTracingProvider.headers
    ZipkinTracingProvider.path ZipkinTracingProvider.timeout ZipkinTracingProvider.traceContextOption
"""
"""Fields of Istio's objects and of MeshConfig, and values of their enumerations. Kinds are in `api.py`."""
_VALUES: Final = """
    Addons.loki AntiAffinity.namespaces Base.excludedCRDs Base.validationCABundle Base.validationFailurePolicy
    Cni.ambient Cni.cniNetnsDir Cni.daemonSetLabels Cni.istioOwnedCNIConfig Cni.istioOwnedCNIConfigFileName
    Cni.logging Cni.podLabels Cni.provider Cni.resourceQuotas Cni.seLinuxOptions Cni.seccompProfile
    Cni.terminationGracePeriodSeconds Cni.updateStrategy Cni.useAppArmorAnnotation Cni.variant
    Gateway.annotations Gateway.autoscaleBehavior Gateway.chart Gateway.containerSecurityContext
    Gateway.daemonSet Gateway.initContainers Gateway.ipFamilies Gateway.ipFamilyPolicy Gateway.lifecycle
    Gateway.memory Gateway.minReadySeconds Gateway.networkGateway Gateway.rbac Gateway.serviceAccount
    Gateway.tag Gateway.terminationGracePeriodSeconds Gateway.topologySpreadConstraints Gateway.volumeMounts
    Gateway.volumes Global.caName Global.certSigners Global.configCluster Global.enableReaderRBAC
    Global.ipFamilies Global.ipFamilyPolicy Global.nativeNftables Global.networkPolicy Global.platform
    Global.resourceScope Global.trustBundleName Global.variant Global.waypoint
    IstiodRemote.enabledLocalInjectorIstiod IstiodRemote.injectionCABundle IstiodRemote.injectionPath
    Pilot.autoscaleBehavior Pilot.cni Pilot.crlConfigMapName Pilot.deploymentAnnotations
    Pilot.extraContainerArgs Pilot.initContainers Pilot.ipFamilies Pilot.ipFamilyPolicy Pilot.memory
    Pilot.podLabels Pilot.seccompProfile Pilot.serviceAccountAnnotations Pilot.sidecarInjectorWebhookAnnotations
    Pilot.taint Pilot.topologySpreadConstraints Pilot.trafficDistribution Pilot.trustedZtunnelName
    Pilot.trustedZtunnelNamespace Pilot.variant Pilot.volumeMounts Pilot.volumes Proxy.includeInboundPorts
    Proxy.outlierLogPath Proxy.seccompProfile Proxy.startupProbe Proxy.tracer=none Proxy.variant
    ProxyInit.forceApplyIptables Repair.repairPods SidecarInjectorWebhook.reinvocationPolicy
    Values.compatibilityVersion Values.experimental Values.gatewayClasses Values.images=ztunnel
    Values.injectedGateways Values.pdb Values.ztunnel
"""
"""Fields of the installation's values, and values of their enumerations."""
_REMOVED_VALUES: Final = """
    Base.enableIstioConfigCRDs Cni.logLevel Cni.psp_cluster_role Cni.taint Global.jwtPolicy Global.oneNamespace
    MultiCluster.enabled Pilot.enableProtocolSniffingForInbound Pilot.enableProtocolSniffingForOutbound
    Prometheus.configOverride Prometheus.wasmEnabled Proxy.enableCoreDump ProxyInit.resources
    StackdriverFilter.configOverride StackdriverFilter.disableOutbound StackdriverFilter.inboundAccessLogging
    StackdriverFilter.logging StackdriverFilter.outboundAccessLogging TelemetryV2.accessLogPolicy
    TelemetryV2.metadataExchange Tracers.stackdriver
"""
"""Fields of the installation's values that only earlier releases have."""

ADDED: Final = frozenset((_API + _VALUES).split())
"""Added fields, as `mesh.releases.lacks` writes them."""
REMOVED: Final = frozenset(("MeshProxyConfig.parentShutdownDuration", *_REMOVED_VALUES.split()))
"""Removed fields."""
