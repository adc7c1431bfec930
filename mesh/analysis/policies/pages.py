"""Web pages of the mesh that need no login."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from mesh.analysis import pages
from mesh.analysis.findings import Finding
from mesh.analysis.objects import Object
from mesh.analysis.policies.policy import Policy
from mesh.releases.release import Release


def anonymous(item: Object, _: Release) -> Iterator[Finding]:
    """Settings of Grafana or Kiali that allow anonymous access."""
    return (ANONYMOUS_PAGES.at(item, path, text) for path, text in pages.anonymous(item))


ANONYMOUS_PAGES: Final = Policy(
    code="MESH0301",
    name="AnonymousPages",
    meaning="Grafana or Kiali is accessible without a login.",
    check_object=anonymous,
)
