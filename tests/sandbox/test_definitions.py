"""Definitions that an API server did not finish before it was killed are finished by the next one."""

from __future__ import annotations

from typing import Any

from sandbox import definitions
from tests.fake_api import FakeApi, listing


def definition(name: str, **conditions: str) -> dict[str, Any]:
    """A definition with these conditions."""
    return {
        "metadata": {"name": name},
        "status": {"conditions": [{"type": kind, "status": status} for kind, status in conditions.items()]},
    }


def test_only_definitions_with_accepted_names_that_are_not_served_are_changed() -> None:
    api = FakeApi(
        {
            f"GET {definitions._PATH}": listing(
                definition("served", NamesAccepted="True", Established="True"),
                definition("new"),
                definition("refused", NamesAccepted="False", Established="False"),
                definition("stuck", NamesAccepted="True", Established="False"),
            )
        }
    )
    definitions.establish(api)
    (change,) = [request for request in api.asked if request.method == "PATCH"]
    assert change.path == f"{definitions._PATH}/stuck/status"
    assert change.body == {"status": {"conditions": [{"type": "NamesAccepted", "status": "True"}]}}
