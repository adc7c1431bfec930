"""`mesh:objects`: objects in plain, in files or in the config."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from commands import analyze, render, stackfiles
from mesh.analysis.mesh import Mesh
from mesh.analysis.objects import Object
from mesh.apps.objects import Project, of_apps
from mesh.config.settings import SettingsError
from mesh.config.stack import Stack
from mesh.core.names import DEFAULT_NAMES
from mesh.requests.evaluator import Evaluator
from mesh.requests.types import Request
from tests import traffic_configs
from tests.meshes import manifest_of

pytestmark = pytest.mark.slow

EGRESS = {"egress": [{"hosts": ["./*"]}]}
SIDECAR = manifest_of("Sidecar", "default", EGRESS, namespace="default")
ROUTE = {"route": [{"destination": {"host": "reviews"}}]}
DELEGATE = manifest_of("VirtualService", "below", {"http": [ROUTE]}, namespace="default")
ABOVE = manifest_of(
    "VirtualService",
    "above",
    {"hosts": ["reviews"], "http": [{"match": [{"uri": {"prefix": "/a"}}], "delegate": {"name": "below"}}]},
    namespace="default",
)


def load(*objects: Any, **keys: Any) -> Stack:
    return traffic_configs.load(keys.pop("traffic", {}), release="1.30", objects=list(objects), **keys)


SERVER = {"port": {"number": 80, "name": "http", "protocol": "HTTP"}, "hosts": ["*"]}


def refusal(*objects: Any, **keys: Any) -> str:
    return traffic_configs.refusal(keys.pop("traffic", {}), release="1.30", objects=list(objects), **keys)


def config(*objects: Any, **keys: Any) -> dict[str, str]:
    """The config of a stack with Bookinfo and these objects."""
    given = {"injectedNamespaces": {"default": "existing"}, "bookinfo": True, "objects": list(objects), **keys}
    return {"mesh:release": "1.30", **{f"mesh:{key}": json.dumps(value) for key, value in given.items()}}


def test_objects_of_the_config_and_of_files_are_read_alike(tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text(yaml.safe_dump(ABOVE))
    entries: list[Any] = [SIDECAR, {"apiVersion": "v1", "kind": "List", "items": [DELEGATE]}, "own.yaml"]
    project = Project(root=tmp_path, release="1.30", namespaces={"default": "existing"})
    found, problems = of_apps({}, entries, project)
    assert not problems
    assert {str(item.ref): (item.key, item.source.place()) for item in found.objects} == {
        "Sidecar default/default": ("mesh:objects[0]", "mesh:objects[0]"),
        "VirtualService default/below": ("mesh:objects[1].items[0]", "mesh:objects[1].items[0]"),
        "VirtualService default/above": ("mesh:objects", "own.yaml:1"),
    }


@pytest.mark.parametrize(
    ("objects", "problem"),
    [
        ([3], "mesh:objects[0]: 3 is neither the path of a file nor an object"),
        (["none.yaml"], "mesh:objects[0]: none.yaml: there is no such file or folder"),
        (["../x.yaml"], "mesh:objects[0]: ../x.yaml: outside the project"),
        ([{"kind": "Sidecar", "apiVersion": "v1"}], "mesh:objects[0]: an object without metadata"),
        (
            [manifest_of("Sidecar", "a", EGRESS, namespace="")],
            "mesh:objects[0].metadata: Sidecar a has no namespace: write metadata.namespace",
        ),
        (
            [manifest_of("Sidecar", "a", EGRESS, namespace="defalt")],
            'mesh:objects[0].metadata.namespace: namespace "defalt" is not one of default, istio-system; did you mean'
            ' "default"?: declare it in mesh:injectedNamespaces or mesh:namespaces',
        ),
        (
            [manifest_of("Sidecar", "a", {"egress": [{"hosts": ["./*"], "por": {}}]}, namespace="default")],
            'mesh:objects[0].spec.egress[0]: Sidecar default/a: unknown field "por"',
        ),
        (
            [manifest_of("Sidecar", "a", EGRESS, namespace="default") | {"kind": "Siedcar"}],
            'mesh:objects[0].kind: kind "Siedcar" is not one of DestinationRule, ',
        ),
        ([SIDECAR, SIDECAR], "mesh:objects[1]: Sidecar default/default is also in mesh:objects[0]: leave one of them"),
        (
            [{"kind": "List", "apiVersion": "v1", "items": [SIDECAR, 5]}],
            "mesh:objects[0].items[1]: 5 is not an object",
        ),
    ],
    ids=[
        "a number",
        "no file",
        "elsewhere",
        "no name",
        "nowhere",
        "undeclared",
        "of Istio",
        "misspelt",
        "twice",
        "in a list",
    ],
)
def test_what_is_wrong_is_told_with_the_key(objects: list[Any], problem: str) -> None:
    (line,) = refusal(*objects).split("\n")
    assert line.startswith(problem), line


ROUTES = manifest_of("VirtualService", "reviews", {"hosts": ["reviews"], "http": [ROUTE]}, namespace="default")
GATEWAY = manifest_of("Gateway", "bookinfo-gateway", {"servers": [SERVER]}, namespace="default")


@pytest.mark.parametrize(
    ("own", "keys", "problem"),
    [
        (
            ROUTES,
            {"traffic": traffic_configs.service(route="v1")},
            "VirtualService default/reviews comes from mesh:objects[0] and from mesh:traffic.services.reviews",
        ),
        (GATEWAY, {}, "Gateway default/bookinfo-gateway comes from mesh:bookinfo and from mesh:objects[0]"),
    ],
    ids=["the settings", "a component"],
)
def test_an_object_that_something_else_makes_is_refused(own: Any, keys: dict[str, Any], problem: str) -> None:
    with pytest.raises(SettingsError) as refusal:
        render.record("x", config(own, **keys))
    assert str(refusal.value) == f"{problem}: leave it out of one of them"


def test_each_object_is_a_resource_of_its_own_below_one_component() -> None:
    made = {
        one.name: one for one in render.record("x", config(SIDECAR, DELEGATE)) if "mesh:objects:Objects" in one.parent
    }
    assert made.keys() == {"default/default", "default/below"}
    assert made["default/default"].inputs["spec"] == EGRESS


def test_a_finding_names_the_key_of_the_object(monkeypatch: pytest.MonkeyPatch) -> None:
    telemetry = {"selector": {"matchLabels": {"app": "nobody"}}, "tracing": [{"disableSpanReporting": True}]}
    wrong = manifest_of("Telemetry", "none", telemetry, namespace="default")
    monkeypatch.setattr(stackfiles, "config", lambda _: config(SIDECAR, wrong))
    (finding,) = (found for found in analyze.findings("x") if found.ref.name == "none")
    assert finding.origin == "mesh:objects[1]"


def test_requests_follow_a_delegate_in_plain() -> None:
    recorded = render.record("x", config(ABOVE, DELEGATE))
    mesh = Mesh([Object.read(one) for one in render.manifests(recorded)], DEFAULT_NAMES)
    (caller,) = (pod for pod in mesh.workloads.all if pod.object.name == "productpage-v1")
    outcome = Evaluator(mesh).from_workload(Request(host="reviews", path="/a", port=9080), caller)
    assert outcome.rule == "VirtualService default/above http[0] > VirtualService default/below http[0]"


def test_encrypted_values_stand_in_objects_but_not_in_their_names() -> None:
    hidden = "[secret]{mesh:objects[0].metadata.name#3fa2c1}"
    spec = {"http": [{**ROUTE, "headers": {"request": {"set": {"x-key": hidden}}}}]}
    assert load(manifest_of("VirtualService", "a", spec, namespace="default")).apps
    assert "mesh:objects[0].metadata.name: is encrypted (`secure:`), but decides" in refusal(
        {**SIDECAR, "metadata": {"name": hidden, "namespace": "default"}}
    )
