"""The live data plane of an embedded cluster: Istio's pilot, stock Envoy proxies and stand-ins for the services.

Pods of an embedded cluster are simulated; these local processes serve requests as the objects on the cluster say. The
names of the processes begin with `live-`.
"""

from sandbox.live.plan import DeclaredGateway, Identity, Workload, bound
from sandbox.live.report import lines
from sandbox.live.run import Applied, applied, current, identified, serving, start, stop

__all__ = [
    "Applied",
    "DeclaredGateway",
    "Identity",
    "Workload",
    "applied",
    "bound",
    "current",
    "identified",
    "lines",
    "serving",
    "start",
    "stop",
]
