"""The checks of `make precheck`. Each module asks the cluster about one subject, and changes nothing."""

from collections.abc import Callable
from typing import Final

from commands.checks import admission, nodes, objects, ownership, permissions, services
from commands.checks.case import Case, Level, Result

__all__ = ["CHECKS", "Case", "Level", "Result"]

CHECKS: Final[dict[str, Callable[[Case], Result]]] = {
    "kubernetes": ownership.kubernetes,
    "owner": ownership.owner,
    "permissions": permissions.check,
    "objects": objects.check,
    "pod security": admission.pod_security,
    "webhooks": admission.foreign_webhooks,
    "nodes": nodes.check,
    "node ports": services.node_ports,
    "load balancer": services.load_balancer,
}
"""The checks by printed name, in the order in which they are printed."""
