"""The GitHub workflows of this project and of its documentation, as data."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[1]
FILES = sorted(file for folder in ("workflows", "actions") for file in (ROOT / ".github" / folder).rglob("*.yml"))
DOCUMENT = ROOT / "docs" / "pull-requests.md"


def examples() -> Mapping[str, str]:
    """The YAML files in docs/pull-requests.md, by name."""
    return dict(re.findall(r"`([\w./]+\.ya?ml)`:\n```yaml\n(.*?)```", DOCUMENT.read_text(), re.DOTALL))


def texts() -> Mapping[str, str]:
    """Every workflow and action of the project and the documentation, by name."""
    shown = {name: text for name, text in examples().items() if name.startswith(".github")}
    return {**{str(file.relative_to(ROOT)): file.read_text() for file in FILES}, **shown}


def jobs() -> Iterator[tuple[str, Mapping[str, Any]]]:
    for name, text in texts().items():
        for job, content in (yaml.safe_load(text).get("jobs") or {}).items():
            yield f"{name} {job}", content


def steps() -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The steps of jobs and of actions, each with the name of its job or action."""
    for place, job in jobs():
        yield from ((place, step) for step in job["steps"])
    for name, text in texts().items():
        yield from ((name, step) for step in (yaml.safe_load(text).get("runs") or {}).get("steps", ()))
