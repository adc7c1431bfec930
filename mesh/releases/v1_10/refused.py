"""The settings of Istio that release 1.10 refuses."""

from __future__ import annotations

from typing import Final

from mesh.releases import refusals
from mesh.releases.common.refused import NO_EFFECT, REFUSED

REFUSALS: Final = refusals.table(
    "1.10",
    REFUSED,
    {
        NO_EFFECT: """
            cni.spec defaultRevision gateways.*.hub=hub gateways.*.tag=tag gateways.*.volumeMounts=patches
            gateways.*.volumes=patches
            gateways.*.zvpn global.configRootNamespace=meshConfig.rootNamespace
            global.defaultConfigVisibilitySettings=meshConfig.defaultServiceExportTo
            global.proxyInit=global.proxy_init global.useMCP=meshConfig.configSources istiodRemote.spec
            meshConfig.thriftConfig pilot.configNamespace
            pilot.configSource=meshConfig.configSources pilot.spec pilot.useMCP=meshConfig.configSources
            pilot.volumeMounts=patches pilot.volumes=patches resourceSuffix=revision telemetry.v2.stackdriver.monitoring
            telemetry.v2.stackdriver.topology
        """,
        "istiod requests them by an API that Kubernetes has not had since 1.22": "meshConfig.certificates",
        "Istio 1.10 passes the list to istiod as one name, which switches all of its plugins off": "pilot.plugins",
        "a DaemonSet has no strategy": "cni.strategy",
        "it only says whether pods use the plugin": """
            istio_cni.chained=cni.chained istio_cni.enabled=cni.enabled istio_cni.*=cni
        """,
        "addons have keys of their own here": "addonComponents=addons",
        "the selectors of Istio before 1.10 inject other pods than this program expects": """
            sidecarInjectorWebhook.objectSelector=sidecarInjectorWebhook.neverInjectSelector
            sidecarInjectorWebhook.useLegacySelectors
        """,
    },
)
