"""The live data plane: Istio's pilot, stock Envoys and stand-ins for Bookinfo, for what stands on the embedded cluster.

Its processes are those of the cluster's folder whose names begin with `live-`.
"""

from sandbox.live.plan import DeclaredGateway
from sandbox.live.report import lines
from sandbox.live.run import current, start, stop

__all__ = ["DeclaredGateway", "current", "lines", "start", "stop"]
