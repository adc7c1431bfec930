"""The error of this package."""


class ToolchainError(Exception):
    """A program can neither be found nor built. The message is for users: it says why and what to do."""
