"""What a policy can ask of a stack: rules about what is safe, where analysis is about what is wrong.

Their codes stand beside those of analysis, so that `mesh:analysis.suppress` explains both.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Annotated, Final, Literal

from pydantic import AfterValidator

from mesh.analysis import codes
from mesh.analysis.findings import Code, Severity
from mesh.core import errors

Level = Literal["advisory", "mandatory", "disabled"]
"""What follows from a finding, as Pulumi calls it: a warning, an error, or nothing, since nobody looks."""


@dataclass(frozen=True, kw_only=True)
class Policy(Code):
    """One thing that is asked for."""

    level: Level
    """What follows where a stack does not say."""

    @property
    def slug(self) -> str:
        """Its name for Pulumi, and in `mesh:policies`."""
        return re.sub(r"(?<!^)(?=[A-Z])", "-", self.name).lower()


_ALL: dict[str, Policy] = {}
POLICIES: Final[Mapping[str, Policy]] = _ALL
"""Every policy, by code."""


def _policy(code: str, name: str, meaning: str, level: Level = "advisory") -> Policy:
    _ALL[code] = Policy(code=code, name=name, severity=Severity.WARNING, meaning=meaning, level=level)
    return _ALL[code]


UNUSED_SUPPRESSION: Final = Policy(**asdict(codes.UNUSED_SUPPRESSION), level="advisory")
_ALL[UNUSED_SUPPRESSION.code] = UNUSED_SUPPRESSION
ANONYMOUS_PAGES: Final = _policy(
    "MESH0301", "AnonymousPages", "Grafana or Kiali lets everybody in who reaches it, without a login."
)
IMAGE_WITHOUT_DIGEST: Final = _policy(
    "MESH0302",
    "ImageWithoutDigest",
    "An image is named by a tag alone, which may come to mean another image.",
    "disabled",
)
PLAIN_TEXT: Final = _policy(
    "MESH0303",
    "PlainTextAccepted",
    "A workload with a sidecar takes plain text: no PeerAuthentication makes it STRICT.",
)
WILDCARD_HOST: Final = _policy(
    "MESH0304", "WildcardHost", "A gateway that is reached from outside serves hosts that nobody has named."
)
NO_LIMITS: Final = _policy("MESH0305", "MissingLimits", "A container may take all memory or CPU of its node.")
BYPASSED_RULE: Final = _policy(
    "MESH0306",
    "BypassedRule",
    "The release's proxies let requests past an AuthorizationPolicy that is meant for them (ISTIO-SECURITY-2021-008).",
)
END_OF_LIFE: Final = _policy("MESH0307", "EndOfLife", "The Istio release gets no security fixes any more.")

ALL: Final = "all"
"""Stands for every policy that is not named."""


def _named(value: str) -> str:
    names = [ALL, *(policy.slug for policy in POLICIES.values())]
    if value not in names:
        raise ValueError(errors.none_of(value, names))
    return value


PolicyName = Annotated[str, AfterValidator(_named)]
"""A policy's slug, or `all`."""


def level(policy: Policy, chosen: Mapping[str, Level]) -> Level:
    """What follows from a finding of the policy, where a stack has chosen levels by slug or for `all`."""
    return chosen.get(policy.slug, chosen.get(ALL, policy.level))
