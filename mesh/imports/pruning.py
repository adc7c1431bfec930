"""Removes the parts of a config that make no difference, and those that are not valid."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from mesh.config import loading
from mesh.config.settings import NAMESPACE, Settings, SettingsError
from mesh.core import errors
from mesh.imports import fitting
from mesh.imports.source import Data, Left, Steps

_PROBLEM: Final = re.compile(rf"{NAMESPACE}:(?P<path>\S+?):? (?P<text>.*)", re.DOTALL)
_STEPS: Final = re.compile(r'\["(?P<quoted>[^"]*)"]|\[(?P<index>\d+)]|(?P<name>[^.\[\]]+)')
_TRIES: Final = 100
"""The maximum number of invalid parts that are taken out of one config, one after the other."""


def settings_of(config: Data) -> Settings:
    """The settings of a config whose keys are without `mesh:`. Raises SettingsError."""
    return loading.load(texts(config)).settings


def texts(config: Data) -> dict[str, str]:
    """A config whose keys are without `mesh:` as Pulumi passes it on."""
    return {
        f"{NAMESPACE}:{key}": value if isinstance(value, str) else json.dumps(value) for key, value in config.items()
    }


def valid(config: Data) -> tuple[dict[str, Any], list[Left]]:
    """The config without the parts that are not valid together, and those with the reasons. Raises SettingsError for
    problems that no part of the config has."""
    found, left = copy.deepcopy(dict(config)), list[Left]()
    for _ in range(_TRIES):
        try:
            settings_of(found)
        except SettingsError as error:
            left.append(_taken_out(found, error))
        else:
            break
    return found, left


def _taken_out(config: dict[str, Any], error: SettingsError) -> Left:
    """Takes the part with the first problem out of the config."""
    for problem in str(error).splitlines():
        said = _PROBLEM.fullmatch(problem)
        if said is None:
            continue
        path = _existing(
            config, tuple(one["quoted"] or one["index"] or one["name"] for one in _STEPS.finditer(said["path"]))
        )
        if path:
            _remove(config, path)
            return Left(path=f"{NAMESPACE}:{fitting.said(path)}", why=said["text"])
    raise error


def _existing(config: Any, path: Steps) -> Steps:
    """The beginning of a path that the config has."""
    found: list[str] = []
    for step in path:
        if isinstance(config, Mapping) and step in config:
            config = config[step]
        elif isinstance(config, list) and step.isdigit() and int(step) < len(config):
            config = config[int(step)]
        else:
            break
        found.append(step)
    return tuple(found)


def _remove(config: Any, path: Steps) -> None:
    for step in path[:-1]:
        config = config[int(step) if isinstance(config, list) else step]
    del config[int(path[-1]) if isinstance(config, list) else path[-1]]


def pruned(config: Data) -> dict[str, Any]:
    """The config without the parts that change nothing, since the profile has the same values."""
    found = copy.deepcopy(dict(config))
    whole = settings_of(found)
    for path in list(_leaves(found)):
        less = copy.deepcopy(found)
        _remove(less, path)
        for end in range(len(path) - 1, 0, -1):
            if not _at(less, path[:end]):
                _remove(less, path[:end])
        try:
            same = settings_of(less) == whole
        except errors.UserError:
            same = False
        if same:
            found = less
    return found


def _at(config: Any, path: Steps) -> Any:
    for step in path:
        config = config[step]
    return config


def _leaves(value: Any, path: Steps = ()) -> Iterator[Steps]:
    """The paths of values that are not maps, and of empty maps."""
    if isinstance(value, Mapping) and (value or not path):
        for key, inner in value.items():
            yield from _leaves(inner, (*path, str(key)))
    else:
        yield path
