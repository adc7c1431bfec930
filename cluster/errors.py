"""What can go wrong when a cluster is asked."""

from __future__ import annotations

from mesh.core.errors import UserError


class ClusterError(UserError):
    """The cluster cannot or must not be used; the text says why and what to do."""


class Unreachable(ClusterError):
    """The cluster gave no answer."""


class Refused(ClusterError):
    """The API server does not do what was asked of it."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"the cluster refuses: {reason}")
        self.reason = reason
        """In the API server's own words."""


class NotFound(Refused):
    """There is no such object, or no API at this path."""


class NoKubectl(ClusterError):
    """There is no kubectl."""

    def __init__(self) -> None:
        super().__init__("kubectl is not on PATH: install it, or run `make toolchain`")
