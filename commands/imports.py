"""Taking what stands on the cluster into a stack's state, by a file for `pulumi import`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import sandbox
from commands.engine import Engine

Resource = Mapping[str, Any]
"""A resource as Pulumi's states, its previews and pending operations have it."""


def run(engine: Engine, resources: Sequence[Resource], protect: bool = False) -> None:
    """Imports the Kubernetes objects among the resources, and the components that the state does not have yet.

    `protect`: until the protection is taken away, no update can replace or delete them. CommandError if Pulumi cannot
    do it."""
    path = sandbox.home() / "project" / f"import.{engine.stack}.json"
    path.write_text(json.dumps(file(resources), indent=2))
    flags = ("--file", str(path), "--generate-code=false", f"--protect={str(protect).lower()}")
    engine.run("import", *flags, "--skip-preview", "--yes", quiet=True)
    path.unlink()


def file(resources: Sequence[Resource]) -> dict[str, Any]:
    """The content of an import file. Each entry is named by its URN: several kinds share names."""
    entries = [_entry(resource) for resource in resources]
    inside = {entry["name"] for entry in entries}
    named = [entry[field] for entry in entries for field in ("parent", "provider") if field in entry]
    return {"nameTable": {urn: urn for urn in named if urn not in inside}, "resources": entries}


def _entry(resource: Resource) -> dict[str, Any]:
    urn = resource["urn"]
    entry = {
        "type": resource["type"],
        "name": urn,
        "logicalName": urn.rpartition("::")[2],
        "parent": resource["parent"],
    }
    if not resource["custom"]:
        return {**entry, "component": True}
    meta = resource["inputs"]["metadata"]
    name = "/".join(filter(None, (meta.get("namespace"), meta["name"])))
    return {**entry, "id": name, "provider": resource["provider"].rpartition("::")[0]}
