"""Every remedy that a message advises is one that can be followed, and helps."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest

import mesh
from commands import analyze, render
from mesh.analysis import policies
from mesh.analysis.analyse import analyse
from mesh.analysis.mesh import Mesh
from mesh.analysis.objects import Object
from mesh.analysis.suppression import Suppression
from mesh.config import loading, stack_file
from mesh.config.settings import SettingsError
from mesh.config.stack_file import StackFileError
from mesh.core.names import DEFAULT_NAMES, MeshNames
from tests import meshes
from tests.commands.remedies import BY_HAND, OF_STACKS, Files, Remedy, Subject
from tests.releases import RELEASE

pytestmark = pytest.mark.slow

ROOMS = ("analysis", "api", "config", "core", "releases", "security", "traffic", "values")
"""The packages of mesh whose messages are read."""
REMEDY = re.compile(
    r"(?:^|[;:,] (?:or )?)((?:add|allow|ask|begin|change|choose|declare|drop|enable|give|have people|inject|join|label"
    r"|leave|list|make|match|move|name|put|remove|rename|replace|run|send|serve|set|switch|take|use|write)\b.*)",
)
"""A remedy: a clause that begins with what to do."""
NONE = {
    "CONTEXT={} contradicts mesh:context {} of the stack's file: leave one of them out",  # of the command line
    "is not a name: use lower-case letters, digits, '-' and '.', at most 253 characters",  # of objects made in Python
    "name of a Secret",  # a short form
    "list of names",  # a short form
    ', or set mesh:release to "{}"',  # said where there is another release
    "{} is written in a way that cannot be edited here; write by hand:\n",  # the file's own lines follow
}
OF_UPGRADES = "differences"
"""The folder with what a release changes. Its remedies are for objects on their way to that release, of which
tests/mesh/upgrade has samples that each change concerns, and samples that it does not."""


WITHOUT_MESSAGES = "kubernetes_fields"
"""The table of Kubernetes' types, whose texts are names of fields, such as `name` and `add`."""


def registered(config: Mapping[str, Any]) -> dict[str, str]:
    """The config as Pulumi passes it on, with placeholders for encrypted values."""
    return stack_file.config({"config": {f"mesh:{key}": value for key, value in config.items()}})


@cache
def found_in_stack(config: str) -> tuple[str, ...]:
    """What is found in a stack with a config, which is JSON."""
    text = registered(json.loads(config))
    stack = loading.load(text)
    objects = stack.with_origins(analyze.objects(render.record("remedies", text, stack)))
    suppressions = stack.settings.analysis.suppress
    return findings(objects, stack.settings.mesh_names, suppressions)


def findings(objects: Sequence[Object], names: MeshNames, suppressions: Sequence[Suppression] = ()) -> tuple[str, ...]:
    found = analyse(objects, names, suppressions)
    for policy in policies.POLICIES.values():
        found += policy.findings(Mesh(objects, names), RELEASE)
    return tuple(str(finding) for finding in found)


def refusals(subject: Subject) -> Sequence[str]:
    """Why a stack with this config, or with these files, is refused; nothing if it is not."""
    try:
        if isinstance(subject, Files):
            stack_file.with_encrypted(subject.file, subject.copy)
        elif isinstance(subject, Mapping):
            loading.load(registered(subject))
    except (SettingsError, StackFileError) as error:
        return str(error).splitlines()
    return []


def warnings(subject: Subject, release: str, key: str) -> Sequence[str]:
    """What is found in a stack with this config, or in the valid mesh of a release with these objects: those of a stack
    if `key` is the key of the config that they come from."""
    if isinstance(subject, Mapping):
        return found_in_stack(json.dumps(subject, sort_keys=True))
    objects = [] if isinstance(subject, Files) else meshes.changed(subject)
    return findings([Object.read(manifest, key) for manifest in objects], replace(DEFAULT_NAMES, release=release))


@pytest.mark.parametrize("remedy", [*OF_STACKS, *BY_HAND], ids=lambda remedy: remedy.says)
def test_a_remedy_can_be_followed_and_helps(remedy: Remedy) -> None:
    refused, key = refusals(remedy.before), "mesh:objects" if "mesh:" in remedy.says else ""
    assert [line for line in refused or warnings(remedy.before, remedy.release, key) if remedy.says in line] != []
    assert refusals(remedy.after) == []
    assert refused or [line for line in warnings(remedy.after, remedy.release, key) if remedy.says in line] == []


def advised() -> set[str]:
    """The remedies in the texts of messages, with `{}` for what is filled in."""
    found = set()
    for room in ROOMS:
        for file in sorted((Path(mesh.__file__).parent / room).rglob("*.py")):
            silent = file.parent.name == OF_UPGRADES or file.stem == WITHOUT_MESSAGES
            for text in () if silent else texts(ast.parse(file.read_text())):
                if (clause := REMEDY.search(text)) and text not in NONE and " " in clause[1]:
                    found.add(clause[1])
    return found


def texts(module: ast.Module) -> Iterator[str]:
    """The texts in a module, without descriptions."""
    described = {id(node.value) for node in ast.walk(module) if isinstance(node, ast.Expr)}
    for node in ast.walk(module):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("Field", "optional"):
            described |= {id(part) for part in ast.walk(node)}
    inside = {id(part) for node in ast.walk(module) if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in ast.walk(module):
        if isinstance(node, ast.JoinedStr):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in described | inside:
            yield node.value


def test_every_remedy_is_tried() -> None:
    tried = [remedy.says for remedy in (*OF_STACKS, *BY_HAND)]
    untried = [text for text in sorted(advised()) if not any(re.search(as_pattern(text), says) for says in tried)]
    assert untried == [], "write a case for each in tests/commands/remedies.py"


def as_pattern(text: str) -> str:
    return ".*".join(map(re.escape, text.split("{}")))
