"""`make precheck`: its output, its exit code, and the check of the owner."""

from contextlib import nullcontext
from dataclasses import replace

import pytest

from cluster import proxy, survey
from cluster.client import Answer, Request
from cluster.errors import ClusterError, NoKubectl, Unreachable
from cluster.state import StackState
from cluster.survey import Survey
from cluster.target import Target
from commands import checks, precheck, pulumi_cli
from commands.checks import Level, Result, ownership
from mesh.config import loading
from mesh.core import names
from tests.fake_api import SURVEY, TARGET, FakeApi, case, denied, planned, status
from toolchain import pins

TESTED = tuple(map(int, pins.read().kubernetes.split(".")))[:2]
OURS = {names.OWNER_PROJECT: "mesh", names.OWNER_STACK: "dev", names.OWNER_ID: "id"}


@pytest.fixture
def reached(monkeypatch: pytest.MonkeyPatch) -> FakeApi:
    """The API server of a suitable cluster; kubectl, Pulumi and the toolchain are not used."""
    fake, whole = FakeApi({"GET /version": Answer(200, {"gitVersion": "v1.33.3"})}), planned()
    monkeypatch.delenv("CONTEXT", raising=False)
    monkeypatch.setattr(pulumi_cli, "environment", lambda **_: {})
    monkeypatch.setattr(pulumi_cli, "recorded_state", lambda _: StackState())
    monkeypatch.setattr(Target, "named", lambda _: TARGET)
    monkeypatch.setattr(survey, "read", lambda *_: SURVEY)
    monkeypatch.setattr(proxy, "connect", lambda _: nullcontext(fake))
    monkeypatch.setattr(precheck, "_plan", lambda *_: whole)
    return fake


class Saying:
    """An API server that gives the same answer to every request."""

    def __init__(self, answer: Answer | ClusterError) -> None:
        self._answer = answer

    def ask(self, _: Request) -> Answer:
        if isinstance(self._answer, ClusterError):
            raise self._answer
        return self._answer


@pytest.mark.usefixtures("reached")
def test_a_suitable_cluster_is_ok_in_every_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert precheck.run("dev") == 0
    first, *lines, last = capsys.readouterr().out.splitlines()
    assert first == "cluster: context here, server https://here"
    assert [line.split("  ")[0] for line in lines] == list(checks.CHECKS)
    assert all(line[15:17] == "ok" for line in lines), lines
    assert last == f"{len(checks.CHECKS)} ok, 0 warnings, 0 errors; next: make up"


@pytest.mark.usefixtures("reached")
def test_a_precheck_builds_no_toolchain(monkeypatch: pytest.MonkeyPatch) -> None:
    def environment(build: bool = True) -> dict[str, str]:
        assert not build
        return {}

    monkeypatch.setattr(pulumi_cli, "environment", environment)
    assert precheck.run("dev") == 0


def test_a_precheck_changes_nothing(reached: FakeApi) -> None:
    precheck.run("dev")
    changing = [r for r in reached.asked if r.method != "GET" and "selfsubject" not in r.path]
    assert len(changing) > 40
    assert all("dryRun=All" in request.path for request in changing)


def test_an_error_exits_with_1_and_the_next_command(reached: FakeApi, capsys: pytest.CaptureFixture[str]) -> None:
    reached.missing = [("create", "services", "istio-system")]
    assert precheck.run("dev") == 1
    assert "8 ok, 0 warnings, 1 error; next: fix the errors, then make precheck" in capsys.readouterr().out


def test_a_denied_read_is_a_warning_with_the_reason(reached: FakeApi, capsys: pytest.CaptureFixture[str]) -> None:
    reached.answers["GET /api/v1/nodes"] = denied("nodes")
    assert precheck.run("dev") == 0
    assert 'nodes          warning  could not be checked: nodes is forbidden: User "dev"' in capsys.readouterr().out


