"""The release that tests install where they are about no other."""

from mesh import releases

RELEASE = releases.get(releases.DEFAULT)
