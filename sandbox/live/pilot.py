"""The command line of Istio's pilot, which reads the files of the sync process and configures every proxy."""

import re
from pathlib import Path
from typing import Final

from sandbox.live.folder import Folder
from sandbox.live.plan import PILOT, PILOT_HTTP_PORT, XDS_PORT, Plan
from sandbox.paths import Layout
from sandbox.process import Process

MONITORING_PORT: Final = 15014

ENVIRONMENT: Final = {
    # A stock Envoy lacks the filters of Istio's proxy for these.
    "PILOT_ENABLE_METADATA_EXCHANGE": "false",
    "PILOT_ENABLE_ALPN_FILTER": "false",
    # It reads the cluster, and must not write to it.
    "ENABLE_CA_SERVER": "false",
    "ENABLE_LEADER_ELECTION": "false",
    "PILOT_ENABLE_GATEWAY_API": "false",
    "PILOT_ENABLE_IP_AUTOALLOCATE": "false",
    "PILOT_ENABLE_K8S_SELECT_WORKLOAD_ENTRIES": "false",
    "PILOT_DEBOUNCE_AFTER": "50ms",
}

REFUSED: Final = re.compile(r"Failed to parse \S+: (.*)")
"""Pattern of pilot's log message about a rejected file. Pilot keeps the previous configuration then."""
RELOAD_MESSAGE: Final = "Triggering reload of file configuration"


def command(plan: Plan, folder: Folder, program: Path) -> tuple[str, ...]:
    """Pilot's command line."""
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
    environment = {**ENVIRONMENT, **plan.defaults, "POD_NAMESPACE": plan.root, "POD_NAME": "live"}
    given = (f"{name}={value}" for name, value in environment.items())
    return ("/usr/bin/env", *given, f"{program}", "discovery", *(f"--{key}={value}" for key, value in flags.items()))


def refusal(layout: Layout) -> str:
    """The reason in pilot's log why it rejects the newest files; empty if it accepts them."""
    log = Process(PILOT, layout).log
    said = log.read_text(errors="replace") if log.exists() else ""
    found = REFUSED.search(said.rpartition(RELOAD_MESSAGE)[2])
    return found.group(1) if found else ""
