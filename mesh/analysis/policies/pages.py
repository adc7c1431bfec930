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
    return (ANONYMOUS_PAGES.at(thing, path, what) for path, what in anonymous_access.find(thing))


ANONYMOUS_PAGES: Final = Policy(
    code="MESH0301",
    name="AnonymousPages",
    meaning="Grafana or Kiali is accessible without a login.",
    check_object=anonymous,
)
