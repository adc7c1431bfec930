"""`make report FILES=` and `make map FILES=`: what a change of files does, compared with folders and with git."""

import io
import subprocess
from pathlib import Path

import pytest

from commands import file_sources, report
from commands import map as drawing
from commands.stackfiles import CommandError
from mesh.review.review import Review

SHOP = """
apiVersion: v1
kind: List
items:
  - apiVersion: v1
    kind: Service
    metadata: {name: cart}
    spec: {selector: {app: cart}, ports: [{name: http, port: 80}]}
  - apiVersion: apps/v1
    kind: Deployment
    metadata: {name: cart-v1}
    spec: {template: {metadata: {labels: {app: cart, version: v1}}, spec: {containers: [{name: app, image: a:1}]}}}
  - apiVersion: networking.istio.io/v1
    kind: VirtualService
    metadata: {name: cart}
    spec: {hosts: [cart], http: [{route: [{destination: {host: cart}}]}]}
"""
CHANGED = SHOP.replace("http: [{route", "http: [{fault: {abort: {httpStatus: 503, percentage: {value: 100}}}, route")


def git(folder: Path, *args: str) -> None:
    who = ("-c", "user.name=a", "-c", "user.email=a@example.com")
    subprocess.run(["git", *who, *args], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A git repository in whose work tree `shop/all.yaml` is changed."""
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "all.yaml").write_text(SHOP)
    (tmp_path / "README.md").write_text("A shop.")
    git(tmp_path, "init", "--initial-branch=main")
    git(tmp_path, "add", "--all")
    git(tmp_path, "commit", "--message=first")
    (tmp_path / "shop" / "all.yaml").write_text(CHANGED)
    monkeypatch.setenv("FILES", str(tmp_path / "shop"))
    monkeypatch.delenv("RELEASE", raising=False)
    return tmp_path


def said(found: Review) -> list[str]:
    return [str(change) for change in found.request_changes]


@pytest.mark.usefixtures("repository")
@pytest.mark.parametrize("base", ["", "main", "main:shop", "HEAD:shop/all.yaml"])
def test_files_are_compared_with_git(base: str) -> None:
    found = file_sources.review("", base)
    assert said(found) == ["cart/ from any-caller: from now on 100 % end in 503"]
    assert found.counts == {"update": 1}
    assert found.source.text.startswith(f"Compared with {base or 'main'} at ")


@pytest.mark.usefixtures("repository")
def test_files_are_compared_with_another_folder(tmp_path_factory: pytest.TempPathFactory) -> None:
    other = tmp_path_factory.mktemp("before")
    (other / "all.yaml").write_text(CHANGED)
    assert said(file_sources.review("", str(other))) == []


def test_a_folder_that_git_does_not_have_yet_is_new_altogether(repository: Path) -> None:
    git(repository, "rm", "-r", "--cached", "shop")
    git(repository, "commit", "--message=removed")
    assert file_sources.review("", "").counts == {"create": 3}


@pytest.mark.usefixtures("repository")
@pytest.mark.parametrize(
    ("base", "message"),
    [
        ("nowhere", "BASE: there is no file or folder nowhere, and git does not know nowhere in "),
        ("nowhere:shop", "BASE: there is no file or folder nowhere:shop, and git does not know nowhere in "),
    ],
)
def test_a_base_that_is_unknown_is_refused(base: str, message: str) -> None:
    with pytest.raises(CommandError) as error:
        file_sources.review("", base)
    assert str(error.value).startswith(message)


def test_standard_input_needs_a_base(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FILES", "-")
    with pytest.raises(CommandError, match="BASE is missing: standard input can be compared"):
        file_sources.review("", "")
    monkeypatch.setattr("sys.stdin", io.StringIO(CHANGED))
    assert len(said(file_sources.review("", str(repository / "shop")))) == 0


def test_the_report_of_files_speaks_of_files(
    repository: Path, tmp_path_factory: pytest.TempPathFactory, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path_factory.mktemp("out")
    (repository / "shop" / "all.yaml").write_text(CHANGED.replace("host: cart}", "host: carts}"))
    assert report.run("", out, "", []) == 1
    assert {file.name for file in out.iterdir()} == {"files.md", "files.json", "files.svg"}
    text = (out / "files.md").read_text()
    assert f"## Files `{repository}/shop`: 1 error; " in text
    assert "`up`" not in text
    assert f"{repository}/shop: 1 error: IST0101" in capsys.readouterr().out


def test_a_report_that_fails_says_why_without_a_name(
    repository: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (repository / "shop" / "all.yaml").write_text("a: [")
    assert report.run("", tmp_path / "out", "", []) == 1
    assert capsys.readouterr().err.startswith(f"error: {repository}/shop/all.yaml:1: not YAML")


def test_a_map_of_files_is_drawn(repository: Path) -> None:
    assert drawing.run("", repository / "out") == 0
    assert "cart.default" in (repository / "out" / "map-files.mmd").read_text()
