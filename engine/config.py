"""The stack's config, as Pulumi passes it to the program."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pulumi
from pulumi.runtime import config

from mesh.config import stack_file
from mesh.config.settings import NAMESPACE, SettingsError

_STACKS: Final = Path(__file__).resolve().parent.parent / "stacks"


@dataclass(frozen=True)
class Config:
    """The config of a stack, without its encrypted values."""

    values: Mapping[str, str]
    """Values by `namespace:key`; maps, lists and booleans are JSON text. Placeholders stand for encrypted values."""
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    """The encrypted values of the settings, decrypted, by placeholder."""


def of_stack(stack: str) -> Config:
    """The config of the running program's stack. Raises SettingsError if it has encrypted values that the stack file
    does not mark."""
    values = config.CONFIG.get() or from_environment()
    if not any(_is_secret(key) for key in values):
        return Config(values)
    file = _stack_file(stack)
    paths = list(stack_file.encrypted(stack_file.document(file))) if file.exists() else []
    decoded, secrets = dict(values), dict[str, str]()
    for (key, *inner), placeholder in paths:
        name = str(key)
        if not _is_secret(name) or name not in decoded:
            continue
        if inner:
            content = json.loads(decoded[name])
            *parents, last = inner
            at: Any = content
            for step in parents:
                at = at[_key(at, step)]
            secrets[placeholder], at[_key(at, last)] = at[_key(at, last)], placeholder
            decoded[name] = json.dumps(content)
        else:
            secrets[placeholder], decoded[name] = decoded[name], placeholder
    told = {str(path[0]) for path, _ in paths}
    if unknown := [key for key in values if _is_secret(key) and key not in told]:
        raise SettingsError(
            f"{', '.join(unknown)}: encrypted, and {file} does not say which values are: run `make up`, or, by hand,"
            f' `eval "$(make -s env STACK={stack})"` first, and Pulumi with --config-file "${stack_file.VARIABLE}"'
        )
    return Config(decoded, secrets)


def _key(at: Any, step: int | str) -> int | str:
    """A step of a path in a stack file, as a key or index of the JSON, whose keys are strings."""
    return step if isinstance(at, list) else str(step)


def _is_secret(key: str) -> bool:
    """Whether a key is a setting with an encrypted value. Passwords of addons are read through Pulumi's own config."""
    secret = config.is_config_secret(key) or key in config.get_config_secret_keys_env()
    return secret and key.startswith(f"{NAMESPACE}:")


def _stack_file(stack: str) -> Path:
    """The stack file: the one that `make` names, otherwise that of the project."""
    name = f"Pulumi.{stack}.yaml"
    named = Path(os.environ.get(stack_file.VARIABLE, ""))
    return named if named.name == name else _STACKS / name


def from_environment() -> Mapping[str, str]:
    """The config in the environment variable that Pulumi sets; empty without it."""
    return config.get_config_env()


def replace(values: Mapping[str, str]) -> None:
    """Replaces the stack's config for the rest of the process."""
    config.set_all_config(dict(values))


def missing_secrets(namespace: str, keys: Iterable[str], made: bool = True) -> Iterator[str]:
    """A message for each secret in `keys` that the config lacks; none in a preview, which does not need them. `made`:
    whether `make up` generates them; otherwise the user has to set them."""
    held = pulumi.Config(namespace)
    for key in () if pulumi.runtime.is_dry_run() else keys:
        if held.get_secret(key) is None:
            way = "`make up` generates it, or set your own" if made else "set it"
            yield (
                f"{namespace}:{key} is not in the stack's config: {way} with"
                f" `pulumi config set --secret {namespace}:{key}`"
            )
