"""The stack's config, as Pulumi hands it to the program."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import pulumi
from pulumi.runtime import config


def of_stack() -> Mapping[str, str]:
    """The whole config of the stack: values by `namespace:key`; maps, lists and booleans are JSON text."""
    return config.CONFIG.get() or from_environment()


def from_environment() -> Mapping[str, str]:
    """The config in the environment variable that Pulumi sets; empty without it."""
    return config.get_config_env()


def replace(values: Mapping[str, str]) -> None:
    """Replaces the stack's config for the rest of the process."""
    config.set_all_config(dict(values))


def missing_secrets(namespace: str, keys: Iterable[str]) -> Iterator[str]:
    """A message for each secret in `keys` that the config lacks; none in a preview, which does not need them."""
    held = pulumi.Config(namespace)
    for key in () if pulumi.runtime.is_dry_run() else keys:
        if held.get_secret(key) is None:
            yield (
                f"{namespace}:{key} is not in the stack's config: `make up` makes it, or set your own with"
                f" `pulumi config set --secret {namespace}:{key}`"
            )
