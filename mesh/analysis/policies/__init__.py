"""Policies: checks of a stack's security, with levels that the stack chooses in `mesh:policies`.

A module defines the policies about one subject. A new policy is a `Policy` in a module and a line in `POLICIES`.
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
"""Has no check of its own: `suppression.remaining` finds it."""
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
"""All policies, by code."""
ALL: Final = "all"
"""Key of `mesh:policies` for all policies that it does not name."""


def _named(value: str) -> str:
    names = [ALL, *(policy.slug for policy in POLICIES.values())]
    if value not in names:
        raise ValueError(errors.not_one_of(value, names))
    return value


PolicyName = Annotated[str, AfterValidator(_named)]
"""The slug of a policy, or `all`."""


def level(policy: Policy, chosen: Mapping[str, Level]) -> Level:
    """The level of a policy in a stack. `chosen` has the levels of `mesh:policies`, by slug or `all`."""
    return chosen.get(policy.slug, chosen.get(ALL, policy.level))
