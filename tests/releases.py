"""The release of tests that are not about a particular one."""

from mesh import releases

RELEASE = releases.get(releases.DEFAULT)
