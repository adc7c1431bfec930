"""Running `pulumi`: its environment, the state, generated secrets, and imports of modules."""

import json
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import toolchain
from cluster.target import EMBEDDED
from commands import pulumi_cli, render
from commands.stackfiles import CommandError
from mesh.config import stack_file

pytestmark = pytest.mark.slow

EXPORT = """{"version": 3, "deployment": {"resources": [
  {"urn": "urn:pulumi:dev::mesh::pulumi:providers:kubernetes::cluster", "type": "pulumi:providers:kubernetes",
   "outputs": {"clusterIdentifier": "uid"}},
  {"urn": "urn:pulumi:dev::mesh::mesh:istio:Base$kubernetes:core/v1:Namespace::istio-system",
   "type": "kubernetes:core/v1:Namespace", "outputs": {"metadata": {"annotations": {"mesh/id": "id"}}}}
]}}"""


def pulumi(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """Puts a shell script on PATH as the only program; its arguments are in `$@`."""
    program = folder / "pulumi"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", str(folder))


def test_the_recorded_state_is_read_without_creating_a_stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pulumi(tmp_path, monkeypatch, f"echo \"$@\" > {tmp_path}/arguments\necho '{EXPORT}'")
    found = pulumi_cli.recorded_state("dev")
    assert found is not None
    assert found.provider == {"clusterIdentifier": "uid"}
    assert found.owner_id("istio-system") == "id"
    assert (tmp_path / "arguments").read_text().split() == ["stack", "export", "--stack", "dev"]


def test_the_program_is_told_where_each_embedded_cluster_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MESH_HOME", str(tmp_path))
    monkeypatch.setattr(toolchain, "built", lambda: None)
    told = json.loads(pulumi_cli.environment(build=False)[EMBEDDED])
    assert told == {
        "mesh-dev": str(tmp_path / "cluster" / "kubeconfig"),
        "mesh-today": str(tmp_path / "cluster-today" / "kubeconfig"),
    }
    for stack in ("dev", "today"):
        (provider,) = [one for one in render.record(stack) if one.type == "pulumi:providers:kubernetes"]
        assert provider.inputs["kubeconfig"] == told[f"mesh-{stack}"]


def test_a_stack_that_does_not_exist_has_an_empty_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pulumi(tmp_path, monkeypatch, "echo \"error: no stack named 'dev' found\" >&2; exit 255")
    found = pulumi_cli.recorded_state("dev")
    assert found is not None
    assert not found.resources


def test_an_unreadable_state_is_none_and_not_empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pulumi(tmp_path, monkeypatch, "echo 'error: could not reach the backend' >&2; exit 255")
    assert pulumi_cli.recorded_state("dev") is None


def test_without_pulumi_the_state_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert pulumi_cli.recorded_state("dev") is None


STEPS = """{"steps": [
  {"op": "create", "urn": "a", "newState": {"urn": "a"}},
  {"op": "delete", "urn": "b"},
  {"op": "create-replacement", "urn": "c", "newState": {"urn": "c"}},
  {"op": "replace", "urn": "c", "newState": {"urn": "c"}}
]}"""


def cli_with(folder: Path, monkeypatch: pytest.MonkeyPatch, content: str) -> pulumi_cli.PulumiCli:
    """A PulumiCli whose `pulumi` only records its arguments and input; its copy of the file has this config."""
    monkeypatch.setenv("MESH_HOME", str(folder))
    monkeypatch.setenv("PULUMI_BACKEND_URL", f"file://{folder}")
    calls = f'echo "$*" >> {folder}/calls\ncase "$*" in *"config set"*) /bin/cat >> {folder}/said;; esac'
    pulumi(folder, monkeypatch, calls)
    (folder / "project").mkdir()
    (folder / "project" / "Pulumi.dev.yaml").write_text(f"config:\n{content}")
    return pulumi_cli.PulumiCli("dev")


def test_a_proposed_file_is_previewed_beside_that_of_the_stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = cli_with(tmp_path, monkeypatch, "  {}").file
    before = own.read_text()
    proposed = pulumi_cli.PulumiCli("dev", {"config": {"mesh:revision": "new"}})
    assert stack_file.document(proposed.file)["config"] == {"mesh:revision": "new"}
    assert own.read_text() == before
    proposed.run("preview", quiet=True)
    call = (tmp_path / "calls").read_text().splitlines()[-1]
    assert call.startswith(f"preview --stack dev --config-file {proposed.file}")


def test_a_stack_is_created_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cli_with(tmp_path, monkeypatch, "  {}")
    assert "stack select dev --create" in (tmp_path / "calls").read_text()
    (tmp_path / ".pulumi" / "stacks" / "mesh").mkdir(parents=True)
    (tmp_path / ".pulumi" / "stacks" / "mesh" / "dev.json").touch()
    (tmp_path / "calls").unlink()
    pulumi_cli.PulumiCli("dev")
    assert not (tmp_path / "calls").exists()


def test_pulumi_selects_the_stack_if_the_backend_is_no_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cli_with(tmp_path, monkeypatch, "  {}")
    (tmp_path / "calls").unlink()
    monkeypatch.setenv("PULUMI_BACKEND_URL", "https://pulumi.example")
    pulumi_cli.PulumiCli("dev")
    assert "stack select dev --create" in (tmp_path / "calls").read_text()


def test_the_state_is_read_again_only_after_a_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cli = cli_with(tmp_path, monkeypatch, "  {}")
    pulumi(tmp_path, monkeypatch, f"echo \"$*\" >> {tmp_path}/calls\necho '{EXPORT}'")
    (tmp_path / "calls").unlink()
    assert cli.state() == cli.state() == json.loads(EXPORT)["deployment"]
    cli.run("refresh", quiet=True)
    cli.state()
    calls = [line.split()[0] for line in (tmp_path / "calls").read_text().splitlines()]
    assert calls == ["stack", "refresh", "stack"]


def test_a_password_is_generated_once_and_passed_on_standard_input(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = "  mesh-addons:there: {secure: x}\n"
    cli_with(tmp_path, monkeypatch, there).make_secrets("mesh-addons", ["there", "wanted"])
    (call,) = [line for line in (tmp_path / "calls").read_text().splitlines() if line.startswith("config set")]
    assert call.startswith("config set --secret mesh-addons:wanted --stack dev --config-file")
    value = (tmp_path / "said").read_text()
    assert len(value) == 32
    assert value not in (tmp_path / "calls").read_text()


def test_two_generated_passwords_differ(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cli_with(tmp_path, monkeypatch, "  {}").make_secrets("mesh-addons", ["one", "other"])
    said = (tmp_path / "said").read_text()
    assert said[:32] != said[32:]


@pytest.mark.parametrize(
    "work",
    [lambda made: made.run("preview"), lambda made: made.planned(), lambda made: made.events()],
    ids=["run", "planned", "events"],
)
def test_temporary_files_of_pulumi_are_deleted_after_its_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, work: Callable[[pulumi_cli.PulumiCli], object]
) -> None:
    made = cli_with(tmp_path, monkeypatch, "  {}")
    left = f'echo key > $TMPDIR/kubeconfig1; echo "$TMPDIR" > {tmp_path}/where'
    pulumi(tmp_path, monkeypatch, f'{left}\ntest "$3" != --event-log || : > "$4"\necho \'{STEPS}\'')
    work(made)
    assert not Path((tmp_path / "where").read_text().strip()).exists()


def test_an_unencrypted_password_is_refused_without_printing_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stack_file, "document", lambda _: {"config": {"mesh-addons:p": "hunter2"}})
    made = cli_with(tmp_path, monkeypatch, "  {}")
    with pytest.raises(CommandError, match="mesh-addons:p is not encrypted in the stack file of") as refused:
        made.make_secrets("mesh-addons", ["p"])
    assert "hunter2" not in str(refused.value)


def test_planned_returns_each_resource_once_in_its_new_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = cli_with(tmp_path, monkeypatch, "  mesh:a: b")
    pulumi(tmp_path, monkeypatch, f"echo warning\necho '{STEPS}'")
    assert made.planned() == [{"urn": "a"}, {"urn": "c"}]


def test_an_error_of_the_program_is_raised(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = cli_with(tmp_path, monkeypatch, "  mesh:a: b")
    said = [{"severity": "info", "message": "x"}, {"severity": "error", "message": "bad "}]
    pulumi(tmp_path, monkeypatch, f"echo '{json.dumps({'steps': [], 'diagnostics': said})}'; exit 255")
    with pytest.raises(CommandError, match=r"^bad$"):
        made.planned()


@pytest.mark.parametrize(
    ("module", "without"),
    [
        ("commands.lifecycle", "pulumi"),
        ("commands.__main__", "pulumi"),
        ("commands.__main__", "pydantic"),
        ("engine.start", "pydantic"),  # or the engine would be asked late
    ],
)
def test_commands_load_only_what_they_need(module: str, without: str) -> None:
    """Importing Pulumi's SDK takes half a second, and the settings a third of a second."""
    code = f"import sys, {module}; print(sorted(m for m in sys.modules if m.startswith('{without}')))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"
