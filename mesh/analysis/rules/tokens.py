"""Checks where istiod fetches the keys that prove tokens."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from mesh import releases
from mesh.analysis import codes
from mesh.analysis.findings import Finding
from mesh.analysis.mesh import Mesh
from mesh.core import kinds, pods

_BLOCKED: Final = "BLOCKED_CIDRS_IN_JWKS_URIS"
"""Environment variable of istiod: the networks from which it fetches no keys."""


def fetched_keys(mesh: Mesh) -> Iterator[Finding]:
    """An istiod that fetches keys is told the networks of which it must not ask."""
    if _BLOCKED not in releases.get(mesh.names.release or releases.DEFAULT).variables:
        return
    policies = mesh.of(kinds.REQUEST_AUTHENTICATION)
    fetching = [one for one in policies if any(not rule.get("jwks") for rule in one.items("jwtRules"))]
    for workload in mesh.workloads.all if fetching else ():
        if workload.object.labels.get("app") != "istiod" or workload.object.kind != kinds.DEPLOYMENT:
            continue
        variables = (one for c in pods.running_containers(workload.pod) for one in c.body.get("env") or ())
        if not any(one["name"] == _BLOCKED and one.get("value") for one in variables):
            text = (
                f"istiod fetches keys for {fetching[0].ref} from any address: set {_BLOCKED} in mesh:pilot.env to the"
                " networks of which it must not ask, or give the keys themselves (jwks)"
            )
            yield codes.OPEN_KEY_FETCH.at(workload.object, "", text)


RULES: Final = (fetched_keys,)
