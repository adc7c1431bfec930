"""Whether a gateway trusts what a load balancer in front of it says about the client."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from mesh.analysis.mesh import Mesh
from mesh.analysis.workloads import Workload
from mesh.api import spelling
from mesh.api.proxy_config import MeshProxyConfig
from mesh.proxy import proxyconfig


def trusted(mesh: Mesh, pod: Workload) -> bool:
    """Whether a gateway reads the client's address from `X-Forwarded-For`, and passes `X-Forwarded-Proto` on unchanged.
    Otherwise it sets both itself."""
    try:
        own = yaml.safe_load(pod.annotations.get(proxyconfig.ANNOTATION) or "")
    except yaml.YAMLError:
        own = None
    spelling.respell(MeshProxyConfig, own)  # a field in both spellings is a finding of its own
    configs: list[Mapping[str, Any]] = [mesh.config.get("defaultConfig") or {}, own if isinstance(own, dict) else {}]
    return any((config.get("gatewayTopology") or {}).get("numTrustedProxies") for config in configs)
