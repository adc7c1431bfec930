"""The error of the embedded clusters."""


class SandboxError(Exception):
    """An operation on an embedded cluster has failed. The message says why and what to do."""
