"""Errors that occur when a cluster is accessed."""

from __future__ import annotations

from mesh.core.errors import UserError


class ClusterError(UserError):
    """The cluster cannot or must not be used; the message says why and what to do."""


class Unreachable(ClusterError):
    """The API server did not answer."""


class Refused(ClusterError):
    """The API server answered with an error."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"the cluster refuses: {reason}")
        self.reason = reason
        """The API server's own message."""


class NotFound(Refused):
    """There is no such object, or the API server does not serve the path."""


class NoKubectl(ClusterError):
    """kubectl is not installed."""

    def __init__(self) -> None:
        super().__init__("kubectl is not on PATH: install it, or run `make toolchain`")
