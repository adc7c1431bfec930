"""Passwords and keys of addons, which `make up` generates once and the stack's config stores encrypted."""

from __future__ import annotations

from typing import Final

import pulumi

from mesh.config.addons import SECRETS

_NOT_MADE_YET: Final = "not made yet"


def get(key: str) -> pulumi.Output[str]:
    """The secret of a config key, as a secret output. A preview before the first `make up` gets a placeholder."""
    found: pulumi.Output[str] | None = pulumi.Config(SECRETS).get_secret(key)
    return pulumi.Output.secret(_NOT_MADE_YET) if found is None else found
