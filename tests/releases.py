"""The release of tests that are not about a particular one."""

from components.addons.install import COMPONENTS
from mesh import releases

RELEASE = releases.get(releases.DEFAULT)


def addons(release: str) -> list[str]:
    """The names of the addons that a release has, in the order of their installation."""
    samples = releases.get(release).addons
    return [name for name in COMPONENTS if getattr(samples, name) is not None]
