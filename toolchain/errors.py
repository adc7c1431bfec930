"""The one error of this package."""


class ToolchainError(Exception):
    """The programs cannot be had; the text says why and what to do, in words for the user."""
