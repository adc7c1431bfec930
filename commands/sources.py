"""The objects of a stack before and after a change, which `make report` compares.

If the stack has a state, both sides come from a preview: with a refresh if the cluster answers, else against the
recorded state. Without a state, both sides are rendered: the base branch with its own code, and the work tree."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import toolchain
from cluster import survey
from cluster.errors import ClusterError, Unreachable
from cluster.state import type_and_name
from cluster.target import Target, offline
from commands import preview_events, pulumi_cli, render, stackfiles
from commands.pulumi_cli import PulumiCli
from commands.stackfiles import ROOT, CommandError
from engine import manifests
from engine.recorder import Resource
from mesh.analysis.objects import Object
from mesh.config.settings import Settings
from mesh.config.stack import Stack
from mesh.review.changes import Change, EngineFacts, StackObject, between
from mesh.review.review import Source

BASES: Final = ("origin/main", "main")
"""Branches to compare with if BASE is not set; the first that exists."""

_RENDER: Final = """
import json, sys
from dataclasses import asdict
from commands import render
made = render.record(sys.argv[1], json.load(sys.stdin))
print(json.dumps([{"type": r.type, "name": r.name, "parent": r.parent, "inputs": dict(r.inputs)} for r in made]))
"""
"""Python code that renders a stack; it runs in a checkout of the base branch."""


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """The objects before (`old`) and after (`new`) a change."""

    source: Source
    old: Sequence[StackObject]
    new: Sequence[StackObject]
    facts: EngineFacts | None = None
    drift: Sequence[Change] = ()


def choose(name: str, base: str, stack: Stack) -> Comparison:
    """Compares a stack with `base` if it is given, else with its state, else with the first of BASES. Raises
    CommandError."""
    if not base and _has_state(name):
        return _with_state(name, stack.settings)
    return _with_branch(name, stack, base or _base(), named=bool(base))


def of_configs(name: str, before: Stack, after: Stack, config: Mapping[str, str]) -> Comparison:
    """Compares a stack before and after a change of its config; `config` is the one of `after`."""
    old, new = render.record(name, stack=before), render.record(name, config, after)
    source = Source(kind="base branch", text="Compared with the stack's file as it is, both rendered.")
    return Comparison(source=source, old=list(registered(old)), new=list(registered(new)))


def _has_state(stack: str) -> bool:
    if not (shutil.which("pulumi") or toolchain.built()):
        return False
    os.environ.update(pulumi_cli.environment(build=False))
    recorded = pulumi_cli.recorded_state(stack)
    return recorded is not None and any(key.startswith("kubernetes:") for key in recorded.resources)


def _with_state(stack: str, settings: Settings) -> Comparison:
    """Compares with the cluster, or with the recorded state if the cluster does not answer or rejects the change."""
    pulumi, drift = PulumiCli(stack), list[Change]()
    why = _unreachable(settings)
    if not why:
        code, events = pulumi.events("--refresh")
        found = preview_events.read(events)
        drift = list(between(_items(found.recorded), _items(found.old), shown=settings.disclosure))
        if not code:
            return _previewed(found, Source(kind="cluster", text="Compared with the cluster as it is now."), drift)
        why = f"a preview against the cluster fails: {_error_texts(found)[0]}"
    with render.offline():
        code, events = pulumi.events()
    found = preview_events.read(events)
    if code:
        raise CommandError("\n".join(_error_texts(found)))
    text = f"Compared with the recorded state; {why}."
    return _previewed(found, Source(kind="recorded state", text=text), drift)


def _error_texts(found: preview_events.Preview) -> Sequence[str]:
    """The errors of a preview that has failed."""
    return [text.rstrip(".") for text in found.errors] or ["pulumi gives no reason"]


def _previewed(found: preview_events.Preview, source: Source, drift: Sequence[Change]) -> Comparison:
    old, new = list(_items(found.old)), list(_items(found.new))
    return Comparison(source=source, old=old, new=new, facts=_engine_facts(found), drift=drift)


def _unreachable(settings: Settings) -> str:
    """The reason why the stack's cluster cannot be asked; empty if it answers."""
    try:
        survey.take(Target.named(settings.context))
    except Unreachable:
        return "the cluster was not asked" if offline() else "the cluster does not answer"
    except ClusterError as error:
        return str(error).splitlines()[0].rstrip(".")
    return ""


