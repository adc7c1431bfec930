"""The policies that a stack may be held to, one module each with its name, its level and how it is looked for.

A new policy is a module here and a line of `POLICIES`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Annotated, Final

from pydantic import AfterValidator

from mesh.analysis import codes
from mesh.analysis.policies import access, gateways, mtls, pages, pods, release
from mesh.analysis.policies.policy import Level, Policy
from mesh.core import errors

UNUSED_SUPPRESSION: Final = Policy(**asdict(codes.UNUSED_SUPPRESSION))
"""Looked for wherever suppressions are applied."""
POLICIES: Final[Mapping[str, Policy]] = {
    policy.code: policy
    for policy in (
        UNUSED_SUPPRESSION,
        pages.ANONYMOUS_PAGES,
        pods.IMAGE_WITHOUT_DIGEST,
        mtls.PLAIN_TEXT,
        gateways.WILDCARD_HOST,
        pods.NO_LIMITS,
        access.BYPASSED_RULE,
        release.END_OF_LIFE,
    )
}
"""Every policy, by code."""
ALL: Final = "all"
"""Stands for every policy that is not named."""


def _named(value: str) -> str:
    names = [ALL, *(policy.slug for policy in POLICIES.values())]
    if value not in names:
        raise ValueError(errors.not_one_of(value, names))
    return value


PolicyName = Annotated[str, AfterValidator(_named)]
"""A policy's slug, or `all`."""


def level(policy: Policy, chosen: Mapping[str, Level]) -> Level:
    """What follows from a finding of the policy, where a stack has chosen levels by slug or for `all`."""
    return chosen.get(policy.slug, chosen.get(ALL, policy.level))
