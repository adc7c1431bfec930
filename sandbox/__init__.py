"""The embedded Kubernetes: five ordinary processes on loopback, without root or containers.

It has an API server, controllers and a scheduler that are real; nodes, pods, load balancers and istiod's
patches are played by kwok. Everything of it is in `home()/cluster`.
"""

from sandbox.cluster import kubeconfig, kubeconfigs, reset, running, start, stop
from sandbox.errors import SandboxError
from sandbox.files import CONTEXT
from sandbox.paths import home
from sandbox.report import State, Status, status

__all__ = [
    "CONTEXT",
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
