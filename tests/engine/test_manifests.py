"""The objects of the running program, before they are registered."""

import copy
from collections.abc import Mapping
from typing import Any

import pytest

from commands import render, stackfiles, stacks
from components.addons.addon import CHECKSUM
from engine import manifests, program
from engine.manifests import KINDS, CreatedObjects
from engine.recorder import Recorder
from mesh.analysis.analyse import analyse
from mesh.analysis.objects import Object
from mesh.config.stack import Stack
from mesh.core.kinds import GroupKind

pytestmark = pytest.mark.slow

READ = ("spec", "webhooks")
"""The fields that analysis reads, besides metadata."""


def recorded(monkeypatch: pytest.MonkeyPatch, name: str) -> tuple[list[Object], list[Mapping[str, Any]]]:
    """A stack's objects as the program collects them, and as Pulumi serializes them afterwards."""
    seen: list[Object] = []

    def review(stack: Stack, made: CreatedObjects) -> None:
        seen.extend(stack.with_origins(made.objects))

    monkeypatch.setattr(program, "check_objects", review)
    manifests: list[Mapping[str, Any]] = [m for m in render.manifests(render.record(name)) if GroupKind.of(m) in KINDS]
    return seen, manifests


def read(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that analysis reads, without checksums of other objects, which are only known later."""
    found = {key: copy.deepcopy(manifest.get(key)) for key in READ}
    annotations = ((found["spec"] or {}).get("template") or {}).get("metadata", {}).get("annotations", {})
    annotations.pop(CHECKSUM, None)
    return found


@pytest.mark.parametrize("name", stackfiles.names())
def test_the_collected_manifests_equal_what_pulumi_registers(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    seen, manifests = recorded(monkeypatch, name)
    expected = {Object.read(manifest).ref: manifest for manifest in manifests}
    assert {thing.ref for thing in seen} == set(expected)
    for thing in seen:
        wanted = expected[thing.ref]
        assert thing.labels == wanted["metadata"].get("labels", {})
        assert read(thing.body) == read(wanted), thing.ref


@pytest.mark.parametrize("name", stackfiles.names())
def test_the_program_finds_what_make_analyze_finds(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    registered = [Object.read(manifest) for manifest in render.manifests(render.record(name))]
    collected, _ = recorded(monkeypatch, name)
    chosen = stacks.load(name).settings
    for suppressed in (chosen.analysis.suppress, ()):
        ours, theirs = (analyse(objects, chosen.mesh_names, suppressed) for objects in (collected, registered))
        assert sorted(f"{one.code} {one.ref}" for one in ours) == sorted(f"{one.code} {one.ref}" for one in theirs)


def test_each_object_has_the_config_key_that_it_comes_from(monkeypatch: pytest.MonkeyPatch) -> None:
    seen, _ = recorded(monkeypatch, "dev")
    origins = {str(thing.ref): thing.origin for thing in seen}
    assert origins["VirtualService default/bookinfo"] == "mesh:bookinfo"
    assert origins["Deployment istio-system/istio-ingressgateway"] == "mesh:gateways.istio-ingressgateway"
    assert origins["Namespace default"] == "mesh:injectedNamespaces.default"


def test_a_component_of_another_project_has_no_config_key() -> None:
    assert manifests.config_key("other:x:Y", "name") == ""


def test_no_resource_is_registered_before_all_objects_are_collected(monkeypatch: pytest.MonkeyPatch) -> None:
    registered: list[str] = []
    at_the_end: list[int] = []
    original = Recorder.RegisterResource

    def register(self: Recorder, request: Any) -> Any:
        if request.type != "pulumi:pulumi:Stack":
            registered.append(request.name)
        return original(self, request)

    monkeypatch.setattr(Recorder, "RegisterResource", register)

    def check_objects(_: Stack, made: CreatedObjects) -> None:
        at_the_end.extend((len(registered), len(made.objects)))

    monkeypatch.setattr(program, "check_objects", check_objects)
    render.record("dev")
    before, seen = at_the_end
    assert (before, seen > 20, len(registered) > seen) == (0, True, True)
