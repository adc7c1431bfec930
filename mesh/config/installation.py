"""The installation that a stack's settings describe."""

from __future__ import annotations

from mesh import releases
from mesh.config.settings import Settings
from mesh.releases.release import Installation


def of(settings: Settings) -> Installation:
    """The installation of the settings' release with their values."""
    return Installation(release=releases.get(settings.release), values=settings)
