"""`python3 -m toolchain.workflows`: GitHub's workflows before actionlint."""

import subprocess
import sys
from pathlib import Path

from toolchain.checkers import ACTIONLINT, checkers
from toolchain.errors import ToolchainError

ROOT = Path(__file__).resolve().parent.parent


def lint(text: str = "") -> subprocess.CompletedProcess[str]:
    """What actionlint says of this project's workflows, or of the text of another one; exit code 1 if anything.

    Shell scripts in them are left alone: that would depend on what else is installed. ToolchainError if it cannot be
    built.
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
