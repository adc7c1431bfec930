"""The release of a stack, and images that belong to another release."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mesh import releases
from mesh.config import loading, stack_file
from mesh.config.settings import SettingsError
from tests.releases import RELEASE


def load(**config: Any) -> Any:
    """The settings of config keys as Pulumi hands them over; `__` stands for a dot between names of a map."""
    written: dict[str, Any] = {}
    for path, value in config.items():
        *parents, last = path.split("__")
        place = written
        for parent in parents:
            place = place.setdefault(parent, {})
        place[last] = value
    texts = {key: value if isinstance(value, str) else json.dumps(value) for key, value in written.items()}
    return loading.load({f"mesh:{key}": text for key, text in texts.items()}).settings


def refusal(**config: Any) -> str:
    with pytest.raises(SettingsError) as refused:
        load(**config)
    return str(refused.value)


def test_the_default_release_exists_and_every_release_has_its_registered_name() -> None:
    assert releases.DEFAULT in releases.NAMES
    assert [releases.get(name).name for name in releases.NAMES] == list(releases.NAMES)


@pytest.mark.parametrize("name", releases.NAMES)
def test_a_release_is_named_by_its_minor_version(name: str) -> None:
    assert releases.get(name).version.startswith(f"{name}.")


def test_a_stack_installs_the_release_that_it_names_with_its_images() -> None:
    settings = load(release="1.10")
    assert (settings.hub, settings.tag) == (RELEASE.hub, RELEASE.version)
    assert settings.installation.release is releases.get("1.10")
    assert load() == settings


def test_hub_and_tag_of_the_stack_override_those_of_the_release() -> None:
    settings = load(hub="registry.example.org/istio", tag="1.10.6")
    assert settings.image("pilot") == "registry.example.org/istio/pilot:1.10.6"


def test_an_unknown_release_is_refused_with_the_known_ones() -> None:
    assert refusal(release="1.11") == 'mesh:release: "1.11" is not one of 1.10; did you mean "1.10"?'


def test_an_unquoted_release_is_refused_with_the_advice_to_quote_it(tmp_path: Path) -> None:
    file = tmp_path / "Pulumi.x.yaml"
    file.write_text("config: {mesh:release: 1.10}")
    with pytest.raises(SettingsError) as refused:
        loading.load(stack_file.config(stack_file.document(file)))
    assert str(refused.value) == (
        "mesh:release: 1.10 has no quotes, and YAML reads it as the number 1.1: put it in quotes"
    )


def test_an_unknown_release_does_not_hide_other_problems() -> None:
    text = refusal(release="1.11", profile="demmo", hub="here/")
    assert [line.split(":")[1] for line in text.splitlines()] == ["hub", "release", "profile"]


def test_a_regular_expression_that_the_release_does_not_support_is_refused() -> None:
    rule = {"match": {"path": {"regex": "(?<name>a)"}}, "route": "v1"}
    services = {"reviews": {"namespace": "default", "versions": ["v1"], "rules": [rule]}}
    text = refusal(injectedNamespaces={"default": "existing"}, traffic={"services": services})
    assert text.startswith('mesh:traffic.services.reviews.rules[0].match[0].path.regex: "(?<name>a)": (?<name> is not')


@pytest.mark.parametrize(
    "tag", ["1.10.6", "1.10.3-distroless", "1.10", "v1.10.4", "latest", "x", "prod-7", "2021-07-01", "21.10", "11.1"]
)
def test_a_tag_of_the_release_or_without_a_version_is_accepted(tag: str) -> None:
    assert load(tag=tag).tag == tag


@pytest.mark.parametrize("tag", ["1.24.2", "1.9.0-distroless", "v1.11", "1.1", "1.100.0", "1.11-alpha.0"])
def test_a_tag_of_another_release_is_refused_with_a_solution(tag: str) -> None:
    text = refusal(tag=tag)
    assert text.startswith(f'mesh:tag: "{tag}" is of Istio 1.')
    assert "mesh:release is 1.10" in text
    assert "use a tag of 1.10" in text


@pytest.mark.parametrize("key", ["pilot__image", "global__proxy__image", "global__proxy_init__image", "cni__image"])
def test_a_full_image_reference_of_another_release_is_refused(key: str) -> None:
    path = key.replace("__", ".")
    for image in ("localhost:5000/istio/some:1.24.2", f"istio/some:1.11.0@sha256:{'0' * 64}"):
        assert refusal(**{key: image}).startswith(f'mesh:{path}: "{image[:30]}')
    for image in ("pilot", "localhost:5000/some", "istio/some:1.10.5", "istio/some:prod", "1.9/some@sha256:0"):
        load(**{key: image})
