"""Istio 1.10's admission webhooks: injection of sidecars into pods, validation of Istio's own objects."""

from __future__ import annotations

from mesh.core.names import INJECT_LABEL, INJECTOR, NAMESPACE_LABEL, REVISION_LABEL
from mesh.releases.release import Installation
from mesh.releases.webhooks import Client, Configuration, Objects, Requirement, Webhook

Conditions = list[Requirement]


def injector(mesh: Installation) -> Configuration:
    """The webhooks that ask this control plane for sidecars: one for each way to ask for a sidecar."""
    url = mesh.values.istiodRemote.injectionURL
    client = Client(service=mesh.named("istiod"), path="/inject", port=443, url=url)
    pods = Objects(groups=[""], versions=["v1"], resources=["pods"], operations=["CREATE"])
    hooks = [
        Webhook(
            name=f"{way}.sidecar-injector.istio.io",
            client=client,
            objects=pods,
            namespaces=of_namespace,
            labels=of_pod,
            failure_policy="Fail",
        )
        for way, (of_namespace, of_pod) in _ways(mesh).items()
    ]
    labels = {"app": "sidecar-injector", **mesh.labels}
    return Configuration(name=mesh.named(INJECTOR), labels=labels, webhooks=hooks)


def _ways(mesh: Installation) -> dict[str, tuple[Conditions, Conditions]]:
    """The ways to ask for a sidecar, as conditions on namespace and pod: by a label with the revision; where there is
    but one control plane also without; and not asking at all where namespaces are injected by default."""
    not_refused = _is(INJECT_LABEL, "NotIn", "false")
    no_revision, no_injection = _is(REVISION_LABEL, "DoesNotExist"), _is(NAMESPACE_LABEL, "DoesNotExist")
    this_revision = _is(REVISION_LABEL, "In", mesh.revision)
    ways = {
        "rev.namespace": ([this_revision, no_injection], [not_refused]),
        "rev.object": ([no_revision, no_injection], [not_refused, this_revision]),
    }
    if mesh.values.revision:
        return ways
    ways["namespace"] = ([_is(NAMESPACE_LABEL, "In", "enabled")], [not_refused])
    ways["object"] = ([no_injection, no_revision], [_is(INJECT_LABEL, "In", "true"), no_revision])
    if mesh.values.sidecarInjectorWebhook.enableNamespacesByDefault:
        ways["auto"] = ([no_injection, no_revision], [_is(INJECT_LABEL, "DoesNotExist"), no_revision])
    return ways


def validator(mesh: Installation) -> Configuration:
    """The check of every Istio object that is created or changed."""
    check = Webhook(
        name="validation.istio.io",
        client=Client(service=mesh.named("istiod"), path="/validate"),
        objects=Objects(
            groups=["security.istio.io", "networking.istio.io"],
            versions=["*"],
            resources=["*"],
            operations=["CREATE", "UPDATE"],
        ),
    )
    name = f"istiod-{mesh.root}"  # istiod looks for this very name, of whatever revision it is
    return Configuration(name=name, labels={"app": "istiod", "istio": "istiod"}, webhooks=[check])


def _is(key: str, operator: str, *values: str) -> Requirement:
    return Requirement(key=key, operator=operator, values=values)
