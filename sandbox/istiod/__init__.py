"""The real istiod of an embedded cluster: `pilot-discovery` as a local process for each control plane there.

A process, the supervisor, starts and ends them as their Deployments say, as a kubelet would. It is also the tunnel by
which the API server reaches Services, so that istiod's webhooks are called. The names of istiod's processes begin with
`istiod-`.
"""

from sandbox.istiod.report import lines, look
from sandbox.istiod.run import PATIENCE, PROGRAM, chosen, command, settled, stop_all

__all__ = ["PATIENCE", "PROGRAM", "chosen", "command", "lines", "look", "settled", "stop_all"]
