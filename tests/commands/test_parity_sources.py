"""`make parity`: objects of files and of a cluster."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from cluster.client import Answer
from cluster.errors import ClusterError
from commands.parity import sources
from mesh.analysis.objects import Ref
from mesh.manifests import ManifestError
from tests import fake_api
from tests.commands.test_parity import DEPLOYMENT, DOCUMENT, ROLE, SERVICE, changed
from tests.fake_api import FakeApi, listing, status


def test_objects_are_read_from_folders_lists_and_several_documents(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "a.yaml").write_text(yaml.safe_dump_all([SERVICE, None, ROLE]))
    (tmp_path / "sub" / "b.json").write_text(json.dumps({"kind": "List", "apiVersion": "v1", "items": [DEPLOYMENT]}))
    (tmp_path / "notes.txt").write_text("no: object")
    assert [Ref.of(m) for m in sources.of_files(str(tmp_path))] == [
        Ref.of(SERVICE),
        Ref.of(ROLE),
        Ref.of(DEPLOYMENT),
    ]


def test_an_object_without_a_namespace_is_in_default(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text(yaml.safe_dump_all([changed(SERVICE, lambda m: m["metadata"].pop("namespace")), ROLE]))
    assert [Ref.of(m).namespace for m in sources.of_files(str(file))] == ["default", ""]


@pytest.mark.parametrize(
    ("text", "words"), [("a: [", "a.yaml:1: not YAML"), ("a: b", "a.yaml:1: an object without kind")]
)
def test_a_file_without_kubernetes_objects_is_refused(tmp_path: Path, text: str, words: str) -> None:
    file = tmp_path / "a.yaml"
    file.write_text(text)
    with pytest.raises(ManifestError, match=words):
        sources.of_files(str(file))


def on_cluster(**answers: Any) -> Iterator[str]:
    services = "/api/v1/namespaces/shop/services"
    api = FakeApi({f"GET {services}/front": answers.get("front", Answer(200, SERVICE))})
    yield from (str(m["metadata"]["name"]) for m in sources.of_cluster(api, fake_api.only(SERVICE, DEPLOYMENT)))


def test_a_clusters_objects_are_read_one_by_one() -> None:
    assert list(on_cluster()) == ["front"]
    assert list(on_cluster(front=Answer(404))) == []


def test_a_cluster_that_denies_reading_is_not_taken_for_empty() -> None:
    with pytest.raises(ClusterError, match="cannot get"):
        list(on_cluster(front=status(403, 'User "dev" cannot get resource "services"')))


def test_further_objects_in_the_stacks_namespaces_are_found_except_those_of_controllers() -> None:
    root = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "istio-system"}}
    config = changed(DOCUMENT, lambda m: m["metadata"].update(name="istio"))
    owner = {"ownerReferences": [{"kind": "X"}]}
    listed: list[dict[str, Any]] = [
        {"metadata": {"name": "istio", "namespace": "istio-system"}, "data": {}},
        {"metadata": {"name": "theirs", "namespace": "istio-system"}, "data": {}},
        {"metadata": {"name": "kube-root-ca.crt", "namespace": "istio-system"}},
        *(
            {"metadata": {"name": name, "namespace": "istio-system"}}
            for name in ("istio-ca-root-cert", "istio-leader", "istio-ip-autoallocate", "istio-node-untaint")
        ),
        {"metadata": {"name": "made", "namespace": "istio-system", **owner}},
    ]
    place = "/api/v1/namespaces/istio-system/configmaps"
    api = FakeApi({f"GET {place}": listing(*listed), f"GET {place}/istio": Answer(200, config)})
    names = [m["metadata"]["name"] for m in sources.of_cluster(api, fake_api.only(root, config))]
    assert names == ["istio", "theirs"]
