"""A checkout as a new user has it, with a home of its own, so that no other cluster or state is touched."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

import toolchain
from commands import stacks
from mesh.config.stack import Stack
from mesh.core.names import EMBEDDED_CLUSTERS
from toolchain import checkers

ROOT = Path(__file__).resolve().parents[2]
NO_CHANGES = "ARGS=--expect-no-changes"
LIMIT = 420
"""Timeout of a command in seconds; longer than `mesh:timeout`, after which a command reports what it waited for."""


def with_stacks(*stacks: Any) -> pytest.MarkDecorator:
    """Runs tests with each of the stacks, on its own embedded cluster."""
    return pytest.mark.parametrize("checkout", stacks, indirect=True, scope="module")


EACH_RELEASE = with_stacks("dev", "today")
"""For tests that run with the stack of each release."""
SECOND_IS_LONG = with_stacks("dev", pytest.param("today", marks=pytest.mark.long))
"""For tests with the stack of each release of which `make test` runs only the first: nothing in them depends on the
release that other tests do not see."""
FIRST_IS_LONG = with_stacks(pytest.param("dev", marks=pytest.mark.long), "today")
"""The same, but `make test` runs the second."""
DEFAULT_RELEASE = with_stacks("dev")
"""For tests between these that are the same for each release, and long."""


def counts(text: str) -> str:
    """The lines of Pulumi's summary of changes."""
    return " ".join(text[text.rindex("Resources:") :].split("Duration")[0].split())


ANSWERS = (
    "--for=jsonpath={.webhooks[0].clientConfig.caBundle}",
    "mutatingwebhookconfigurations,validatingwebhookconfigurations",
    "--selector=app in (istiod, sidecar-injector)",
)
"""What `kubectl wait` waits for until istiod answers, as docs/gitops.md says."""