@pytest.mark.usefixtures("reached")
@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (Unreachable("connection refused"), "error: the cluster does not answer: connection refused"),
        (NoKubectl(), "error: kubectl is not on PATH"),
        (status(401, "Unauthorized"), "error: the cluster refuses: Unauthorized"),
        (Answer(200, {"a": 1}), "answers, but not as a Kubernetes API server does"),
        (Answer(200), "answers, but not as a Kubernetes API server does"),
    ],
)
def test_an_unreachable_cluster_exits_with_2(
    answer: Answer | ClusterError, words: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(proxy, "connect", lambda _: nullcontext(Saying(answer)))
    assert precheck.run("dev") == 2
    assert words in capsys.readouterr().err


@pytest.mark.usefixtures("reached")
def test_a_stopped_embedded_cluster_is_an_error_that_names_make_sandbox(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Target, "named", lambda _: Target("mesh-dev", "https://here"))
    monkeypatch.setattr(proxy, "connect", lambda _: nullcontext(Saying(Unreachable("connection refused"))))
    assert precheck.run("dev") == 2
    assert "connection refused; `make sandbox` starts it\n" in capsys.readouterr().err


@pytest.mark.usefixtures("reached")
def test_the_offline_variable_is_honoured(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("MESH_OFFLINE", "1")
    assert precheck.run("dev") == 2
    assert "MESH_OFFLINE is set" in capsys.readouterr().err


@pytest.mark.usefixtures("reached")
def test_an_invalid_config_exits_with_2_and_its_message(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CONTEXT", "elsewhere")
    assert precheck.run("dev") == 2
    assert "CONTEXT=elsewhere contradicts mesh:context mesh-dev" in capsys.readouterr().err
    assert precheck.run("dve") == 2
    assert 'did you mean "dev"?' in capsys.readouterr().err


def test_columns_are_aligned_and_details_indented() -> None:
    results = {"a": Result(Level.OK, "fine"), "long name": Result(Level.WARNING, "so so", ["because"])}
    first, second, detail, _ = precheck.report(results, "dev")
    assert first.index("fine") == second.index("so so")
    assert detail == "    because"


def test_the_next_command_names_stack_and_context(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONTEXT", "mine")
    *_, last = precheck.report({"a": Result(Level.OK, "fine")}, "demo")
    assert last.endswith("next: make up STACK=demo CONTEXT=mine")


@pytest.mark.parametrize(
    ("version", "level", "words"),
    [
        ((1, 22), Level.ERROR, "1.22 is too old: 1.23 or later"),
        ((1, 23), Level.OK, "1.23"),
        (TESTED, Level.OK, f"{pins.read().kubernetes} is tested"),
        ((TESTED[0], TESTED[1] + 1), Level.WARNING, f"newer than {pins.read().kubernetes}"),
        ((2, 0), Level.WARNING, "2.0 is newer"),
    ],
)
def test_too_old_versions_are_errors_and_untested_ones_warnings(
    version: tuple[int, int], level: Level, words: str
) -> None:
    result = ownership.kubernetes(case(version=version))
    assert result.level is level
    assert words in result.text


@pytest.mark.parametrize(
    ("version", "level", "words"),
    [
        (
            (1, 31),
            Level.ERROR,
            "1.31 is too old: 1.32 or later is needed: the Istio project supports 1.30 on no older",
        ),
        ((1, 32), Level.OK, "the Istio project supports 1.30.3 on 1.32 to 1.36"),
        ((1, 37), Level.WARNING, "on which this was tested; the Istio project supports 1.30.3 on 1.32 to 1.36"),
    ],
)
def test_the_versions_that_istio_supports_are_the_releases(version: tuple[int, int], level: Level, words: str) -> None:
    today = loading.load({"mesh:release": "1.30"}).settings
    result = ownership.kubernetes(replace(case(version=version), settings=today))
    assert result.level is level
    assert words in result.text


def with_mesh(mark: dict[str, str]) -> Survey:
    return replace(SURVEY, namespaces={**SURVEY.namespaces, "istio-system": mark}, istio="injection webhook x")


def test_another_istio_is_an_error() -> None:
    result = ownership.owner(case(survey=replace(SURVEY, istio="injection webhook x, installed by Helm")))
    assert result.level is Level.ERROR
    assert "installed by Helm" in result.details[0]


def test_a_namespace_that_is_declared_wrongly_is_an_error() -> None:
    result = ownership.owner(case(survey=replace(SURVEY, namespaces={"kube-system": {}})))
    assert "declared `existing`" in result.details[0]


def test_an_old_version_is_reported_once() -> None:
    assert ownership.owner(case(version=(1, 22), survey=replace(SURVEY, version=(1, 22)))).level is Level.OK


def test_the_stacks_own_mesh_is_recognized_by_the_recorded_state() -> None:
    provider = {"pulumi:providers:kubernetes::cluster": {"clusterIdentifier": "uid"}}
    result = ownership.owner(case(survey=with_mesh(OURS), recorded=StackState(provider)))
    assert result == Result(Level.OK, "the mesh on this cluster is this stack's own")
    assert ownership.owner(case(survey=with_mesh(OURS))).level is Level.ERROR


def test_an_unreadable_state_is_a_warning_about_the_meshs_owner() -> None:
    assert ownership.owner(case(survey=with_mesh(OURS), recorded=None)).level is Level.WARNING
    other = {**OURS, names.OWNER_STACK: "prod"}
    assert ownership.owner(case(survey=with_mesh(other), recorded=None)).level is Level.ERROR
    assert ownership.owner(case(recorded=None)).level is Level.OK


def test_a_denied_read_of_what_up_needs_is_an_error_about_the_owner() -> None:
    result = ownership.owner(case(survey=ClusterError("namespaces is forbidden")))
    assert result.level is Level.ERROR
    assert "namespaces is forbidden" in result.text
