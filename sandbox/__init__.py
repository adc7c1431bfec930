"""The embedded Kubernetes clusters: each is five processes on loopback, without root or containers.

API server, controller manager and scheduler are real. Nodes, pods, load balancers and istiod's patches of its webhooks
are simulated by kwok. All files of a cluster are in a folder of `home()`.
"""

from sandbox.cluster import kubeconfig, kubeconfigs, reset, running, start, stop
from sandbox.errors import SandboxError
from sandbox.paths import home
from sandbox.report import State, Status, status

__all__ = [
    "SandboxError",
    "State",
    "Status",
    "home",
    "kubeconfig",
    "kubeconfigs",
    "reset",
    "running",
    "start",
    "status",
    "stop",
]
