"""Checks whether admission control lets pods start: PodSecurity, other policies, and webhooks that are not Istio's."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from cluster import client, leftovers
from cluster.client import Request
from cluster.leftovers import is_istios
from commands.checks.case import Case, Level, Manifest, Result, comma_separated
from commands.checks.dryrun import FALLBACK_NAMESPACE
from mesh.core import names
from mesh.core.words import count
from mesh.proxy.proxy import USER

ENFORCE: Final = "pod-security.kubernetes.io/enforce"
REFUSING: Final = ("baseline", "restricted")
"""PodSecurity levels that forbid NET_ADMIN and NET_RAW; `restricted` also requires a seccomp profile, which no pod of
the stack has."""

_CONFIGURATIONS: Final = {
    "mutating": leftovers.INJECTORS,
    "validating": leftovers.VALIDATORS,
}
_NAME_LABEL: Final = "kubernetes.io/metadata.name"

_REFUSED: Final = "violates|unable to validate against any security context|denied the request"
"""Pattern of the messages with which PodSecurity, OpenShift's security context constraints and webhooks reject pods."""


def pod_security(case: Case) -> Result:
    """Creates the stack's pods in a dry run, to which the labels of namespaces, the API server's default and other
    policies apply. If the caller may not create pods, only the labels of the namespaces are checked."""
    details, level = [], Level.OK
    starts = {workload.namespace for workload in case.plan.workloads}
    for namespace in case.plan.namespaces:
        refusal = _refusal(case, namespace)
        if refusal:
            level = max(level, Level.ERROR if namespace in starts else Level.WARNING)
            details += [f"namespace {namespace}: {refusal}", *_ways_out(case, namespace)]
    if not details:
        return Result(Level.OK, f"pods can start unchanged in {comma_separated([*case.plan.namespaces])}")
    return Result(level, "new pods would be refused", details)


def _ways_out(case: Case, namespace: str) -> Iterator[str]:
    injected = namespace in case.plan.injected
    if namespace in case.namespaces:
        level = "privileged" if injected else "baseline"
        yield f"  kubectl label namespace {namespace} {ENFORCE}={level} --overwrite --context {case.target.context}"
    else:
        yield f"  that is the API server's default for namespaces without the label {ENFORCE}"
    if injected and not case.settings.cni.enabled:
        yield "  or `mesh:cni: {enabled: true}`, Istio's network plugin, with which pods need no istio-init"


def _refusal(case: Case, namespace: str) -> str | None:
    """The reason why pods of the stack cannot start in the namespace; None if they can, or if it is not known."""
    there = namespace in case.namespaces
    if not there and ENFORCE in case.namespaces.get(FALLBACK_NAMESPACE, {}):
        return None  # the fallback namespace has its own level, so the default for new namespaces is not known
    # In the fallback namespace only the API server's default counts: other policies may be for that namespace alone.
    refused = _REFUSED if there else "violates PodSecurity"
    for pod in _pods(case, namespace):
        path = f"/api/v1/namespaces/{namespace if there else FALLBACK_NAMESPACE}/pods?dryRun=All"
        answer = case.api.ask(Request("POST", path, pod))
        if answer.ok:
            continue
        if re.search(refused, answer.message):
            return answer.message.partition("forbidden: ")[2] or answer.message
        level = case.namespaces.get(namespace, {}).get(ENFORCE)
        if level in REFUSING and namespace in case.plan.injected and not case.settings.cni.enabled:
            return f'{ENFORCE} is "{level}", which refuses istio-init (NET_ADMIN, NET_RAW)'
        if level == REFUSING[-1]:
            return f'{ENFORCE} is "{level}", which refuses pods without a seccomp profile'
    return None


