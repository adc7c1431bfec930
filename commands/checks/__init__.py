"""What `make precheck` looks at: each module asks the cluster one kind of question and changes nothing."""

from collections.abc import Callable
from typing import Final

from commands.checks import admission, nodes, objects, ownership, rights, services
from commands.checks.case import Case, Level, Result

__all__ = ["CHECKS", "Case", "Level", "Result"]

CHECKS: Final[dict[str, Callable[[Case], Result]]] = {
    "kubernetes": ownership.kubernetes,
    "owner": ownership.owner,
    "permissions": rights.check,
    "objects": objects.check,
    "pod security": admission.pod_security,
    "webhooks": admission.others,
    "nodes": nodes.check,
    "node ports": services.node_ports,
    "load balancer": services.load_balancer,
}
"""By the name that stands before what a check says, in the order in which they are shown."""
