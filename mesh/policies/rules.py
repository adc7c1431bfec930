"""Every rule: which policy it is, and how an object, or the whole mesh, is looked at for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from mesh.analysis import policies
from mesh.analysis.findings import Finding
from mesh.analysis.mesh import Mesh
from mesh.analysis.objects import Object
from mesh.analysis.policies import Policy
from mesh.policies import access, gateways, mtls, pages, pods
from mesh.policies.release import past_end_of_life
from mesh.releases.release import Release


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A policy, and one of two ways to look."""

    policy: Policy
    alone: Callable[[Object], Iterator[Finding]] | None = None
    """What is wrong with one object, whatever else there is."""
    together: Callable[[Mesh], Iterator[Finding]] | None = None
    """What is wrong with the objects as a whole."""

    def findings(self, mesh: Mesh) -> Iterator[Finding]:
        """Everything that is wrong with the mesh's objects."""
        if self.alone:
            for thing in mesh.objects:
                yield from self.alone(thing)
        if self.together:
            yield from self.together(mesh)


def rules(release: Release) -> Sequence[Rule]:
    """The rules for a stack of the release."""
    return (
        Rule(policy=policies.ANONYMOUS_PAGES, alone=pages.anonymous),
        Rule(policy=policies.IMAGE_WITHOUT_DIGEST, alone=pods.without_digest),
        Rule(policy=policies.PLAIN_TEXT, together=mtls.plain_text),
        Rule(policy=policies.WILDCARD_HOST, together=gateways.wildcards),
        Rule(policy=policies.NO_LIMITS, alone=pods.without_limits),
        Rule(policy=policies.BYPASSED_RULE, alone=partial(access.bypassed, release=release)),
        Rule(policy=policies.END_OF_LIFE, together=partial(past_end_of_life, release=release)),
    )
