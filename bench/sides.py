"""The sides of the comparison: ways to install the same mesh, each with the commands that its users type."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import yaml

from bench.process import run
from bench.workspace import NAMESPACE, STACK, Workspace
from commands.render import FIRST, FOLDERS, LAST, THEN

FIGURES: Final[Mapping[str, str]] = {
    "up": "cold `up`",
    "preview": "no-change preview",
    "changed preview": "one-field preview",
    "changed up": "one-field `up`",
    "refresh": "`refresh`",
    "down": "`down`",
}
"""The measured commands with their titles, in the order in which they run."""
_DEPLOYMENTS: Final = ("istio-system", NAMESPACE)
_WEBHOOKS: Final = ("mutatingwebhookconfigurations/istio-sidecar-injector",)
_ENFORCED: Final = "validatingwebhookconfigurations/istiod-istio-system"


@dataclass(frozen=True, kw_only=True)
class Side:
    """One way to install the mesh."""

    name: str
    title: str
    folder: Path
    """The folder in which its commands run."""
    commands: Mapping[str, str]
    """Shell commands by figure; a figure is missing if this side has no such command."""


def all_of(workspace: Workspace) -> Sequence[Side]:
    """All sides, with their folders prepared in the workspace."""
    return (_ours(workspace), _kubectl(workspace), _config_file(workspace), _floor(workspace))


def _ours(workspace: Workspace) -> Side:
    target = "make --silent {} STACK=" + STACK
    commands = {figure: target.format(figure.split()[-1]) for figure in FIGURES}
    return Side(name="ours", title="this project", folder=workspace.project, commands=commands)


def _kubectl(workspace: Workspace) -> Side:
    """kubectl alone: applies the rendered folders one after the other, and waits until their objects are ready."""
    apply, (mesh, app) = "kubectl apply --server-side --filename", map(_available, _DEPLOYMENTS)
    then = f"{apply} {THEN} && {mesh} && {' && '.join(_answers())} && {apply} {LAST} && {app}"
    return Side(
        name="kubectl",
        title="kubectl",
        folder=workspace.folder("rendered"),
        commands={
            "up": f"{apply} {FIRST} && kubectl wait --for=condition=Established crd --all && {then}",
            "preview": _diff("0"),
            "changed preview": _diff("1"),
            "changed up": f"{apply} {FIRST} && {then}",
            "down": " && ".join(f"kubectl delete --filename {folder}" for folder in reversed(FOLDERS)),
        },
    )


def _available(namespace: str) -> str:
    return f"kubectl wait --timeout=300s --for=condition=Available deployment --all --namespace {namespace}"


def _answers() -> Iterator[str]:
    """The commands that wait until istiod injects and validates."""
    for webhook in (*_WEBHOOKS, _ENFORCED):
        yield f"kubectl wait --timeout=300s --for=jsonpath='{{.webhooks[0].clientConfig.caBundle}}' {webhook}"
    yield f"kubectl wait --timeout=300s --for=jsonpath='{{.webhooks[0].failurePolicy}}'=Fail {_ENFORCED}"


def _diff(code: str) -> str:
    """A `kubectl diff` that succeeds if it ends with `code`, which is 1 if an object differs, else 0."""
    files = " ".join(f"--filename {folder}" for folder in FOLDERS)
    return f"kubectl diff --server-side {files}; test $? = {code}"


_CONFIG_FILE: Final = """
import pulumi
from pulumi_kubernetes import Provider
from pulumi_kubernetes.yaml.v2 import ConfigFile

cluster = Provider("cluster", enable_config_map_mutable=True, enable_secret_mutable=True)
mesh = ConfigFile("mesh", file="mesh.yaml", opts=pulumi.ResourceOptions(provider=cluster))
ConfigFile("bookinfo", file="bookinfo.yaml", opts=pulumi.ResourceOptions(provider=cluster, depends_on=[mesh]))
"""
_FLOOR: Final = """
import pulumi
from pulumi_kubernetes import Provider
from pulumi_kubernetes.core.v1 import ConfigMap

cluster = pulumi.ResourceOptions(provider=Provider("cluster", enable_config_map_mutable=True))
for number in range(3):
    name = f"floor-{number}"
    ConfigMap(name, metadata={"name": name, "namespace": "default"}, data={"value": open("value").read()}, opts=cluster)
"""


def _config_file(workspace: Workspace) -> Side:
    side = _pulumi(workspace, "configfile", "Pulumi `yaml.v2.ConfigFile`", _CONFIG_FILE)
    # Without order, istiod can go before the EnvoyFilters. Then nobody answers the webhook that the API server asks
    # when the garbage collector removes their finalizers, and `pulumi destroy` does not end.
    down = f"kubectl delete {_ENFORCED} && {side.commands['down']}"
    return replace(side, commands={**side.commands, "down": down})


def _floor(workspace: Workspace) -> Side:
    return _pulumi(workspace, "floor", "Pulumi, three resources", _FLOOR)


def _pulumi(workspace: Workspace, name: str, title: str, program: str) -> Side:
    """A side with a Pulumi program of its own."""
    folder = workspace.folder(name)
    (folder / "Pulumi.yaml").write_text(f"name: {name}\nruntime: python\n")
    (folder / "__main__.py").write_text(program.lstrip())
    run(["pulumi", "stack", "init", "bench"], folder)
    flags = "--stack bench --non-interactive"
    verbs = {"up": f"up --yes {flags}", "preview": f"preview --diff {flags}", "refresh": f"refresh --yes {flags}"}
    commands = {figure: f"pulumi {verbs[figure.split()[-1]]}" for figure in FIGURES if figure != "down"}
    return Side(name=name, title=title, folder=folder, commands={**commands, "down": f"pulumi destroy --yes {flags}"})


def change(workspace: Workspace, value: int) -> None:
    """Changes the same field on every side."""
    workspace.change(value)
    rendered = workspace.folder("rendered")
    run(["make", "--silent", "render", f"STACK={STACK}", f"OUT={rendered}"], workspace.project)
    _give_values(rendered)
    files = [file for part in FOLDERS for file in sorted((rendered / part).iterdir())]
    documents = [yaml.safe_load(file.read_text()) for file in files]
    for name, wanted in (("mesh", False), ("bookinfo", True)):
        some = [document for document in documents if _is_bookinfo(document) == wanted]
        (workspace.folder("configfile") / f"{name}.yaml").write_text(yaml.safe_dump_all(some))
    (workspace.folder("floor") / "value").write_text(str(value))


def _is_bookinfo(manifest: Mapping[str, Any]) -> bool:
    """Whether an object is Bookinfo's namespace, or is in it."""
    meta = manifest["metadata"]
    place: str = meta["name"] if manifest["kind"] == "Namespace" else meta.get("namespace", "")
    return place == NAMESPACE


def _give_values(rendered: Path) -> None:
    """Gives the rendered Secrets, which have no values, a random value that is the same in all rounds."""
    for file in (rendered / THEN).glob("secret-*.yaml"):
        manifest = yaml.safe_load(file.read_text())
        manifest.pop("stringData", None)
        manifest["data"] = {"value": base64.b64encode(_VALUE.encode()).decode()}
        file.write_text(yaml.safe_dump(manifest))


_VALUE: Final = secrets.token_urlsafe(24)
