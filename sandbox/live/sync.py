"""The sync process: writes the cluster's objects to files for pilot, within a second of each change."""

import json
import threading
import time
from pathlib import Path
from typing import Any, Final

from cluster.errors import ClusterError
from sandbox import paths, watching
from sandbox.api import Endpoints
from sandbox.files import put
from sandbox.live import capture, certificates, kubelet, registry, translate
from sandbox.live.folder import Folder
from sandbox.live.plan import Plan
from sandbox.live.snapshot import CORE, ISTIO, Snapshot, take
from sandbox.network import network

SETTLE: Final = 0.1
"""Seconds to wait after a change, so that simultaneous changes are written once."""
SEPARATOR: Final = "\n---\n"
"""Separator of the objects in the file for pilot."""
MAX_INTERVAL: Final = 30.0
"""Seconds after which the cluster is read even if nothing has changed."""


def write(seen: Snapshot, plan: Plan, folder: Folder) -> bool:
    """Writes the files that have changed. Returns whether there were any."""
    notes = {
        "nodePorts": capture.open_ports(seen, plan),
        "serving": [one.key for one in plan.workloads if registry.serving(seen, one)],
        "unserved": registry.unserved(seen, plan),
        "leftOut": translate.left_out(seen, plan),
    }
    pairs = certificates.files(seen, plan, folder)
    texts = {
        **{file: content.decode(errors="replace") for file, content in pairs.items()},
        folder.mesh_config: json.dumps(translate.mesh_config(seen, plan), indent=2),
        # One file for all objects: pilot reads the whole folder at each change, and could read it between two files.
        folder.objects: SEPARATOR.join(json.dumps(one, indent=1) for one in objects(seen, plan, folder)),
        folder.notes: json.dumps(notes, indent=2),
    }
    changed = [put(file, text) for file, text in texts.items()]
    for file in set(folder.certificates.iterdir()) - pairs.keys():
        file.unlink()
    return any(changed)


def objects(seen: Snapshot, plan: Plan, folder: Folder) -> list[dict[str, Any]]:
    """The objects that pilot reads."""
    return [
        *registry.entries(seen, plan),
        *capture.sidecars(seen, plan),
        *capture.gateway_ports(seen, plan),
        *capture.called_ports(seen, plan),
        *capture.http_marks(plan),
        *certificates.filters(seen, plan, folder),
        *([] if plan.identity else [capture.plain_text(plan)]),
        *translate.objects(seen, plan),
    ]


def main(context: str, plan: Path) -> None:
    """Runs the sync process of a cluster for a plan file, until it is killed."""
    layout = paths.layout(context)
    endpoints, folder = Endpoints(layout, network(layout)), Folder(layout)
    wanted = Plan.of(json.loads(plan.read_text()))
    changed = threading.Event()
    watching.watch(endpoints, (*CORE, *ISTIO.values()), changed)
    while True:
        try:
            seen = take(endpoints.api, wanted)
            if write(seen, wanted, folder):
                print(time.strftime("%H:%M:%S"), "changed", flush=True)
            kubelet.mount(endpoints.api, seen, wanted, folder)
        except (OSError, ClusterError) as error:
            print(time.strftime("%H:%M:%S"), f"the cluster does not answer: {error}", flush=True)
        changed.wait(MAX_INTERVAL)
        time.sleep(SETTLE)
        changed.clear()
