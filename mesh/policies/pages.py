"""Whether one has to say who one is to see a mesh's pages."""

from __future__ import annotations

from collections.abc import Iterator

from mesh.analysis import pages, policies
from mesh.analysis.findings import Finding
from mesh.analysis.objects import Object


def anonymous(thing: Object) -> Iterator[Finding]:
    return (policies.ANONYMOUS_PAGES.at(thing, path, what) for path, what in pages.anonymous(thing))
