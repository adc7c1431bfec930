"""Web pages of the mesh that need no login."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from mesh.analysis import anonymous_access
from mesh.analysis.findings import Finding
from mesh.analysis.objects import Object
from mesh.analysis.policies.policy import Policy
from mesh.releases.release import Release


def anonymous(thing: Object, _: Release) -> Iterator[Finding]:
    """Settings that let anybody in without a login."""
    remedy = "set mesh:addons.insecureDemo to false" if thing.origin else "have people log in"
    for path, what in anonymous_access.find(thing):
        yield ANONYMOUS_PAGES.at(thing, path, f"{what}: {remedy}")


ANONYMOUS_PAGES: Final = Policy(
    code="MESH0301",
    name="AnonymousPages",
    meaning="Grafana or Kiali is accessible without a login.",
    check_object=anonymous,
)
