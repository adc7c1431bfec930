"""GitHub workflows of this project and of its documentation, checked by actionlint."""

from __future__ import annotations

import pytest

from tests import workflows
from toolchain.workflows import lint

EXAMPLES = {name: text for name, text in workflows.examples().items() if name.startswith(".github")}


def test_actionlint_accepts_every_workflow() -> None:
    done = lint()
    assert (done.returncode, done.stdout) == (0, ""), done.stdout + done.stderr


@pytest.mark.parametrize("name", EXAMPLES)
def test_actionlint_accepts_the_workflow_of_the_documentation(name: str) -> None:
    done = lint(EXAMPLES[name])
    assert (done.returncode, done.stdout) == (0, ""), done.stdout + done.stderr


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        ("pull-requests: write", "pull-request: write", 'unknown permission scope "pull-request"'),
        ("needs: report", "needs: reports", 'needs job "reports"'),
        ("$BRANCH", "${{ github.head_ref }}", "potentially untrusted"),
        ("github.base_ref", "github.base_reff", 'property "base_reff" is not defined'),
    ],
)
def test_actionlint_finds_an_error(right: str, wrong: str, said: str) -> None:
    text = (workflows.ROOT / ".github" / "workflows" / "preview.yml").read_text()
    assert right in text
    done = lint(text.replace(right, wrong))
    assert done.returncode == 1
    assert said in done.stdout
