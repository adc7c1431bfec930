"""Checks the use of the Gateway API: the versions of its CRDs, and selectors that its proxies ignore."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from mesh.analysis import codes
from mesh.analysis.findings import Finding
from mesh.analysis.mesh import Mesh, targets
from mesh.analysis.workloads import Workload
from mesh.core import kinds, pods
from mesh.core.kinds import GroupKind
from mesh.core.names import GATEWAY_CLASS_LABEL, GATEWAY_NAME_LABEL

_BUNDLE: Final = "gateway.networking.k8s.io/bundle-version"
_VERSION: Final = re.compile(r"v?(\d+)(?:\.(\d+))?(?:\.(\d+))?(?:[-+].*)?", re.ASCII)
_BY_SELECTOR: Final = "ENABLE_SELECTOR_BASED_K8S_GATEWAY_POLICY"
"""Environment variable of istiod: whether selectors count for gateways of the Gateway API, as they do by default."""
_PLUGIN: Final = GroupKind("WasmPlugin", "extensions.istio.io")
_WAYPOINT: Final = "istio-waypoint"
_POLICIES: Final = (kinds.AUTHORIZATION_POLICY, kinds.REQUEST_AUTHENTICATION, kinds.TELEMETRY, _PLUGIN)


def definitions(mesh: Mesh) -> Iterator[Finding]:
    """The CRDs of the Gateway API have a version that the release reads."""
    for obj in mesh.of(kinds.CUSTOM_RESOURCE_DEFINITION):
        least = mesh.release.analysis.gateway_api.get(obj.name)
        found = _VERSION.fullmatch(obj.annotations.get(_BUNDLE, ""))
        if least and found and tuple(int(part or 0) for part in found.groups()) < least:
            text = (
                f"has version {found[0]}, but Istio {mesh.release.name} reads {'.'.join(map(str, least))} and later:"
                " it ignores all objects of this kind"
            )
            yield codes.OLD_DEFINITION.at(obj, f'metadata.annotations["{_BUNDLE}"]', text)


def selectors(mesh: Mesh) -> Iterator[Finding]:
    """No policy selects proxies of the Gateway API that ignore selectors: waypoints, or all by a setting of istiod."""
    told = any(_told(workload) for workload in mesh.workloads.all if workload.object.labels.get("app") == "istiod")
    made = [pod for pod in mesh.workloads.all if GATEWAY_NAME_LABEL in pod.labels]
    ignoring = [pod for pod in made if told or pod.labels.get(GATEWAY_CLASS_LABEL) == _WAYPOINT]
    for policy in [policy for kind in _POLICIES for policy in mesh.of(kind)] if ignoring else ():
        if targets(policy) or "selector" not in policy.spec:
            continue
        labels = ((policy.spec["selector"] or {}).get("matchLabels") or {}).items()
        for pod in ignoring:
            if pod.namespace == policy.namespace and labels <= pod.labels.items():
                name = pod.labels[GATEWAY_NAME_LABEL]
                text = f"does nothing at the Gateway {name}, whose proxies ignore selectors: name it in targetRefs"
                yield codes.IGNORED_SELECTOR.at(policy, "selector", text)


def _told(istiod: Workload) -> bool:
    """Whether the environment of an istiod says that all gateways of the Gateway API ignore selectors."""
    variables = (one for c in pods.running_containers(istiod.pod) for one in c.body.get("env") or ())
    return any(one["name"] == _BY_SELECTOR and one.get("value") == "false" for one in variables)


RULES: Final = (definitions, selectors)
