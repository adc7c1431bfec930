"""The error of the embedded cluster."""


class SandboxError(Exception):
    """An operation on the embedded cluster failed. The message says why and what to do."""
