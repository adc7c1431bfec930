"""Passwords and keys of addons: `make up` makes them once, and the stack's config keeps them encrypted."""

from __future__ import annotations

from typing import Final

import pulumi

from mesh.config.addons import SECRETS, Addons

_NOT_MADE_YET: Final = "not made yet"


def get(key: str) -> pulumi.Output[str]:
    """One of them, known to Pulumi as a secret. In a preview before the first `make up`, something in its place."""
    found: pulumi.Output[str] | None = pulumi.Config(SECRETS).get_secret(key)
    return pulumi.Output.secret(_NOT_MADE_YET) if found is None else found


def missing(addons: Addons) -> list[str]:
    """What an update of the running program's stack would lack, in words; a preview can do without."""
    config = pulumi.Config(SECRETS)
    absent = [] if pulumi.runtime.is_dry_run() else [key for key in addons.secrets if config.get_secret(key) is None]
    return [
        f"{SECRETS}:{key} is not in the stack's config: `make up` makes it, or set your own with"
        f" `pulumi config set --secret {SECRETS}:{key}`"
        for key in absent
    ]
