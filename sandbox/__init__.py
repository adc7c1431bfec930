"""The embedded Kubernetes clusters. Each consists of five processes on loopback, without root or containers.

etcd, API server, controller manager and scheduler are real. kwok simulates nodes, pods and load balancers. Control
planes of Istio are real or simulated, depending on their release. All files of a cluster are in a folder of `home()`.
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
