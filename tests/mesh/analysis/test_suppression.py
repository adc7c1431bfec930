"""Suppression of findings by the stack's config and by annotations."""

from typing import Any

import pytest
from pydantic import ValidationError

from mesh.analysis import codes
from mesh.analysis.analyse import analyse
from mesh.analysis.findings import Finding
from mesh.analysis.objects import Object
from mesh.analysis.suppression import ANNOTATION, Suppression
from mesh.core.names import DEFAULT_NAMES
from tests import meshes

NAMELESS = [{"name": "web", "port": 80}]


def findings(*suppress: Suppression, **meta: Any) -> list[Finding]:
    """The findings about a mesh with one port whose name states no protocol."""
    service = meshes.service("front", NAMELESS)
    service["metadata"].update(meta)
    return analyse([Object.read(manifest) for manifest in meshes.changed([service])], DEFAULT_NAMES, suppress)


def entry(code: str = "IST0118", where: str = "Service shop/front") -> Suppression:
    return Suppression(code=code, object=where, reason="the traffic tells")


def test_a_finding_is_suppressed_by_its_code_and_object() -> None:
    assert [found.code for found in findings()] == ["IST0118"]
    assert findings(entry()) == []


def test_a_star_in_the_object_matches_any_name() -> None:
    assert findings(entry(where="Service shop/*")) == []


@pytest.mark.parametrize(("code", "where"), [("IST0118", "Service shop/cart"), ("IST0101", "Service shop/front")])
def test_an_entry_that_suppresses_nothing_is_a_finding(code: str, where: str) -> None:
    assert [found.code for found in findings(entry(code, where))] == [codes.UNUSED_SUPPRESSION.code, "IST0118"]


@pytest.mark.parametrize("value", ["IST0118", "IST0101,IST0118", "IST0101, IST0118", "*"])
def test_the_annotation_that_istioctl_reads_suppresses_findings(value: str) -> None:
    assert findings(annotations={ANNOTATION: value}) == []


def test_the_annotation_suppresses_only_its_codes() -> None:
    assert [found.code for found in findings(annotations={ANNOTATION: "IST0101"})] == ["IST0118"]


def test_an_unknown_code_is_refused_with_the_nearest_one() -> None:
    with pytest.raises(ValidationError, match='did you mean "IST0118"'):
        entry("IST118")


def test_a_suppression_without_a_reason_is_refused() -> None:
    with pytest.raises(ValidationError, match="reason"):
        Suppression(code="IST0118", object="Service shop/front", reason="")
