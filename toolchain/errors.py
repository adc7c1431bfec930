"""The error of this package."""


class ToolchainError(Exception):
    """A program can neither be found nor built. The message, which is for users, says why and what to do."""
