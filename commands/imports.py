"""Taking what stands on the cluster into a stack's state, by a file for `pulumi import`.

What Pulumi imports is the whole object, with all that the API server has filled in. The next update would take that for
what the program has dropped, and replace each Service for its address. So the inputs of the program are recorded in the
place of those.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import sandbox
from commands.engine import Engine
from commands.stackfiles import CommandError

Resource = Mapping[str, Any]
"""A resource as Pulumi's states, its previews and pending operations have it."""


def run(engine: Engine, resources: Sequence[Resource]) -> None:
    """Imports the Kubernetes objects among the resources, and the components, as far as the state does not have them;
    and records the inputs of all. CommandError if Pulumi cannot do it."""
    path = sandbox.home() / "project" / f"import.{engine.stack}.json"
    path.write_text(json.dumps(file(resources), indent=2))
    flags = ("--file", str(path), "--generate-code=false", "--protect=false", "--skip-preview", "--yes")
    engine.run("import", *flags, quiet=True)
    path.unlink()
    state = engine.state()
    engine.replace_state({**state, "resources": narrowed(state["resources"], resources)})


def check(stack: str, state: Mapping[str, Any]) -> None:
    """CommandError if the state holds what was imported and is not yet recorded with the program's inputs: an update
    would replace Services."""
    services = [r for r in state.get("resources") or [] if r["type"] == "kubernetes:core/v1:Service"]
    whole = [r["urn"].rpartition("::")[2] for r in services if "clusterIPs" in r["inputs"].get("spec", {})]
    if whole:
        raise CommandError(
            f"taking over an Istio was cut off, and an update would now replace the Services {', '.join(whole)}."
            f" `make adopt STACK={stack}` carries on"
        )


def narrowed(recorded: Sequence[Resource], resources: Sequence[Resource]) -> list[Resource]:
    """The recorded resources, with the inputs that the program gives to those among `resources`."""
    inputs = {resource["urn"]: resource["inputs"] for resource in resources if resource["custom"]}
    return [
        {**r, "inputs": inputs[r["urn"]], "outputs": {**r["outputs"], "__inputs": inputs[r["urn"]]}}
        if r["urn"] in inputs
        else r
        for r in recorded
    ]


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
