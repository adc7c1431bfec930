"""The live data plane of an embedded cluster: Istio's pilot, stock Envoy proxies and stand-ins for Bookinfo.

Pods of an embedded cluster are simulated; these local processes serve requests as the objects on the cluster say. The
names of the processes begin with `live-`.
"""

from sandbox.live.plan import DeclaredGateway, Identity, Workload
from sandbox.live.report import lines
from sandbox.live.run import current, identified, start, stop

__all__ = ["DeclaredGateway", "Identity", "Workload", "current", "identified", "lines", "start", "stop"]
