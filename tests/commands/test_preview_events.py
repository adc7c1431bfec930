"""Reading the engine's event log of a preview."""

from __future__ import annotations

from typing import Any

from commands import preview_events

PARENT = "urn:pulumi:dev::mesh::mesh:istio:Base::base"
BLINDED = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "ciphertext": "W3NlY3JldF0="}
NOBODY_KNOWS = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"


def urn(name: str, kind: str = "Service") -> str:
    return f"urn:pulumi:dev::mesh::mesh:istio:Base$kubernetes:core/v1:{kind}::{name}"


def state(name: str, kind: str = "Service", **inputs: Any) -> dict[str, Any]:
    return {"urn": urn(name, kind), "type": f"kubernetes:core/v1:{kind}", "parent": PARENT, "inputs": inputs}


def event(op: str, old: Any, new: Any, outcome: bool = False, **more: Any) -> dict[str, Any]:
    one = new or old
    step = {"op": op, "urn": one["urn"], "type": one["type"], "old": old, "new": new, "detailedDiff": None, **more}
    return {"resOutputsEvent" if outcome else "resourcePreEvent": {"metadata": step}}


def inputs(resources: list[preview_events.Resource]) -> dict[str, Any]:
    return {one.name: dict(one.inputs) for one in resources}


def test_old_and_new_state_of_each_step_are_read() -> None:
    found = preview_events.read(
        [
            event("same", state("a", x=1), state("a", x=1)),
            event("update", state("b", x=1), state("b", x=2)),
            event("create", None, state("c", x=1)),
            event("delete", state("d", x=1), None),
        ]
    )
    assert inputs(found.old) == {"a": {"x": 1}, "b": {"x": 1}, "d": {"x": 1}}
    assert inputs(found.new) == {"a": {"x": 1}, "b": {"x": 2}, "c": {"x": 1}}
    assert inputs(found.recorded) == inputs(found.old)


def test_a_replacement_is_read_as_one_object() -> None:
    old, new = state("a", x=1), state("a", x=2)
    steps = [event(op, old, new) for op in ("create-replacement", "replace")]
    found = preview_events.read([*steps, event("delete-replaced", old, None)])
    assert (inputs(found.old), inputs(found.new)) == ({"a": {"x": 1}}, {"a": {"x": 2}})
    assert found.replaced == {urn("a")}


def test_the_result_of_a_refresh_is_the_old_state() -> None:
    found = preview_events.read(
        [
            event("refresh", state("a", x=1), state("a", x=1)),
            event("refresh", state("b", x=1), state("b", x=1)),
            event("refresh", state("a", x=1), state("a", x=7), outcome=True),
            event("refresh", state("b", x=1), None, outcome=True),
            event("update", state("a", x=7), state("a", x=1)),
            event("create", None, state("b", x=1)),
        ]
    )
    assert inputs(found.recorded) == {"a": {"x": 1}, "b": {"x": 1}}
    assert inputs(found.old) == {"a": {"x": 7}}
    assert inputs(found.new) == {"a": {"x": 1}, "b": {"x": 1}}


def test_changes_of_secrets_are_read_as_paths_and_unknown_values_are_marked() -> None:
    old = state("key", "Secret", stringData=BLINDED, uid=NOBODY_KNOWS)
    diff: dict[str, Any] = {"stringData.password": {"diffKind": "update"}, "metadata.labels": {"diffKind": "add"}}
    found = preview_events.read([event("update", old, old, detailedDiff=diff)])
    assert found.secrets == {urn("key", "Secret"): ["stringData.password"]}
    assert inputs(found.new) == {"key": {"stringData": "[secret]", "uid": preview_events.UNKNOWN}}


def test_a_secret_of_another_group_is_an_object_like_others() -> None:
    other = state("key", "Secret") | {"type": "kubernetes:example.org/v1:Secret"}
    found = preview_events.read([event("update", other, other, detailedDiff={"data.x": {"diffKind": "update"}})])
    assert found.secrets == {}


def test_errors_are_the_diagnostics_of_that_severity() -> None:
    said = [{"diagnosticEvent": {"severity": kind, "message": f"{kind}\n"}} for kind in ("warning", "error")]
    assert preview_events.read(said).errors == ["error"]


def test_what_the_engine_hides_with_a_secret_is_read_from_what_the_program_recorded() -> None:
    deployment = "urn:pulumi:x::mesh::kubernetes:apps/v1:Deployment::istiod"
    texts = "urn:pulumi:x::mesh::mesh:secrets:Readable::readable"

    def state(urn: str, **more: Any) -> dict[str, Any]:
        return {"urn": urn, "type": urn.split("::")[2], "parent": "", **more}

    def part(image: str) -> dict[str, Any]:
        where = {"resource": "kubernetes:apps/v1:Deployment::istiod", "path": ["spec", "containers"]}
        return {"parts": [{**where, "value": [{"image": image}]}]}

    blinded = {"spec": {"containers": BLINDED, "replicas": 1}}
    step = {"op": "update", "urn": deployment, "type": "kubernetes:apps/v1:Deployment"}
    sides = {"old": state(deployment, inputs=blinded), "new": state(deployment, inputs=blinded)}
    diff: dict[str, Any] = {"spec.containers[0].env[1].value": {}, "spec.replicas": {}}
    recorded = {"op": "update", "urn": texts, "type": "mesh:secrets:Readable"}
    before, after = (state(texts, inputs={}, outputs=part(image)) for image in ("old", "new"))
    found = preview_events.read(
        [
            {"resourcePreEvent": {"metadata": {**step, **sides, "detailedDiff": diff}}},
            {"resourcePreEvent": {"metadata": {**recorded, "old": before, "new": before, "detailedDiff": None}}},
            {"resOutputsEvent": {"metadata": {**recorded, "old": before, "new": after, "detailedDiff": None}}},
        ]
    )
    (old,), (new,) = ([one for one in side if one.name == "istiod"] for side in (found.old, found.new))
    assert old.inputs["spec"] == {"containers": [{"image": "old"}], "replicas": 1}
    assert new.inputs["spec"] == {"containers": [{"image": "new"}], "replicas": 1}
    assert found.secrets == {deployment: ["spec.containers[0].env[1].value"]}