def _pods(case: Case, namespace: str) -> Iterator[Manifest]:
    """The pods to try in a namespace: those of the stack's workloads; in a namespace with injection, one pod with the
    init container that istiod adds."""
    if namespace in case.plan.injected:
        image = f"{case.settings.hub}/proxyv2:{case.settings.tag}"
        first = {"name": "istio-init", "image": image, "securityContext": _security(case)}
        yield _pod({"containers": [first]})
        return
    for workload in case.plan.workloads:
        if workload.namespace == namespace:
            yield _pod({**workload.pod, "serviceAccountName": "default"})


def _security(case: Case) -> Manifest:
    """The security context of istio-init, which writes the iptables rules that redirect a pod's traffic. With the
    network plugin istio-validation runs in its place, which only checks the rules."""
    if case.settings.cni.enabled:
        return {"allowPrivilegeEscalation": False, "runAsUser": USER, "capabilities": {"drop": ["ALL"]}}
    capabilities = {"drop": ["ALL"], "add": ["NET_ADMIN", "NET_RAW"]}
    return {"privileged": case.settings.global_.proxy.privileged, "runAsUser": 0, "capabilities": capabilities}


def _pod(spec: Mapping[str, Any]) -> Manifest:
    metadata = {"generateName": "precheck-", "labels": {names.INJECT_LABEL: "false"}}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def foreign_webhooks(case: Case) -> Result:
    """Lists the admission webhooks on the creation of pods that are not Istio's. The result is a warning if one of them
    can block pods of the stack."""
    found = [
        (kind, configuration["metadata"]["name"], webhook)
        for kind, path in _CONFIGURATIONS.items()
        for configuration in client.items(case.api, path)
        for webhook in configuration.get("webhooks") or []
        if not is_istios(configuration) and any(map(_on_pods, webhook.get("rules") or []))
    ]
    if not found:
        return Result(Level.OK, "no webhooks other than Istio's on pods")
    details, level = [], Level.OK
    for kind, name, webhook in found:
        policy, selected = webhook.get("failurePolicy", "Fail"), [*_selected(case, webhook)]
        if selected and policy == "Fail":
            level = Level.WARNING
        which = "some pods" if _narrow(webhook.get("objectSelector")) else "pods"
        where = f"{which} in {comma_separated(selected)}" if selected else "no namespace of this stack"
        details.append(f"{name}, webhook {webhook['name']}: {kind}, failurePolicy {policy}, on {where}")
    if level:
        details.append("with Fail, no pod can start there while the webhook does not answer")
    return Result(level, f"{count(len(found), 'webhook')} other than Istio's on pods", details)


def _on_pods(rule: Manifest) -> bool:
    def has(key: str, *values: str) -> bool:
        return bool({"*", *values} & set(rule.get(key) or []))

    return (
        has("operations", "CREATE")
        and has("apiGroups", "")
        and has("apiVersions", "v1")
        and has("resources", "pods", "*/*")
        and rule.get("scope", "*") != "Cluster"
    )


def _selected(case: Case, webhook: Manifest) -> Iterator[str]:
    """The stack's namespaces whose labels, present or future, the webhook's namespaceSelector matches."""
    for name in case.plan.namespaces:
        labels = {**case.namespaces.get(name, {}), _NAME_LABEL: name, **case.plan.injected.get(name, {})}
        if matches(webhook.get("namespaceSelector") or {}, labels):
            yield name


def _narrow(selector: Manifest | None) -> bool:
    return bool(selector and (selector.get("matchLabels") or selector.get("matchExpressions")))


def matches(selector: Manifest, labels: Mapping[str, str]) -> bool:
    """Whether a Kubernetes label selector matches labels."""
    if any(labels.get(key) != value for key, value in (selector.get("matchLabels") or {}).items()):
        return False
    for wanted in selector.get("matchExpressions") or []:
        key, values = wanted["key"], wanted.get("values") or []
        holds = {
            "In": key in labels and labels[key] in values,
            "NotIn": labels.get(key) not in values,
            "Exists": key in labels,
            "DoesNotExist": key not in labels,
        }
        if not holds.get(wanted["operator"], True):
            return False
    return True
