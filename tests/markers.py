"""Configs with a marker in place of strings, which no output may show."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from mesh.config import loading, stack_file
from mesh.config.settings import SettingsError
from mesh.config.stack import Stack
from mesh.core.typed import Path as Keys

_FOLDER: Final = Path(__file__).parent
WHOLE: Final[Mapping[str, Any]] = {
    key: value
    for name in ("everything", "installation")
    for key, value in yaml.safe_load((_FOLDER / f"{name}.yaml").read_text()).items()
}
"""A config with every field of traffic and security, and with strings of the other settings."""
_ADDONS: Final = {"mesh-addons:grafanaPassword": "p" * 9, "mesh-addons:kialiSigningKey": "k" * 32}


def config(settings: Mapping[str, Any]) -> dict[str, str]:
    """The config in the form in which Pulumi provides it."""
    return {**stack_file.config({"config": {f"mesh:{key}": value for key, value in settings.items()}}), **_ADDONS}


def load(settings: Mapping[str, Any]) -> Stack:
    return loading.load(config(settings))


def strings(value: Any, path: Keys = ()) -> Iterator[Keys]:
    """The paths of all strings."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from strings(item, (*path, key))
    elif isinstance(value, list):
        for i, item in enumerate(value):
            yield from strings(item, (*path, i))
    elif isinstance(value, str):
        yield path


def with_value(settings: Mapping[str, Any], path: Keys, value: Any) -> dict[str, Any]:
    """A copy of the settings with another value at the path."""
    changed = copy.deepcopy(dict(settings))
    at: Any = changed
    for step in path[:-1]:
        at = at[step]
    at[path[-1]] = value
    return changed


def planted(value: Any) -> tuple[dict[str, Any], Mapping[Keys, str]]:
    """The settings with the value in place of every string that may have it, and the errors about the other strings."""
    settings, refused = dict(WHOLE), dict[Keys, str]()
    for path in strings(WHOLE):
        tried = with_value(settings, path, value)
        try:
            load(tried)
        except SettingsError as error:
            refused[path] = str(error)
        else:
            settings = tried
    return settings, refused


def key(path: Keys) -> str:
    return f"mesh:{stack_file.key_at(path)}"


def text(value: Any) -> str:
    """Plain data as text."""
    return json.dumps(value, ensure_ascii=False, default=str)