def _engine_facts(found: preview_events.Preview) -> EngineFacts:
    told = {*found.replaced, *found.secrets}
    some = (one for one in (*found.old, *found.new) if one.urn in told and one.type.startswith("kubernetes:"))
    keys = {one.urn: _item(one).key for one in some}
    return EngineFacts(
        replaced=frozenset(keys[urn] for urn in found.replaced if urn in keys),
        secrets={keys[urn]: paths for urn, paths in found.secrets.items() if urn in keys},
    )


def _base() -> str:
    for name in BASES:
        if _git("rev-parse", "--verify", "--quiet", f"{name}^{{commit}}").returncode == 0:
            return name
    raise CommandError(
        f"the stack has no state, and there is neither branch {' nor '.join(BASES)} to compare with:"
        " name one with BASE=…, or fetch it (git fetch origin main)"
    )


def _with_branch(name: str, stack: Stack, base: str, named: bool) -> Comparison:
    """Compares with the merge base of the work tree's branch and `base`, so that later commits of the base do not count
    as part of the change."""
    tip = _git("rev-parse", "--verify", "--quiet", f"{base}^{{commit}}")
    if tip.returncode:
        raise CommandError(f"BASE: git does not know {base}; fetch it, or name another branch or commit")
    fork = _git("merge-base", "HEAD", base)
    commit = (fork.stdout if fork.returncode == 0 else tip.stdout).strip()
    why = "" if named else "; the stack has no state"
    text = f"Compared with {base} at {commit[:7]}, both rendered{why}, so no cluster was asked."
    old: list[StackObject] = []
    if _git("cat-file", "-e", f"{commit}:stacks/Pulumi.{name}.yaml").returncode == 0:
        old = list(_items(_rendered(name, base, commit)))
    else:
        text = f"{base} at {commit[:7]} has no stack {name}: everything is new."
    source = Source(kind="base branch", text=text, commit=commit)
    return Comparison(source=source, old=old, new=list(registered(render.record(name, stack=stack))))


def _rendered(stack: str, base: str, commit: str) -> Iterator[preview_events.Resource]:
    """The resources of a stack at a commit, rendered by the code of that commit."""
    with tempfile.TemporaryDirectory() as folder:
        packed = subprocess.run(
            ["git", "archive", "--format=tar", commit], cwd=ROOT, capture_output=True, timeout=120, check=True
        )
        with tarfile.open(fileobj=io.BytesIO(packed.stdout)) as archive:
            archive.extractall(folder, filter="data")
        env = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
        done = subprocess.run(
            [sys.executable, "-c", _RENDER, stack],
            input=json.dumps(stackfiles.config_at(Path(folder), stack)),
            cwd=folder,
            env=env,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
    if done.returncode:
        raise CommandError(f"stack {stack} of {base} cannot be rendered:\n{done.stderr.strip()[-2000:]}")
    for entry in json.loads(done.stdout.splitlines()[-1]):
        yield preview_events.Resource(urn="", **entry)


def registered(resources: Iterable[Resource]) -> Iterator[StackObject]:
    """The objects that a program has registered."""
    fields = ("urn", "type", "name", "parent", "inputs")
    return _items(preview_events.Resource(**{name: getattr(one, name) for name in fields}) for one in resources)


def _items(resources: Iterable[preview_events.Resource]) -> Iterator[StackObject]:
    return (_item(resource) for resource in resources if resource.type.startswith("kubernetes:"))


def _item(resource: preview_events.Resource) -> StackObject:
    """The object of a resource. Annotations for Pulumi are not in its body, but in `annotations`, where rules
    look for them."""
    token, name = type_and_name(resource.parent)
    meta: Mapping[str, Any] = resource.inputs.get("metadata") or {}
    named = {**resource.inputs, "metadata": {"name": resource.name, **meta}}
    thing = Object.read(render.manifest(named), manifests.config_key(token, name))
    return StackObject(
        object=replace(thing, annotations=meta.get("annotations") or {}),
        component=_component(token, name),
        patch=resource.type.endswith("Patch"),
        retained=resource.retained,
    )


def _component(token: str, name: str) -> str:
    kind = token.rpartition(":")[2]
    return kind if kind.lower() == name.lower() else f"{kind} {name}"


def _git(*args: str) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(["git", *args], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    except FileNotFoundError:
        raise CommandError("git is not on PATH, and the stack has no state: there is nothing to compare with") from None
