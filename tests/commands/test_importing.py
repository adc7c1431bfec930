"""`make import`: the file that it writes, what it prints, and what it does not touch."""

from __future__ import annotations

from pathlib import Path

import pytest

from commands import importing, stackfiles
from commands.stackfiles import CommandError
from mesh.config import stack_file

pytestmark = pytest.mark.slow

OPERATOR = """\
apiVersion: install.istio.io/v1alpha1
kind: IstioOperator
spec:
  tag: 1.10.3
  profile: demo
  components:
    pilot:
      k8s:
        overlays:
          - kind: Deployment
            name: istiod
            patches: [{ path: spec.template.spec.hostNetwork, value: true }]
          - { kind: Service, name: other, patches: [] }
          - kind: Deployment
            name: istiod
            patches:
              - path: "spec.template.spec.containers.[name:discovery].env[-1]"
                value: { name: SIGNING_TOKEN, value: sshh }
  values:
    pilot: { env: { API_TOKEN: hush } }
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(stackfiles, "_FOLDER", tmp_path)
    monkeypatch.setattr(stackfiles, "ROOT", tmp_path.parent)
    (tmp_path / "operator.yaml").write_text(OPERATOR)
    return tmp_path


def test_it_writes_a_stack_and_says_what_is_not_in_it(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert importing.run("mine", str(folder / "operator.yaml"), "", force=False) == 0
    assert stack_file.config(stack_file.document(folder / "Pulumi.mine.yaml"))["mesh:profile"] == "demo"
    said = capsys.readouterr().out
    assert "components.pilot.k8s.overlays[1]  the stack has no Service other" in said
    assert "hostNetwork: true" in (folder / "Pulumi.mine.yaml").read_text()
    assert "  mesh:pilot.env.API_TOKEN" in said
    everything = said + (folder / "Pulumi.mine.yaml").read_text()
    assert not any(secret in everything for secret in ("hush", "sshh"))


def test_a_stack_that_exists_is_overwritten_by_force_alone(folder: Path) -> None:
    file, source = folder / "Pulumi.mine.yaml", str(folder / "operator.yaml")
    file.write_text("config: {}\n")
    with pytest.raises(CommandError, match=r"Pulumi.mine.yaml exists: choose another STACK, or set FORCE=1"):
        importing.run("mine", source, "", force=False)
    assert file.read_text() == "config: {}\n"
    importing.run("mine", source, "", force=True)
    assert "demo" in file.read_text()


@pytest.mark.parametrize(("stack", "said"), [("", "STACK is missing"), ("../x", "is not a valid name of a stack")])
def test_a_stack_needs_a_name(stack: str, said: str, folder: Path) -> None:
    with pytest.raises(CommandError, match=said):
        importing.run(stack, str(folder / "operator.yaml"), "", force=False)


def test_nothing_is_written_if_the_source_cannot_be_read(folder: Path) -> None:
    with pytest.raises(Exception, match="there is no such file"):
        importing.run("mine", "nowhere.yaml", "", force=False)
    assert not (folder / "Pulumi.mine.yaml").exists()
