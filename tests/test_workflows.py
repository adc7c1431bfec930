"""GitHub's workflows: their permissions, the commands that they call, and their scripts, run with a fake `gh`."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from mesh.config import loading
from mesh.core.names import DEFAULT_NAMES
from mesh.review import markdown
from mesh.review.review import Review
from tests import meshes, workflows
from tests.meshes import manifest_of
from tests.review import SOURCE, item
from tests.workflows import ROOT

TARGETS = set(re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE))
SCRIPTS = {".github/workflows/preview.yml comment", ".github/workflows/drift.yml issue"}
"""Jobs with steps that call `gh`."""
CALLS: Mapping[str, set[str]] = {
    ".github/workflows/ci.yml test": {".ci/run"},
    ".github/workflows/try.yml try": {"kind create cluster --name pr --wait 2m"},
}
"""Other commands that steps call, by job."""
FAKE_GH = f"""#!{sys.executable}
import json, os, pathlib, subprocess, sys
folder, words = pathlib.Path(os.environ["GH_FOLDER"]), sys.argv[1:]
with (folder / "calls").open("a") as calls:
    calls.write(json.dumps(words) + "\\n")
if "--jq" in words:
    known = (folder / "known.json").read_text()
    asked = ["jq", "-r", words[words.index("--jq") + 1]]
    sys.exit(subprocess.run(asked, input=known, text=True).returncode)
