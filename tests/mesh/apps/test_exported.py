"""What tools leave in objects that they print."""

from __future__ import annotations

import copy
from typing import Any

from mesh.apps.exported import cleaned


def test_what_the_server_writes_is_left_out_and_all_else_is_kept() -> None:
    written: dict[str, Any] = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {
            "name": "cart",
            "uid": "1",
            "creationTimestamp": None,
            "managedFields": [],
            "annotations": {"deployment.kubernetes.io/revision": "3", "example.com/a": "b"},
        },
        "spec": {
            "template": {"spec": {"nodeSelector": None, "containers": [{"name": "a", "args": None, "command": []}]}}
        },
        "status": {"replicas": 3},
    }
    before = copy.deepcopy(written)
    assert cleaned(written) == {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "cart", "annotations": {"example.com/a": "b"}},
        "spec": {"template": {"spec": {"containers": [{"name": "a", "command": []}]}}},
    }
    assert written == before


def test_annotations_of_tools_alone_leave_none() -> None:
    notes = {"kubectl.kubernetes.io/last-applied-configuration": "{}"}
    found = cleaned({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "annotations": notes}})
    assert found["metadata"] == {"name": "a"}
