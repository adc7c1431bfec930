"""FILES: which objects `make analyze` looks at, alone or on top of a stack, and its exit codes."""

import io
from pathlib import Path

import pytest

from commands import analyze, files
from commands.stackfiles import CommandError
from mesh.core.errors import UserError

pytestmark = pytest.mark.slow

SERVICE = "{apiVersion: v1, kind: Service, metadata: {name: cart}, spec: {ports: [{name: http, port: 80}]}}\n"
ROUTE = """
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: cart}
spec:
  hosts: [cart]
  http:
    - route:
        - destination: {host: HOST}
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of files outside of the project, from which the command is called."""
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "service.yaml").write_text(SERVICE)
    (tmp_path / "good.yaml").write_text(ROUTE.replace("HOST", "cart"))
    (tmp_path / "bad.yaml").write_text(ROUTE.replace("HOST", "carts"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("RELEASE", raising=False)
    return tmp_path


def run(said: str, monkeypatch: pytest.MonkeyPatch, stack: str = "") -> int:
    monkeypatch.setenv("FILES", said)
    return analyze.run(stack)


@pytest.mark.parametrize("said", ["shop good.yaml", "shop,good.yaml", " shop, good.yaml "])
def test_files_and_folders_are_read_together(
    said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(said, monkeypatch) == 0
    assert capsys.readouterr().out == f"{said.strip()}: nothing found\n"


def test_an_error_ends_in_code_1_and_names_file_and_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("shop bad.yaml", monkeypatch) == 1
    assert capsys.readouterr().out.splitlines() == [
        "error: IST0101 VirtualService default/cart http[0].route[0].destination.host (from bad.yaml:9): host carts is"
        ' not a service of the mesh; did you mean "cart"?',
        "shop bad.yaml: 1 error",
    ]


def test_a_file_with_a_space_in_its_name_is_one_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "two words.yaml").write_text(SERVICE)
    assert run("two words.yaml", monkeypatch) == 0


def test_a_dash_stands_for_standard_input(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(ROUTE.replace("HOST", "carts")))
    assert run("shop -", monkeypatch) == 1
    assert "(from -:9)" in capsys.readouterr().out


def test_a_release_is_chosen_by_name(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("RELEASE", "1.10")
    assert run("shop good.yaml", monkeypatch) == 1
    assert "Istio 1.10 does not serve networking.istio.io/v1 of VirtualService" in capsys.readouterr().out


def test_files_lie_on_top_of_a_stack(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    reviews = SERVICE.replace("cart", "reviews").replace("ports", "selector: {app: review}, ports")
    Path("reviews.yaml").write_text(reviews)
    assert run("reviews.yaml", monkeypatch, stack="dev") == 0
    out = capsys.readouterr().out
    assert "MESH0105 Service default/reviews selector (from reviews.yaml:1)" in out
    assert out.endswith("reviews.yaml on dev: 4 warnings\n")  # each version of reviews is without a Service, too


def test_a_stack_has_a_release_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RELEASE", "1.30")
    with pytest.raises(CommandError, match=r"^RELEASE is for files without a stack; stack dev has Istio 1\.10$"):
        run("shop", monkeypatch, stack="dev")


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ("nothing.yaml", "nothing.yaml: there is no such file or folder"),
        ("empty.yaml", "FILES: empty.yaml contains no object"),
        ("text.yaml", 'text.yaml:1: the text "hello" instead of an object: separate objects by ---, or use kind List'),
        ("kindless.yaml", "kindless.yaml:1: an object without kind"),
    ],
)
def test_what_cannot_be_read_is_one_message(
    said: str, message: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, text in (("empty", ""), ("text", "hello"), ("kindless", "{apiVersion: v1, metadata: {name: a}}")):
        (folder / f"{name}.yaml").write_text(text)
    with pytest.raises(UserError) as error:
        run(said, monkeypatch)
    assert str(error.value) == message


def test_a_release_that_is_unknown_is_refused_with_the_choices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RELEASE", "1.11")
    with pytest.raises(CommandError, match=r'^RELEASE: "1\.11" is not one of 1\.10, 1\.30; did you mean "1\.10"\?$'):
        files.release()
