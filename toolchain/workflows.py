"""`python3 -m toolchain.workflows`: checks the project's GitHub workflows with actionlint."""

import subprocess
import sys
from pathlib import Path

from toolchain.checkers import ACTIONLINT, checkers
from toolchain.errors import ToolchainError

ROOT = Path(__file__).resolve().parent.parent


def lint(text: str = "") -> subprocess.CompletedProcess[str]:
    """Runs actionlint on the project's workflows, or on `text` if it is given; the exit code is 1 if it finds anything.

    Shell and Python scripts in workflows are not checked, since those checks depend on other installed programs. Raises
    ToolchainError if actionlint cannot be built.
    """
    command = [str(checkers(ACTIONLINT) / "actionlint"), "-no-color", "-shellcheck=", "-pyflakes="]
    given = ["-stdin-filename", ".github/workflows/given.yml", "-"] if text else []
    return subprocess.run([*command, *given], cwd=ROOT, input=text, capture_output=True, text=True, check=False)


def main() -> int:
    try:
        found = lint()
    except ToolchainError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(found.stdout + found.stderr, end="")
    return found.returncode


if __name__ == "__main__":
    sys.exit(main())