@dataclass(frozen=True)
class Checkout:
    """A copy of the project's files in a git repository, and the commands that a user runs there."""

    root: Path
    home: Path
    stack: str = "dev"
    """The stack that the commands are for, unless they say another one."""
    each_step: bool = True
    """Whether the engine writes the state after each step, as it does for users, or only at the end of a run."""

    @property
    def context(self) -> str:
        return f"mesh-{self.stack}"

    @property
    def cluster(self) -> Path:
        """The folder of the embedded cluster's files."""
        return self.home / EMBEDDED_CLUSTERS[self.context]

    @property
    def as_cloned(self) -> Stack:
        """The stack, as its file in the repository says."""
        return stacks.load(self.stack)

    @property
    def env(self) -> dict[str, str]:
        others = (
            "PULUMI_",
            "MESH_",
            "KUBECONFIG",
            "MAKE",
            "PYTHON",
        )  # without cached bytecode each command takes longer
        kept = {k: v for k, v in os.environ.items() if not k.startswith(others)}
        own = {
            "MESH_HOME": str(self.home),
            "PULUMI_HOME": str(self.home.parent / "pulumi"),
            "HOME": str(self.home.parent),
        }
        # The live part has tests of its own; everywhere else it would only take time, and the node port.
        own["LIVE"] = "0"
        if not self.each_step:
            own["PULUMI_SKIP_CHECKPOINTS"] = "true"
        cache = {"MESH_CACHE": str(toolchain.cache())}
        tools = {"PATH": f"{toolchain.ensure().path()}{os.pathsep}{os.environ['PATH']}"}
        return {**kept, **own, **cache, **tools}

    def run(self, *command: str, code: int | None = 0, timeout: int = LIMIT, **env: str) -> str:
        """Runs a command in the checkout, and returns its output. With `code` None, any exit code is accepted."""
        done = subprocess.run(
            command,
            cwd=self.root,
            env={**self.env, **env},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=timeout,
            check=False,
        )
        assert code is None or done.returncode == code, f"{' '.join(command)}: {done.returncode}\n{done.stdout}"
        return done.stdout

    def command(self, target: str, *variables: str) -> list[str]:
        """The command of a `make` target for the stack."""
        own = [] if self.stack == "dev" else [f"STACK={self.stack}"]
        return ["make", "--silent", target, *own, *variables]

    def pulumi(self, *commands: str, code: int | None = 0, **env: str) -> str:
        """Runs commands of `pulumi` itself on the stack, as the README says for who does without make."""
        variables = " ".join(self.command("env"))
        lines = [f'eval "$({variables})"', *(f"pulumi {command} --stack {self.stack}" for command in commands)]
        return self.run("bash", "-c", " && ".join(lines), code=code, timeout=LIMIT, **env)

    def make(self, target: str, *variables: str, code: int | None = 0) -> str:
        # An update that is to succeed goes without the preview before it, which takes as long: previews are tried by
        # themselves, and where an update is to be refused.
        if target == "up" and code == 0 and not any(one.startswith("ARGS=") for one in variables):
            variables = (*variables, "ARGS=--skip-preview")
        return self.run(*self.command(target, *variables), code=code)

    def preview(self, *flags: str) -> dict[str, Any]:
        """The preview of the stack, parsed from JSON."""
        text = self.make("preview", f"ARGS=--json {' '.join(flags)}")
        found: dict[str, Any] = json.loads(text[text.index("{\n") :])
        return found

    def report(self, stack: str) -> dict[str, Any]:
        """The last report on a stack, parsed from JSON."""
        found: dict[str, Any] = json.loads((self.root / "reports" / f"{stack}.json").read_text())
        return found

    def kubectl(self, *args: str, code: int | None = 0) -> str:
        return self.run("kubectl", "--kubeconfig", str(self.cluster / "kubeconfig"), *args, code=code)

    def apply(self, *manifests: Mapping[str, Any]) -> None:
        """Applies objects with kubectl, as somebody else than the stack."""
        file = self.root.parent / "applied.json"
        file.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": manifests}))
        self.kubectl("apply", "--filename", str(file))

    def rendered(self, stack: str) -> list[str]:
        """Renders a stack; returns the folders in the order in which they have to be applied."""
        self.make("render", f"STACK={stack}", "OUT=../rendered")
        return sorted(str(folder) for folder in (self.root.parent / "rendered").iterdir())

    def install(self, folders: Sequence[str], *flags: str) -> None:
        """Applies rendered folders as docs/gitops.md says."""
        for folder in folders:
            self.kubectl("apply", *flags, "--filename", folder)
            self.kubectl("wait", "--for=condition=Established", "customresourcedefinitions", "--all", "--timeout=60s")
            if [*Path(folder).glob("*webhookconfiguration*")]:
                self.kubectl("wait", *ANSWERS, "--timeout=60s")

    def standing(self, folders: Sequence[str]) -> dict[str, dict[str, Any]]:
        """The objects of rendered files as they are on the cluster, by kind, namespace and name."""
        found: list[dict[str, Any]] = []
        for folder in folders:
            found += json.loads(self.kubectl("get", "--filename", folder, "--output=json"))["items"]
        return {f"{o['kind']} {o['metadata'].get('namespace', '')}/{o['metadata']['name']}": o for o in found}

    def objects(self) -> set[str]:
        """The names of all objects on the cluster, except events, leases and objects that controllers create."""
        kinds = self.kubectl("api-resources", "--verbs=list", "--output=name").split()
        skipped = ("events", "events.events.k8s.io", "leases.coordination.k8s.io", "endpointslices.discovery.k8s.io")
        wanted = ",".join(kind for kind in kinds if kind not in skipped)
        columns = "-o=custom-columns=K:.kind,NS:.metadata.namespace,N:.metadata.name,L:.metadata.labels"
        listed = self.kubectl("get", wanted, "--all-namespaces", "--no-headers", columns)
        return {" ".join(line.split()) for line in listed.splitlines() if not line.startswith("Warning")}

    def given(self, key: str) -> Any:
        """The value of a key in the stack's file; None if it is not there."""
        content = yaml.safe_load((self.root / "stacks" / f"Pulumi.{self.stack}.yaml").read_text())
        return content["config"].get(f"mesh:{key}")

    def set(self, stack: str = "", **values: object) -> None:
        """Sets keys in the stack's file, as with an editor; None removes a key."""
        file = self.root / "stacks" / f"Pulumi.{stack or self.stack}.yaml"
        content = yaml.safe_load(file.read_text())
        content["config"].update({f"mesh:{key}": value for key, value in values.items()})
        content["config"] = {key: value for key, value in content["config"].items() if value is not None}
        file.write_text(yaml.safe_dump(content))

    def small(self, stack: str = "", **values: Any) -> None:
        """Reduces a stack to a control plane, which is faster to create and delete."""
        nothing = dict.fromkeys(("addons", "analysis", "gatewayServiceType", "ingressNodePorts", "security"))
        self.set(stack, profile="minimal", bookinfo=False, **{**nothing, **values})

    def reset_files(self) -> None:
        """Reverts all changes of stack files."""
        self.run("git", "checkout", "--quiet", "stacks")


@pytest.fixture(scope="module")
def checkout(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checkout]:
    for build in (checkers.pilot, checkers.agent):  # before a command needs them, which has a time limit
        build()
    base = tmp_path_factory.mktemp("user")
    # Four fifths of the engine's processor time go into the state's file, which only a killed run needs meanwhile.
    stack = getattr(request, "param", "dev")
    each_step = stack in getattr(request.module, "WRITE_EACH_STEP", ())
    made = Checkout(base / "mesh", base / "home", stack, each_step)
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).exists():
            (made.root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, made.root / name)
    (made.root / ".venv").symlink_to(ROOT / ".venv")
    for command in (
        ["init", "--quiet", "--initial-branch=main"],
        ["add", "--all"],
        ["commit", "--quiet", "--message", "as cloned"],
    ):
        made.run("git", "-c", "user.name=tester", "-c", "user.email=tester@example.invalid", *command)
    yield made
    for context, folder in EMBEDDED_CLUSTERS.items():
        if (made.home / folder).exists():
            made.run("make", "--silent", "sandbox-reset", f"CONTEXT={context}", code=None)


@pytest.fixture(scope="module")
def before(checkout: Checkout) -> set[str]:
    """The objects on the cluster before the installation."""
    checkout.make("sandbox")
    return checkout.objects()
