"""The error of the embedded cluster."""


class SandboxError(Exception):
    """The embedded cluster cannot do what was asked; the text says why and what to do."""
