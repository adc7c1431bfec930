"""Istio's pilot: reads the files that the sync process writes, and configures every proxy."""

import re
from pathlib import Path
from typing import Final

from sandbox.live.folder import Folder
from sandbox.live.plan import PILOT, PILOT_HTTP_PORT, XDS_PORT, Plan
from sandbox.paths import Layout
from sandbox.process import Process

MONITORING_PORT: Final = 15014

ENVIRONMENT: Final = {
    # Istio's own proxy has filters for these, a stock Envoy does not.
    "PILOT_ENABLE_METADATA_EXCHANGE": "false",
    "PILOT_ENABLE_ALPN_FILTER": "false",
    # It reads a cluster and must not write there.
    "ENABLE_CA_SERVER": "false",
    "ENABLE_LEADER_ELECTION": "false",
    "PILOT_ENABLE_GATEWAY_API": "false",
    "PILOT_ENABLE_IP_AUTOALLOCATE": "false",
    "PILOT_ENABLE_K8S_SELECT_WORKLOAD_ENTRIES": "false",
    # As Istio 1.10 names the host of a mirrored request.
    "DISABLE_SHADOW_HOST_SUFFIX": "false",
    "PILOT_DEBOUNCE_AFTER": "50ms",
}

REFUSED: Final = re.compile(r"Failed to parse \S+: (.*)")
"""What pilot says of files that it does not take; the state before stays in force then."""
READS: Final = "Triggering reload of file configuration"


def command(plan: Plan, folder: Folder, program: Path) -> tuple[str, ...]:
    """Its command line."""
    flags = {
        "configDir": f"{folder.config}",
        "meshConfig": f"{folder.mesh_config}",
        "kubeconfig": f"{folder.layout.kubeconfig}",
        "domain": plan.domain,
        "grpcAddr": f"{plan.pilot}:{XDS_PORT}",
        "httpAddr": f"{plan.pilot}:{PILOT_HTTP_PORT}",
        "monitoringAddr": f"{plan.pilot}:{MONITORING_PORT}",
        "httpsAddr": "",
        "secureGRPCAddr": "",
        "ctrlz_port": "0",
    }
    environment = {**ENVIRONMENT, "POD_NAMESPACE": plan.root, "POD_NAME": "live"}
    given = (f"{name}={value}" for name, value in environment.items())
    return ("/usr/bin/env", *given, f"{program}", "discovery", *(f"--{key}={value}" for key, value in flags.items()))


def refusal(layout: Layout) -> str:
    """Why pilot does not take the newest files; nothing if it does."""
    log = Process(PILOT, layout).log
    said = log.read_text(errors="replace") if log.exists() else ""
    found = REFUSED.search(said.rpartition(READS)[2])
    return found.group(1) if found else ""
