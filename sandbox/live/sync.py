"""The process that brings what stands on the cluster to pilot, as files, within a second of each change."""

import json
import threading
import time
from pathlib import Path
from typing import Any, Final

from cluster.errors import ClusterError
from sandbox import paths
from sandbox.api import Endpoints
from sandbox.files import replace
from sandbox.live import capture, certificates, registry, translate
from sandbox.live.folder import Folder
from sandbox.live.plan import Plan
from sandbox.live.snapshot import Snapshot, take, watch
from sandbox.network import network

SETTLE: Final = 0.1
"""Seconds that changes which come together may take."""
AT_LEAST: Final = 30.0
"""Seconds after which it looks without being told."""


def write(seen: Snapshot, plan: Plan, folder: Folder) -> bool:
    """Brings the files up to date; whether anything changed."""
    notes = {
        "nodePorts": capture.open_ports(seen, plan),
        "serving": [one.name for one in plan.workloads if registry.serving(seen, plan, one)],
        "unserved": registry.unserved(seen, plan),
        "leftOut": translate.left_out(seen, plan),
    }
    pairs = certificates.files(seen, plan, folder)
    texts = {
        **{file: content.decode(errors="replace") for file, content in pairs.items()},
        folder.mesh_config: json.dumps(translate.mesh_config(seen), indent=2),
        # One file: pilot reads a whole folder at each change, and would see a part of several.
        folder.objects: "\n---\n".join(json.dumps(one, indent=1) for one in objects(seen, plan, folder)),
        folder.notes: json.dumps(notes, indent=2),
    }
    changed = [_put(file, text) for file, text in texts.items()]
    for file in set(folder.certificates.iterdir()) - pairs.keys():
        file.unlink()
    return any(changed)


def objects(seen: Snapshot, plan: Plan, folder: Folder) -> list[dict[str, Any]]:
    """All that pilot knows."""
    return [
        *registry.entries(seen, plan),
        *capture.sidecars(seen, plan),
        *capture.gateway_ports(seen, plan),
        *certificates.filters(seen, plan, folder),
        capture.plain_text(plan),
        *translate.objects(seen, plan),
    ]


def _put(file: Path, text: str) -> bool:
    if file.exists() and file.read_text() == text:
        return False
    replace(file, text)
    return True


def main(plan: Path) -> None:
    """Does so for the plan in a file, for as long as it lives."""
    layout = paths.layout()
    endpoints, folder = Endpoints(layout, network(layout.network)), Folder(layout)
    wanted = Plan.of(json.loads(plan.read_text()))
    changed = threading.Event()
    watch(endpoints, changed)
    while True:
        try:
            if write(take(endpoints.api, wanted), wanted, folder):
                print(time.strftime("%H:%M:%S"), "changed", flush=True)
        except (OSError, ClusterError) as error:
            print(time.strftime("%H:%M:%S"), f"the cluster does not answer: {error}", flush=True)
        changed.wait(AT_LEAST)
        time.sleep(SETTLE)
        changed.clear()