"""


def test_the_workflows_are_found() -> None:
    names = {Path(name).name for name in workflows.texts()}
    assert names == {"ci.yml", "preview.yml", "deploy.yml", "drift.yml", "action.yml", "try.yml"}


def test_every_action_is_pinned_by_commit_with_its_version_in_a_comment() -> None:
    lines = [line.strip() for text in workflows.texts().values() for line in text.splitlines() if "uses:" in line]
    of_others = [line for line in lines if "uses: ./" not in line]
    assert len(of_others) >= 8
    pinned = re.compile(r"(- )?uses: actions/[a-z-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+")
    assert [line for line in of_others if not pinned.fullmatch(line)] == []


def test_an_action_has_the_same_pin_everywhere() -> None:
    pins: dict[str, set[str]] = {}
    for text in workflows.texts().values():
        for name, pin in re.findall(r"uses: (\S+)@(.*)", text):
            pins.setdefault(name, set()).add(pin)
    assert {name: some for name, some in pins.items() if len(some) > 1} == {}


def test_a_local_action_exists() -> None:
    ours = {step["uses"] for _, step in workflows.steps() if step.get("uses", "").startswith("./")}
    assert ours
    assert all((ROOT / name / "action.yml").exists() for name in ours)


def test_every_step_calls_a_make_target_or_a_listed_command() -> None:
    called = 0
    for place, step in workflows.steps():
        if "run" not in step or place in SCRIPTS or step["run"] in CALLS.get(place, ()):
            continue
        program, *words = shlex.split(step["run"])
        goals = {word for word in words if "=" not in word}
        assert program == "make", (place, step["run"])
        assert goals, (place, step["run"])
        assert goals <= TARGETS, (place, step["run"])
        called += 1
    assert called >= 6


def test_scripts_call_only_gh() -> None:
    known = {"gh", "for", "do", "done", "if", "then", "elif", "else", "fi", "export", "head", "tail", "grep"}
    for place in SCRIPTS:
        script = next(step["run"] for at, step in workflows.steps() if at == place and "run" in step)
        commands = re.findall(r"(?:^|\$\(|[|;] |then |if ! |elif ! )\s*([a-z.\-/]+)(?=[ \n]|$)", script, re.MULTILINE)
        assert "gh" in commands
        assert set(commands) <= known


def test_a_step_takes_untrusted_values_from_its_environment() -> None:
    assert [step["run"] for _, step in workflows.steps() if "${{" in step.get("run", "")] == []


@pytest.mark.parametrize(("place", "job"), [pytest.param(*one, id=one[0]) for one in workflows.jobs()])
def test_every_job_sets_permissions_and_a_timeout(place: str, job: Mapping[str, Any]) -> None:
    assert yaml.safe_load(workflows.texts()[place.split()[0]])["permissions"] == {}
    assert 0 < job["timeout-minutes"] <= 120
    writes = {name for name, right in job["permissions"].items() if right != "read"}
    allowed = {
        ".github/workflows/preview.yml comment": {"pull-requests"},
        ".github/workflows/drift.yml issue": {"issues"},
    }
    assert writes == allowed.get(place, set())


def test_a_job_with_write_permission_runs_no_code_of_the_pull_request() -> None:
    for place, job in workflows.jobs():
        if set(job["permissions"].values()) != {"read"}:
            assert not any("checkout" in step.get("uses", "") for step in job["steps"]), place


def test_a_checkout_keeps_no_token() -> None:
    checkouts = [step for _, step in workflows.steps() if "checkout@" in step.get("uses", "")]
    assert checkouts
    assert all(step["with"]["persist-credentials"] is False for step in checkouts)


def test_secrets_are_used_only_in_jobs_with_an_environment_and_never_for_a_pull_request() -> None:
    for name, text in workflows.texts().items():
        triggers = yaml.safe_load(text).get(True)  # `on`, to YAML
        assert "pull_request_target" not in text
        assert not ("${{ secrets." in text and "pull_request" in str(triggers)), name
    for place, job in workflows.jobs():
        assert ("secrets." in str(job)) == ("environment" in job), place


def test_two_updates_never_run_at_once() -> None:
    ups = [job for _, job in workflows.jobs() if "secrets." in str(job) and "kubeconfig up" in str(job)]
    assert [job["concurrency"] for job in ups] == [{"group": "mesh-demo", "cancel-in-progress": False}]


def test_the_documentation_names_each_secret_and_variable() -> None:
    found = {name for text in workflows.texts().values() for name in re.findall(r"(?:secrets|vars)\.(\w+)", text)}
    assert len(found) >= 6
    assert [name for name in found if f"`{name}`" not in workflows.DOCUMENT.read_text()] == []


def test_the_stack_of_the_documentation_is_valid() -> None:
    config = yaml.safe_load(workflows.examples()["stacks/Pulumi.pr.yaml"])["config"]
    text = {key: value if isinstance(value, str) else json.dumps(value) for key, value in config.items()}
    assert loading.load(text, "kind-pr").settings.context == "kind-pr"


def script(place: str) -> str:
    return next(str(step["run"]) for at, step in workflows.steps() if at == place and "gh " in step.get("run", ""))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    if not shutil.which("jq"):
        pytest.skip("jq, which is in gh itself, is not installed")
    gh = tmp_path / "bin" / "gh"
    gh.parent.mkdir()
    gh.write_text(FAKE_GH)
    gh.chmod(0o755)
    (tmp_path / "reports").mkdir()
    return tmp_path


def run(folder: Path, place: str, known: object, **env: str) -> Sequence[Sequence[str]]:
    """Runs the script of a job as GitHub does, and returns the calls of `gh`, which answers with `known`."""
    (folder / "known.json").write_text(json.dumps(known))
    path = f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}"
    command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script(place)]
    whole = {**os.environ, "PATH": path, "GH_FOLDER": str(folder), "GH_REPO": "me/mesh", **env}
    subprocess.run(command, cwd=folder, env=whole, timeout=30, check=True)
    return [json.loads(line) for line in (folder / "calls").read_text().splitlines()]


def report(folder: Path, stack: str, *changed: meshes.Manifest) -> str:
    """Writes the report of a change, and returns its first line."""
    old, new = ([item(one) for one in side] for side in (meshes.valid_mesh(), meshes.changed(changed)))
    text = markdown.write(Review.of(stack, SOURCE, old, new, DEFAULT_NAMES))
    (folder / "reports" / f"{stack}.md").write_text(text)
    return text.splitlines()[0]


WEAK = manifest_of("PeerAuthentication", "default", {"mtls": {"mode": "PERMISSIVE"}})


def comments(folder: Path, *bodies: str, author: str = "github-actions[bot]") -> Sequence[Sequence[str]]:
    """The calls of `gh` about comments, if these exist already."""
    known = [{"id": 70 + i, "user": {"login": author}, "body": body} for i, body in enumerate(bodies)]
    calls = run(folder, ".github/workflows/preview.yml comment", known, NUMBER="12")
    return [call for call in calls if "--jq" not in call]


def test_the_first_report_of_a_stack_creates_a_comment(folder: Path) -> None:
    report(folder, "demo", WEAK)
    assert comments(folder, "LGTM") == [["pr", "comment", "12", "--body-file", "reports/demo.md"]]


def test_a_later_report_of_a_stack_updates_its_comment(folder: Path) -> None:
    marks = [report(folder, "demo", WEAK), report(folder, "dev", WEAK)]
    edits = comments(folder, "LGTM", f"{marks[1]}\nbefore", f"{marks[0]}\nbefore")
    assert [(call[1], call[-2]) for call in edits] == [
        ("repos/me/mesh/issues/comments/72", "body=@reports/demo.md"),
        ("repos/me/mesh/issues/comments/71", "body=@reports/dev.md"),
    ]
    assert all(call[:1] == ["api"] and "PATCH" in call for call in edits)


def test_a_comment_of_somebody_else_is_left_alone(folder: Path) -> None:
    mark = report(folder, "demo", WEAK)
    (made,) = comments(folder, f"{mark}\nquoted", author="somebody")
    assert made[:2] == ["pr", "comment"]


def test_a_stack_without_changes_gets_no_new_comment_but_an_old_one_is_updated(folder: Path) -> None:
    mark = report(folder, "demo")
    assert comments(folder) == []
    assert "PATCH" in comments(folder, f"{mark}\nbefore")[0]


@pytest.mark.parametrize(
    ("result", "open_", "done"),
    [
        ("failure", [], ["issue", "create"]),
        ("failure", [{"number": 5}], ["issue", "edit", "5"]),
        ("success", [{"number": 5}], ["issue", "close", "5"]),
        ("success", [], []),
    ],
)
def test_drift_opens_one_issue_and_its_end_closes_it(
    folder: Path, result: str, open_: object, done: Sequence[str]
) -> None:
    url = "https://example.com/runs/1"
    calls = run(folder, ".github/workflows/drift.yml issue", open_, RESULT=result, RUN=url)
    assert [call[:2] for call in calls[:2]] == [["label", "create"], ["issue", "list"]]
    last = calls[2:]
    assert [call[: len(done)] for call in last] == ([done] if done else [])
    assert all(url in call[-1] for call in last)


def make(*words: str, **env: str) -> subprocess.CompletedProcess[str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("KUBECONFIG", "GITHUB_", "MAKE"))}
    command = ["make", "--silent", *words]
    return subprocess.run(
        command, cwd=ROOT, env={**kept, **env}, capture_output=True, text=True, timeout=60, check=False
    )


def test_the_kubeconfig_is_readable_by_its_owner_only_and_replaces_no_file(tmp_path: Path) -> None:
    file = tmp_path / "kubeconfig"
    given = {"KUBECONFIG": str(file), "KUBECONFIG_DATA": "users: ['$HOME']\nclusters: []"}
    assert make("kubeconfig", **given).returncode == 0
    assert file.read_text() == "users: ['$HOME']\nclusters: []\n"
    assert file.stat().st_mode & 0o777 == 0o600
    assert make("kubeconfig", **given).returncode != 0


def test_a_missing_kubeconfig_is_reported(tmp_path: Path) -> None:
    done = make("kubeconfig", KUBECONFIG=str(tmp_path / "kubeconfig"), KUBECONFIG_DATA="")
    assert done.returncode != 0
    assert "KUBECONFIG_DATA: holds no kubeconfig" in done.stderr
    assert not list(tmp_path.iterdir())


def test_the_summary_has_every_report(folder: Path) -> None:
    marks = [report(folder, "demo", WEAK), report(folder, "dev")]
    page = folder / "page"
    assert make("summary", f"OUT={folder / 'reports'}", GITHUB_STEP_SUMMARY=str(page)).returncode == 0
    assert [line for line in page.read_text().splitlines() if line in marks] == marks
