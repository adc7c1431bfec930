"""Links of the pages lead somewhere, the recipes name files that exist, and each diff in docs/architecture.md is
complete: applied to the program, it has the described effect."""

import json
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[1]
GUIDE = ROOT / "docs" / "architecture.md"
PROGRAM = (
    *("__main__.py", "Pulumi.yaml", "cluster", "commands", "components", "engine", "mesh"),
    *("sandbox", "stacks", "toolchain"),
)
PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *(ROOT / "examples").rglob("*.md")]
RECIPES = [ROOT / name for name in ("CONTRIBUTING.md", "SECURITY.md")]


def prose(page: Path) -> str:
    """A page without its code blocks."""
    return re.sub(r"^ *```.*?^ *```", "", page.read_text(), flags=re.DOTALL | re.MULTILINE)


def anchors(page: Path) -> set[str]:
    """The anchors that GitHub gives the headings of a page."""
    titles = re.findall(r"^#+ (.*)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_the_links_of_a_page_lead_to_files_and_headings(page: Path) -> None:
    for link in re.findall(r"\]\(([^)\s]+)\)", prose(page)):
        name, _, anchor = link.partition("#")
        target = page.parent / name if name else page
        assert "://" in link or target.exists(), link
        assert not anchor or "://" in link or anchor in anchors(target), link


@pytest.mark.parametrize("page", RECIPES, ids=lambda page: page.name)
def test_the_files_of_the_recipes_exist(page: Path) -> None:
    """`NAME` in a path stands for any name."""
    paths = re.findall(r"`([\w.-]+/[\w./-]*|[\w-]+\.(?:md|toml|yaml))`", prose(page))
    assert [path for path in paths if not any(ROOT.glob(path.replace("NAME", "*")))] == []


def test_the_tests_of_the_recipes_are_those_of_the_project() -> None:
    shown = re.findall(r"`([\w./]+)`:\n```python\n(.*?)```", RECIPES[0].read_text(), re.DOTALL)
    assert len(shown) == 2
    assert [name for name, code in shown if code not in (ROOT / name).read_text()] == []


def test_the_changelog_begins_with_what_is_unreleased_and_then_the_version_of_the_project() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    first, second, *_ = re.findall(r"^## (.*)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert (first, second.partition(" - ")[0]) == ("Unreleased", version)
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", second.partition(" - ")[2])


def rendered(tmp_path: Path, file: str, stack: str, config: str = "mesh:profile: lean") -> list[dict[str, Any]]:
    """The objects of a stack, after the diff of `file` is applied to a copy of the program. The stack `lean` has this
    `config`."""
    diffs = map(dedent, re.findall(r"^  ```diff\n(.*?)^  ```", GUIDE.read_text(), re.DOTALL | re.MULTILINE))
    (diff,) = (text for text in diffs if f"+++ b/{file}\n" in text)
    for name in PROGRAM:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, tmp_path / name)
    subprocess.run(["git", "apply", "-"], input=diff, text=True, cwd=tmp_path, check=True)
    (tmp_path / "stacks" / "Pulumi.lean.yaml").write_text(f"config: {{{config}}}")
    command = [sys.executable, "-m", "commands", "render", stack, "--out", "out"]
    subprocess.run(command, cwd=tmp_path, capture_output=True, timeout=60, check=True)
    return [yaml.safe_load(path.read_text()) for path in (tmp_path / "out").rglob("*.yaml")]


def named(manifests: list[dict[str, Any]], kind: str, name: str) -> dict[str, Any]:
    return next(m for m in manifests if (m["kind"], m["metadata"]["name"]) == (kind, name))


@pytest.mark.slow
def test_a_new_profile_needs_only_the_diff_in_the_docs(tmp_path: Path) -> None:
    objects = rendered(tmp_path, "mesh/releases/v1_10/profiles.py", "lean")
    (container,) = named(objects, "Deployment", "istiod")["spec"]["template"]["spec"]["containers"]
    assert container["resources"]["requests"] == {"cpu": "50m", "memory": "256Mi"}
    assert "HorizontalPodAutoscaler" not in {manifest["kind"] for manifest in objects}


@pytest.mark.slow
def test_a_new_gateway_needs_only_the_diff_in_the_docs(tmp_path: Path) -> None:
    objects = rendered(tmp_path, "stacks/Pulumi.demo.yaml", "demo")
    spec = named(objects, "Service", "internal")["spec"]
    assert (spec["type"], [port["nodePort"] for port in spec["ports"]]) == ("NodePort", [31444])
    assert named(objects, "Deployment", "internal")


@pytest.mark.slow
def test_a_new_release_needs_only_the_diff_in_the_docs(tmp_path: Path) -> None:
    objects = rendered(tmp_path, "mesh/releases/v1_31/release.py", "lean", 'mesh:release: "1.31"')
    pods = [m["spec"]["template"]["spec"] for m in objects if m["kind"] == "Deployment"]
    assert {container["image"] for pod in pods for container in pod["containers"]} == {
        "registry.istio.io/release/pilot:1.31.0",
        "registry.istio.io/release/proxyv2:1.31.0",
    }
    values = json.loads(named(objects, "ConfigMap", "istio-sidecar-injector")["data"]["values"])
    assert values["global"]["tag"] == "1.31.0"
