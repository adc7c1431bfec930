"""`make report`: its files and its exit code."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from commands import render, report, sources, stackfiles
from commands.sources import Comparison
from commands.stackfiles import CommandError
from mesh.config.stack import Stack
from mesh.review.changes import StackObject
from mesh.review.risks import Weight
from tests import meshes
from tests.meshes import manifest_of
from tests.review import SOURCE, item

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def compared(monkeypatch: pytest.MonkeyPatch) -> None:
    """A review with one risk of high weight, for every stack."""
    weak = manifest_of("PeerAuthentication", "default", {"mtls": {"mode": "PERMISSIVE"}})
    old, new = ([item(one) for one in side] for side in (meshes.valid_mesh(), meshes.changed([weak])))
    monkeypatch.setattr(sources, "choose", lambda *_: Comparison(source=SOURCE, old=old, new=new))


def test_each_stack_has_markdown_json_and_a_map(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert report.run("", tmp_path / "out", "", []) == 0
    names = {f"{stack}.{ending}" for stack in stackfiles.names() for ending in ("md", "json", "svg")}
    assert {file.name for file in (tmp_path / "out").iterdir()} == names
    assert json.loads((tmp_path / "out" / "dev.json").read_text())["stack"] == "dev"
    assert (tmp_path / "out" / "dev.svg").read_text().startswith("<svg")
    assert f"dev: 1 object changed, risks: 1 high; {tmp_path}/out/dev.md" in capsys.readouterr().out


@pytest.mark.parametrize(("flags", "code"), [(["--fail-on", "high"], 3), (["--fail-on=low"], 3), ([], 0)])
def test_the_exit_code_distinguishes_risks_from_errors(tmp_path: Path, flags: list[str], code: int) -> None:
    assert report.run("dev", tmp_path, "", flags) == code


def test_a_risk_of_lower_weight_does_not_fail(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = [item(meshes.deployment("a", {"app": "a"}, hostNetwork=host)) for host in (False, True)]
    monkeypatch.setattr(sources, "choose", lambda *_: Comparison(source=SOURCE, old=old[:1], new=old[1:]))
    codes = [report.run("dev", tmp_path, "", ["--fail-on", weight]) for weight in ("high", "medium", "low")]
    assert codes == [0, 3, 3]


def test_a_weight_that_is_misspelt_is_refused_with_the_choices() -> None:
    with pytest.raises(CommandError, match=r'--fail-on: "hihg" is not one of high, medium, low; did you mean "high"\?'):
        report.fail_on(["--fail-on", "hihg"])
    with pytest.raises(CommandError, match="not one of high, medium, low"):
        report.fail_on(["--fail-on"])
    assert report.fail_on(["--fail-on", "medium"]) is Weight.MEDIUM


def test_an_unknown_flag_is_refused() -> None:
    with pytest.raises(CommandError, match=r"report does not know --diff; it takes --fail-on high\|medium\|low"):
        report.fail_on(["--diff"])


def test_an_error_in_one_stack_does_not_stop_the_reports_of_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    works = sources.choose

    def choose(name: str, base: str, stack: Stack) -> Comparison:
        if name == "demo":
            raise CommandError("nothing to compare with")
        return works(name, base, stack)

    monkeypatch.setattr(sources, "choose", choose)
    (tmp_path / "demo.md").touch()
    assert report.run("", tmp_path, "", ["--fail-on", "high"]) == 1
    assert "error: demo: nothing to compare with" in capsys.readouterr().err
    assert (tmp_path / "dev.md").exists()
    assert not (tmp_path / "demo.md").exists(), "nor does one of an earlier run stay"


@pytest.fixture
def doubtful(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The config, which every stack gets: it names a version without pods."""
    given = stackfiles.config("dev")
    given["mesh:traffic"] = json.dumps({"services": {"ratings": {"versions": ["v1", "v9"], "route": "v1"}}})
    monkeypatch.setattr(stackfiles, "config", lambda _: given)
    return given


def made_by(config: dict[str, str]) -> list[StackObject]:
    return list(sources.registered(render.record("dev", config)))


def test_a_finding_names_the_key_that_it_comes_from(doubtful: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    old = made_by({key: value for key, value in doubtful.items() if key != "mesh:traffic"})
    monkeypatch.setattr(sources, "choose", lambda *_: Comparison(source=SOURCE, old=old, new=made_by(doubtful)))
    (found,) = report.of("dev").refused
    assert "DestinationRule default/ratings subsets[1] (from mesh:traffic.services.ratings.versions.v9)" in found
    assert report.of("dev").findings == [], "it is said once"


def test_a_new_warning_is_reported(doubtful: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    old = made_by({key: value for key, value in doubtful.items() if key != "mesh:traffic"})
    ratings = {"timeout": "1s", "retries": {"attempts": 2, "perTryTimeout": "2s"}}
    doubtful["mesh:traffic"] = json.dumps({"services": {"ratings": ratings}})
    monkeypatch.setattr(sources, "choose", lambda *_: Comparison(source=SOURCE, old=old, new=made_by(doubtful)))
    review = report.of("dev")
    assert (len(review.findings), review.refused) == (1, [])
    assert review.findings[0].startswith("warning: MESH0103 VirtualService default/ratings")


def test_a_stack_that_up_refuses_is_reported_first_and_fails(
    doubtful: dict[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    same = made_by(doubtful)
    monkeypatch.setattr(sources, "choose", lambda *_: Comparison(source=SOURCE, old=same, new=same))
    assert report.run("dev", tmp_path, "", []) == 1
    assert "dev: `up` refuses it: IST0173 DestinationRule default/ratings" in capsys.readouterr().out
    head, _, _, section, line = (tmp_path / "dev.md").read_text().splitlines()[1:6]
    assert head == "## Stack `dev`: `up` refuses it; no risks found"
    assert section == "### Errors: `up` does not start"
    assert "requests to subset v9 end in 503" in line
    assert len(json.loads((tmp_path / "dev.json").read_text())["refused"]) == 1


def test_an_old_finding_is_not_reported_again(doubtful: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    same = made_by(doubtful)
    monkeypatch.setattr(sources, "choose", lambda *_: Comparison(source=SOURCE, old=same, new=same))
    assert report.of("dev").findings == []
