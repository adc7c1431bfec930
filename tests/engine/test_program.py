"""The analysis at the end of the program: errors end it, warnings are logged."""

from dataclasses import replace

import pulumi
import pytest

from engine import program, recorder
from engine.manifests import CreatedObjects
from mesh.analysis.objects import Object
from mesh.analysis.suppression import Analysis, Suppression
from mesh.config.loading import load
from mesh.config.stack import Stack
from tests import meshes
from tests.meshes import Manifest


class Ended(Exception):
    """Raised where the program would end with this message."""


@pytest.fixture
def warnings(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The warnings that are logged, as with a real engine."""
    said: list[str] = []

    def end(message: str) -> None:
        raise Ended(message)

    monkeypatch.setattr(recorder, "is_recording", lambda: False)
    monkeypatch.setattr(program, "_end", end)
    monkeypatch.setattr(pulumi.log, "warn", said.append)
    return said


def made(*objects: Manifest) -> CreatedObjects:
    collected = CreatedObjects()
    collected.objects += [Object.read(manifest) for manifest in meshes.changed(objects)]
    return collected


def stack(*suppress: Suppression) -> Stack:
    found = load({})
    settings = found.settings.model_copy(update={"analysis": Analysis(suppress=suppress)})
    return replace(found, settings=settings)


def test_an_error_of_analysis_ends_the_program_with_its_message(warnings: list[str]) -> None:
    with pytest.raises(Ended, match=r"IST0101 VirtualService shop/front .*carts"):
        program.check_objects(stack(), made(meshes.routes("front", meshes.to("carts"))))
    assert warnings == []


def test_a_warning_of_analysis_is_logged_and_the_program_continues(warnings: list[str]) -> None:
    program.check_objects(stack(), made(meshes.service("lonely")))
    (said,) = warnings
    assert "MESH0105 Service shop/lonely" in said


def test_an_info_of_analysis_is_not_logged(warnings: list[str]) -> None:
    program.check_objects(stack(), made(meshes.manifest_of("Namespace", "other")))
    assert warnings == []


def test_a_suppressed_error_does_not_end_the_program(warnings: list[str]) -> None:
    entry = Suppression(code="IST0101", object="VirtualService shop/front", reason="carts comes from elsewhere")
    program.check_objects(stack(entry), made(meshes.routes("front", meshes.to("carts"))))
    assert warnings == []
