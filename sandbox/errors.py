"""The one error of this package."""


class SandboxError(Exception):
    """The embedded cluster cannot do what was asked; the text says why and what to do."""
