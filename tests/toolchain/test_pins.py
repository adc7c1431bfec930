"""The versions of the programs that are built, and the key of the cache that follows from them."""

import re
from pathlib import Path

import pytest

from toolchain import pins

PINS = pins.read()
KEY = PINS.key


def test_the_python_sdk_has_the_engines_version() -> None:
    assert f"\npulumi=={PINS.pulumi}\n" in f"\n{pins.REQUIREMENTS.read_text()}"


def test_go_mod_names_exactly_the_tools_that_are_built() -> None:
    directives = re.search(r"^tool \((.*?)\)", (pins.MODULE / "go.mod").read_text(), re.M | re.S)
    assert directives
    packages = {name for name in pins.PACKAGES.values() if not name.startswith("mesh.local/")}
    assert set(directives.group(1).split()) == packages


def test_the_language_hosts_go_mod_names_exactly_its_tool() -> None:
    directives = re.findall(r"^tool (\S+)$", (pins.LANGUAGE_HOST / "go.mod").read_text(), re.M)
    assert directives == list(pins.HOST_PACKAGES.values())


def test_the_linker_flags_set_the_pinned_versions() -> None:
    flags = pins.Pins(pulumi="3.1.2", provider="4.5.6", kubernetes="1.33.7", go="1.24.0").linker_flags
    for wanted in ("version.Version=v3.1.2", "main.version=4.5.6", "gitVersion=v1.33.7", "gitMinor=33"):
        assert wanted in flags


def test_a_missing_pin_is_an_error_that_names_the_file(tmp_path: Path) -> None:
    requirements = tmp_path / "requirements.txt"
    requirements.write_text("pulumi==3.1.2\n")
    with pytest.raises(ValueError, match=r"requirements\.txt"):
        pins.read(requirements=requirements)


@pytest.fixture
def copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the Go sources in another folder."""
    copy = tmp_path / "toolchain"
    for source in [*pins.MODULE.rglob("go.*"), *pins.MODULE.rglob("*.go")]:
        target = copy / source.relative_to(pins.MODULE)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(source.read_bytes())
    monkeypatch.setattr(pins, "MODULE", copy)
    return copy


def test_the_same_sources_give_the_same_cache_key_wherever_they_are(copy: Path) -> None:
    assert copy == pins.MODULE
    assert pins.read().key == KEY


@pytest.mark.parametrize(
    "name", ["go.mod", "go.sum", "provider/main.go", "kubernetes-sdk/kinds.go", "language-host/go.sum"]
)
def test_each_source_of_a_program_changes_the_cache_key(copy: Path, name: str) -> None:
    with (copy / name).open("a") as file:
        file.write("\n")
    assert pins.read().key != KEY


def test_the_module_of_the_checkers_does_not_change_the_cache_key(copy: Path) -> None:
    with (copy / "istio" / "go.mod").open("a") as file:
        file.write("\n")
    assert pins.read().key == KEY


def test_another_release_of_the_provider_changes_the_cache_key() -> None:
    other = pins.Pins(pulumi=PINS.pulumi, provider="4.0.0", kubernetes=PINS.kubernetes, go=PINS.go)
    assert other.key != KEY
