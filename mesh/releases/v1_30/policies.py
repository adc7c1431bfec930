"""The NetworkPolicies of Istio 1.30's own pods, and the admission policy that allows stable features only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from mesh.core.names import CNI, CNI_NODE, REVISION_LABEL
from mesh.releases.common.webhooks import requirement
from mesh.releases.policies import AdmissionPolicy, NetworkPolicy, PortGroup
from mesh.releases.release import Installation
from mesh.releases.v1_30.webhooks import OBJECTS


def _tcp(*ports: int) -> PortGroup:
    return [(port, "TCP") for port in ports]


_ISTIOD: Final = (_tcp(15017), _tcp(15010, 15011, 15012, 8080, 15014))
"""Webhooks; discovery, debug interface and metrics."""
_GATEWAY: Final = (_tcp(15021), _tcp(15020, 15090))
"""Readiness; metrics."""
_CNI: Final = (_tcp(15014), _tcp(8000))
"""Metrics; readiness."""
_ZTUNNEL: Final = (
    *(_tcp(port) for port in (15021, 15020, 15000, 15008, 15001, 15006)),
    [(15053, "TCP"), (15053, "UDP")],
)
"""Readiness, metrics, admin interface, HBONE, outbound and inbound traffic; DNS."""


def network_policies(mesh: Installation) -> Iterator[NetworkPolicy]:
    """A policy for each part that is installed, if the values ask for them."""
    values = mesh.values
    if not values.global_.networkPolicy.enabled:
        return
    if (values.istiodRemote.enabled or values.pilot.enabled) and mesh.in_namespaces:
        pods = {"app": "istiod", **mesh.labels}
        yield _policy(mesh, "istiod", None, {"app": "istiod", "istio": "pilot"}, pods, *_ISTIOD)
    for name, gateway in values.gateways.items():
        if gateway.enabled:
            labels = gateway.selector(name)
            served = (((port.container, port.protocol),) for port in gateway.ports)
            yield _policy(mesh, name, gateway.namespace, labels, labels, *_GATEWAY, *served)
    if mesh.further:
        return
    if values.cni.enabled:
        pods = {"k8s-app": CNI_NODE}
        yield _policy(mesh, CNI, values.cni.namespace, pods, pods, *_CNI)
    if values.ztunnel.enabled:
        pods = {"app": "ztunnel"}
        yield _policy(mesh, values.ztunnel.name, values.ztunnel.namespace, pods, pods, *_ZTUNNEL)


def _policy(
    mesh: Installation,
    name: str,
    namespace: str | None,
    labels: Mapping[str, str],
    pods: Mapping[str, str],
    *ports: PortGroup,
) -> NetworkPolicy:
    return NetworkPolicy(
        name=mesh.revisioned(name),
        namespace=namespace or mesh.root,
        labels={**labels, **mesh.labels},
        pods=pods,
        ports=ports,
    )


_WHOLLY_UNSTABLE: Final = ("EnvoyFilter", "WasmPlugin", "ProxyConfig")
_UNSTABLE_ITEMS: Final = {
    "tracing": ("t", "useRequestIdForTraceSampling"),
    "metrics": ("m", "reportingInterval"),
    "accessLogging": ("l", "filter"),
}
"""Lists in the `spec` of a Telemetry, each with a name for its items and a field of theirs that is not stable."""


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.split("\n"))


def _none(condition: str) -> str:
    """The CEL expression that `condition` does not hold."""
    return f"!(\n{_indented(condition)}\n)"


def _telemetry() -> str:
    """Whether any item of a Telemetry's lists has a field that is not stable."""
    lists = [
        f"(has(object.spec.{name}) ? object.spec.{name} : {{}}).exists({item}, has({item}.{field}))"
        for name, (item, field) in _UNSTABLE_ITEMS.items()
    ]
    any_list = _indented(" ||\n".join(lists))
    return f"variables.isTelemetry && (\n{any_list}\n)"


def _authorization() -> str:
    """Whether any source of an AuthorizationPolicy is chosen by its trust domain."""
    domains = " || ".join(f"has(f.source.{name})" for name in ("trustDomains", "notTrustDomains"))
    source = f"has(f.source) && ({domains})"
    rule = f"has(r.from) && r.from.exists(f,\n{_indented(source)}\n)"
    rules = f"object.spec.rules.exists(r,\n{_indented(rule)}\n)"
    return " &&\n".join(("variables.isAuthorizationPolicy", "has(object.spec.rules)", rules))


def admission_policies(mesh: Installation) -> Iterator[AdmissionPolicy]:
    """The policy for objects with the label of this revision, if the values ask for it."""
    if not (mesh.values.experimental.stableValidationPolicy and mesh.values.trusts_istiod):
        return
    suffix = f"{mesh.root}.istio.io"
    kinds = (*_WHOLLY_UNSTABLE, "Telemetry", "AuthorizationPolicy")
    yield AdmissionPolicy(
        name=f"{mesh.revisioned('stable-channel-policy')}-{suffix}",
        binding=f"{mesh.revisioned('stable-channel-policy-binding')}-{suffix}",
        rule=OBJECTS,
        selector=[requirement(REVISION_LABEL, "In", mesh.revision)],
        variables={f"is{kind}": f"object.kind == '{kind}'" for kind in kinds},
        validations=[
            *(f"!variables.is{kind}" for kind in _WHOLLY_UNSTABLE),
            f"{_none(_telemetry())}\n",
            _none(_authorization()),
        ],
    )
