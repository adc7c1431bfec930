"""The installation of a stack: its release with its values."""

from __future__ import annotations

from mesh import releases
from mesh.config.settings import Settings
from mesh.releases.release import Installation


def of(settings: Settings) -> Installation:
    """The installation with the release and the values of the settings."""
    return Installation(release=releases.get(settings.release), values=settings)
