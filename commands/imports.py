"""Imports objects of the cluster into a stack's state, with a file for `pulumi import`.

Pulumi imports a whole object, including the fields that the API server has filled in. The next update would find that
the program does not set these fields, and would replace every Service because of its `clusterIP`. So the program's
inputs are recorded in the state instead.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import sandbox
from commands.pulumi_cli import PulumiCli
from commands.stackfiles import CommandError

Resource = Mapping[str, Any]
"""A resource in the form that a state, a preview or a pending operation of Pulumi has."""


def run(pulumi: PulumiCli, resources: Sequence[Resource]) -> None:
    """Imports the given components and Kubernetes objects that the state lacks, and records the program's inputs for
    all of them. Raises CommandError if the import fails."""
    path = sandbox.home() / "project" / f"import.{pulumi.stack}.json"
    path.write_text(json.dumps(import_file(resources), indent=2))
    flags = ("--file", str(path), "--generate-code=false", "--protect=false", "--skip-preview", "--yes")
    pulumi.run("import", *flags, quiet=True)
    path.unlink()
    state = pulumi.state()
    pulumi.replace_state({**state, "resources": with_program_inputs(state["resources"], resources)})


def check(stack: str, state: Mapping[str, Any]) -> None:
    """Raises CommandError if an import was interrupted before the program's inputs were recorded: the next update would
    replace Services."""
    services = [r for r in state.get("resources") or [] if r["type"] == "kubernetes:core/v1:Service"]
    whole = [r["urn"].rpartition("::")[2] for r in services if "clusterIPs" in r["inputs"].get("spec", {})]
    if whole:
        raise CommandError(
            f"taking over an Istio was interrupted, and an update would now replace the Services {', '.join(whole)}."
            f" `make adopt STACK={stack}` finishes it"
        )


def with_program_inputs(recorded: Sequence[Resource], resources: Sequence[Resource]) -> list[Resource]:
    """The state's resources, with the inputs of the program (`resources`) in place of the recorded ones."""
    inputs = {resource["urn"]: resource["inputs"] for resource in resources if resource["custom"]}
    return [
        {**r, "inputs": inputs[r["urn"]], "outputs": {**r["outputs"], "__inputs": inputs[r["urn"]]}}
        if r["urn"] in inputs
        else r
        for r in recorded
    ]


def import_file(resources: Sequence[Resource]) -> dict[str, Any]:
    """The content of a file for `pulumi import`. Its entries are named by URN, since objects of several kinds may share
    a name."""
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
