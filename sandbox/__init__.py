"""The embedded Kubernetes clusters: each is five processes on loopback, without root or containers.

API server, controller manager and scheduler are real. Nodes, pods and load balancers are simulated by kwok. Control
planes of Istio are real or simulated, by their release. All files of a cluster are in a folder of `home()`.
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
