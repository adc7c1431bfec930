"""The control planes of an embedded cluster: a local process for each istiod there.

The process is Istio's own `pilot-discovery` for the releases of which that is the control plane, and a simulation for
the others (`simulated/`). A further process, the supervisor, starts and ends them as their Deployments say, as a
kubelet would. It also serves the tunnel through which the API server reaches Services, so that istiod's webhooks are
called. The names of the control planes' processes begin with `istiod-`.
"""

from sandbox.istiod.report import lines, look
from sandbox.istiod.run import PATIENCE, PROGRAM, REAL, SIMULATED, chosen, command, kinds, settled, stop_all

__all__ = [
    "PATIENCE",
    "PROGRAM",
    "REAL",
    "SIMULATED",
    "chosen",
    "command",
    "kinds",
    "lines",
    "look",
    "settled",
    "stop_all",
]
