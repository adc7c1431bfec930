"""The end of the program: what analysis finds stops it, or is said."""

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
    """The program would have ended with this message."""


@pytest.fixture
def warnings(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is said as a warning, with a real engine at the other end."""
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


def test_an_error_ends_the_program_with_what_is_wrong(warnings: list[str]) -> None:
    with pytest.raises(Ended, match=r"IST0101 VirtualService shop/front .*carts"):
        program.check_objects(stack(), made(meshes.routes("front", meshes.to("carts"))))
    assert warnings == []


def test_a_warning_is_said_and_the_program_goes_on(warnings: list[str]) -> None:
    program.check_objects(stack(), made(meshes.service("lonely")))
    (said,) = warnings
    assert "MESH0105 Service shop/lonely" in said


def test_an_info_is_not_said(warnings: list[str]) -> None:
    program.check_objects(stack(), made(meshes.thing("Namespace", "other")))
    assert warnings == []


def test_what_is_suppressed_does_not_end_the_program(warnings: list[str]) -> None:
    entry = Suppression(code="IST0101", object="VirtualService shop/front", reason="carts comes from elsewhere")
    program.check_objects(stack(entry), made(meshes.routes("front", meshes.to("carts"))))
    assert warnings == []
