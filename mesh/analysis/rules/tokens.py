"""Checks where istiod fetches keys for tokens, and that gateways validate tokens whose claims routes ask for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from mesh.analysis import codes, virtual_services
from mesh.analysis.findings import Finding
from mesh.analysis.mesh import Mesh, gateway_ref
from mesh.analysis.objects import Object, Ref
from mesh.api.http_match import is_claim
from mesh.core import kinds, pods

_BLOCKED: Final = "BLOCKED_CIDRS_IN_JWKS_URIS"
"""Environment variable of istiod: the networks from which it fetches no keys."""


def fetched_keys(mesh: Mesh) -> Iterator[Finding]:
    """An istiod that fetches keys has a list of networks that it must not fetch them from."""
    if _BLOCKED not in mesh.release.variables:
        return
    policies = mesh.of(kinds.REQUEST_AUTHENTICATION)
    fetching = [one for one in policies if any(not rule.get("jwks") for rule in one.items("jwtRules"))]
    for workload in mesh.workloads.all if fetching else ():
        if workload.object.labels.get("app") != "istiod" or workload.object.kind != kinds.DEPLOYMENT:
            continue
        variables = (one for c in pods.running_containers(workload.pod) for one in c.body.get("env") or ())
        if not any(one["name"] == _BLOCKED and one.get("value") for one in variables):
            text = (
                f"istiod fetches keys for {fetching[0].ref} from any address: set {_BLOCKED} in"
                f" {mesh.by('mesh:pilot.env', 'its environment')} to the networks that it must not use, or give the"
                " keys themselves (jwks)"
            )
            yield codes.OPEN_KEY_FETCH.at(workload.object, "", text)


def claims(mesh: Mesh) -> Iterator[Finding]:
    """A gateway whose routes ask for claims has a RequestAuthentication, which validates tokens."""
    for vs in mesh.of(kinds.VIRTUAL_SERVICE) if mesh.release.requests.claim_routes else ():
        for _, _, ref in virtual_services.gateways(vs):
            gateway, asked = mesh.get(ref), next(_asked(vs, ref), None)
            pods = mesh.gateway_pods(gateway) if gateway and asked else ()
            unproven = next((pod for pod in pods if pod not in mesh.proving_tokens), None)
            if asked and unproven:
                text = (
                    f"no RequestAuthentication applies to {unproven.object.ref} of gateway {ref.name}, so no request"
                    f" has this claim: add one{mesh.by(', or set mesh:security.jwt', '')}"
                )
                yield codes.CLAIMS_UNPROVEN.at(vs, asked, text)


def _asked(vs: Object, gateway: Ref) -> Iterator[str]:
    """The claims that the routes of a VirtualService ask for at a gateway, as paths."""
    for i, route in enumerate(virtual_services.routes(vs)):
        for j, match in enumerate(route.get("match") or ()):
            named = [gateway_ref(name, vs.namespace) for name in match.get("gateways") or ()]
            if not named or gateway in named:
                yield from (f"http[{i}].match[{j}].{place}" for place in _claims(match))


def _claims(match: Mapping[str, Any]) -> Iterator[str]:
    for field in ("headers", "withoutHeaders"):
        yield from (f'{field}["{name}"]' for name in match.get(field) or () if is_claim(name))


RULES: Final = (fetched_keys, claims)
