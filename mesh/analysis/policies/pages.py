"""Whether one has to say who one is to see a mesh's pages."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from mesh.analysis import pages
from mesh.analysis.findings import Finding
from mesh.analysis.objects import Object
from mesh.analysis.policies.policy import Policy
from mesh.releases.release import Release


def anonymous(thing: Object, _: Release) -> Iterator[Finding]:
    return (ANONYMOUS_PAGES.at(thing, path, what) for path, what in pages.anonymous(thing))


ANONYMOUS_PAGES: Final = Policy(
    code="MESH0301",
    name="AnonymousPages",
    meaning="Grafana or Kiali lets everybody in who reaches it, without a login.",
    check_object=anonymous,
)
