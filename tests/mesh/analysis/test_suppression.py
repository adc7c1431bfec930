"""Findings that somebody wants to hear no more of."""

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
    """Of a mesh with a port that is badly named."""
    service = meshes.service("front", NAMELESS)
    service["metadata"].update(meta)
    return analyse([Object.read(manifest) for manifest in meshes.changed([service])], DEFAULT_NAMES, suppress)


def entry(code: str = "IST0118", where: str = "Service shop/front") -> Suppression:
    return Suppression(code=code, object=where, reason="the traffic tells")


def test_a_finding_is_kept_quiet_at_its_object() -> None:
    assert [found.code for found in findings()] == ["IST0118"]
    assert findings(entry()) == []


def test_a_star_stands_for_any_name() -> None:
    assert findings(entry(where="Service shop/*")) == []


@pytest.mark.parametrize(("code", "where"), [("IST0118", "Service shop/cart"), ("IST0101", "Service shop/front")])
def test_an_entry_that_keeps_nothing_quiet_is_told(code: str, where: str) -> None:
    assert [found.code for found in findings(entry(code, where))] == [codes.UNUSED_SUPPRESSION.code, "IST0118"]


@pytest.mark.parametrize("value", ["IST0118", "IST0101,IST0118", "IST0101, IST0118", "*"])
def test_the_annotation_that_istioctl_reads_does_the_same(value: str) -> None:
    assert findings(annotations={ANNOTATION: value}) == []


def test_the_annotation_keeps_only_its_codes_quiet() -> None:
    assert [found.code for found in findings(annotations={ANNOTATION: "IST0101"})] == ["IST0118"]


def test_a_code_that_there_is_not_is_refused_with_the_nearest() -> None:
    with pytest.raises(ValidationError, match='did you mean "IST0118"'):
        entry("IST118")


def test_there_is_no_suppression_without_a_reason() -> None:
    with pytest.raises(ValidationError, match="reason"):
        Suppression(code="IST0118", object="Service shop/front", reason="")
