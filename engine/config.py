"""The running program's config, as Pulumi hands it over."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import pulumi
from pulumi.runtime import config


def of_stack() -> Mapping[str, str]:
    """The whole config of the stack: values by `namespace:name`, maps and booleans as JSON."""
    return config.CONFIG.get() or from_environment()


def from_environment() -> Mapping[str, str]:
    """The config that Pulumi has put into the environment; empty if it has not."""
    return config.get_config_env()


def use(values: Mapping[str, str]) -> None:
    """Takes the place of the stack's config, for as long as the program runs."""
    config.set_all_config(dict(values))


def missing_secrets(namespace: str, keys: Iterable[str]) -> Iterator[str]:
    """What an update would lack of the secrets in the stack's config, in words; a preview can do without."""
    held = pulumi.Config(namespace)
    for key in () if pulumi.runtime.is_dry_run() else keys:
        if held.get_secret(key) is None:
            yield (
                f"{namespace}:{key} is not in the stack's config: `make up` makes it, or set your own with"
                f" `pulumi config set --secret {namespace}:{key}`"
            )
