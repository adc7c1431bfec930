"""`make precheck`: PodSecurity, and admission webhooks that are not Istio's."""

from typing import Any

import pytest

from commands.checks import Level, admission
from commands.checks.plan import Plan
from mesh.config import loading
from tests.fake_api import WEBHOOKS, FakeApi, case, denied, listing, namespace, status

PODS = "POST /api/v1/namespaces/default/pods"
ROOT_PODS = "POST /api/v1/namespaces/istio-system/pods"
CNI = '{"enabled": true}'
NAMESPACES = "GET /api/v1/namespaces"
VIOLATES = status(
    403,
    'pods "precheck-x" is forbidden: violates PodSecurity "baseline:latest": non-default capabilities (container'
    ' "istio-init" must not include "NET_ADMIN", "NET_RAW" in securityContext.capabilities.add)',
)
POD_RULE = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}


def webhook(*rules: dict[str, Any], service: str = "agent", **more: Any) -> dict[str, Any]:
    client = {"service": {"name": service, "namespace": "kube-system"}}
    return {"name": "agent.example.com", "clientConfig": client, "rules": list(rules), **more}


def with_webhook(found: dict[str, Any], kind: str = "mutating") -> FakeApi:
    configuration = {"metadata": {"name": "other-agent"}, "webhooks": [found]}
    return FakeApi({f"GET {WEBHOOKS}/{kind}webhookconfigurations": listing(configuration)})


def test_rejected_pods_in_a_namespace_with_workloads_are_an_error_with_a_solution() -> None:
    result = admission.pod_security(case(FakeApi({NAMESPACES: listing(namespace("default")), PODS: VIOLATES})))
    assert result.level is Level.ERROR
    lines = "\n".join(result.details)
    assert 'namespace default: violates PodSecurity "baseline:latest"' in lines
    assert "kubectl label namespace default pod-security.kubernetes.io/enforce=privileged" in lines
    assert "mesh:cni: {enabled: true}" in lines


def test_the_tried_pod_has_istio_inits_capabilities_and_no_injection() -> None:
    api = FakeApi()
    admission.pod_security(case(api))
    body = next(r.body for r in api.asked if r.body and r.path.startswith("/api/v1/namespaces/default/pods"))
    probe = next(r.body for r in api.asked if r.body and r.body["spec"]["containers"][0]["name"] == "istio-init")
    assert body["metadata"]["labels"] == {"sidecar.istio.io/inject": "false"}
    assert probe["spec"]["containers"][0]["securityContext"]["capabilities"]["add"] == ["NET_ADMIN", "NET_RAW"]


def test_pods_need_no_capabilities_with_the_network_plugin() -> None:
    chosen = Plan([], loading.load({"mesh:injectedNamespaces": '{"default": "existing"}', "mesh:cni": CNI}).settings)
    api = FakeApi({NAMESPACES: listing(namespace("default")), PODS: VIOLATES})
    result = admission.pod_security(case(api, chosen))
    (probe,) = [r.body for r in api.asked if r.body]
    assert "add" not in probe["spec"]["containers"][0]["securityContext"]["capabilities"]
    assert not any("mesh:cni" in line for line in result.details)


def test_a_namespace_without_injection_by_istiod_is_judged_by_the_stacks_own_pods() -> None:
    config = {"mesh:injectedNamespaces": '{"default": {"ownership": "existing", "injection": "manual"}}'}
    api = FakeApi({NAMESPACES: listing(namespace("default")), PODS: VIOLATES})
    assert admission.pod_security(case(api, Plan([], loading.load(config).settings))).level is Level.OK


def test_rejected_pods_in_a_namespace_without_workloads_are_a_warning() -> None:
    chosen = Plan([], loading.load({"mesh:injectedNamespaces": '{"default": "existing"}'}).settings)
    api = FakeApi({NAMESPACES: listing(namespace("default")), PODS: VIOLATES})
    assert admission.pod_security(case(api, chosen)).level is Level.WARNING


def test_a_new_namespace_gets_the_api_servers_default_level() -> None:
    result = admission.pod_security(case(FakeApi({PODS: VIOLATES})))
    assert any("API server's default" in line for line in result.details)


def test_the_fallback_namespaces_label_does_not_count_for_a_new_namespace() -> None:
    label = {admission.ENFORCE: "baseline"}
    result = admission.pod_security(case(FakeApi({NAMESPACES: listing(namespace("default", **label)), PODS: VIOLATES})))
    assert not any(line.startswith("namespace istio-system") for line in result.details)


def test_the_fallback_namespaces_policies_do_not_count_for_a_new_namespace() -> None:
    answer = status(403, 'admission webhook "policy" denied the request: not here')
    result = admission.pod_security(case(FakeApi({PODS: answer})))
    assert [line for line in result.details if line.startswith("namespace")] == [f"namespace default: {answer.message}"]


@pytest.mark.parametrize(("enforced", "refused"), [("baseline", True), ("restricted", True), ("privileged", False)])
def test_the_label_is_read_if_the_caller_may_not_create_pods(enforced: str, refused: bool) -> None:
    label = {admission.ENFORCE: enforced}
    api = FakeApi({NAMESPACES: listing(namespace("default", **label)), PODS: denied("pods", "create")})
    result = admission.pod_security(case(api))
    assert bool(result.details) is refused


@pytest.mark.parametrize(("enforced", "refused"), [("baseline", False), ("restricted", True)])
def test_namespaces_without_injection_only_need_baseline(enforced: str, refused: bool) -> None:
    label = {admission.ENFORCE: enforced}
    found = listing(namespace("default"), namespace("istio-system", **label))
    denies = denied("pods", "create")
    result = admission.pod_security(case(FakeApi({NAMESPACES: found, PODS: denies, ROOT_PODS: denies})))
    assert bool(result.details) is refused
    assert not refused or "istio-system pod-security.kubernetes.io/enforce=baseline" in result.details[1]


def test_a_foreign_webhook_that_can_block_pods_of_the_stack_is_a_warning() -> None:
    result = admission.foreign_webhooks(case(with_webhook(webhook(POD_RULE, failurePolicy="Fail"))))
    assert result.level is Level.WARNING
    assert result.details[0] == (
        "other-agent, webhook agent.example.com: mutating, failurePolicy Fail, on pods in istio-system, default"
    )


def test_validating_webhooks_count_as_well() -> None:
    result = admission.foreign_webhooks(case(with_webhook(webhook(POD_RULE, failurePolicy="Fail"), "validating")))
    assert result.level is Level.WARNING


@pytest.mark.parametrize(
    "harmless",
    [
        webhook(POD_RULE, failurePolicy="Ignore"),
        webhook(POD_RULE, namespaceSelector={"matchLabels": {"team": "other"}}),
        webhook(
            POD_RULE,
            namespaceSelector={
                "matchExpressions": [
                    {
                        "key": "kubernetes.io/metadata.name",
                        "operator": "NotIn",
                        "values": ["default", "istio-system"],
                    }
                ]
            },
        ),
    ],
)
def test_a_webhook_that_cannot_block_pods_of_the_stack_is_only_listed(harmless: dict[str, Any]) -> None:
    result = admission.foreign_webhooks(case(with_webhook(harmless)))
    assert result.level is Level.OK
    assert result.text == "1 webhook other than Istio's on pods"
    assert "other-agent" in result.details[0]


@pytest.mark.parametrize(
    "other",
    [
        webhook({**POD_RULE, "operations": ["DELETE"]}),
        webhook({**POD_RULE, "resources": ["deployments"], "apiGroups": ["apps"]}),
        webhook({**POD_RULE, "resources": ["pods/exec"]}),
        webhook({**POD_RULE, "scope": "Cluster"}),
        webhook(POD_RULE, service="istiod"),
    ],
)
def test_webhooks_of_istio_or_not_on_the_creation_of_pods_are_not_listed(other: dict[str, Any]) -> None:
    assert admission.foreign_webhooks(case(with_webhook(other))).text == "no webhooks other than Istio's on pods"


def test_wildcards_in_rules_match_pods() -> None:
    everything = {"apiGroups": ["*"], "apiVersions": ["*"], "operations": ["*"], "resources": ["*/*"]}
    assert admission.foreign_webhooks(case(with_webhook(webhook(everything)))).level is Level.WARNING


def test_a_webhook_for_the_injection_label_is_found_before_the_label_is_set() -> None:
    selector = {"matchExpressions": [{"key": "istio-injection", "operator": "In", "values": ["enabled"]}]}
    result = admission.foreign_webhooks(case(with_webhook(webhook(POD_RULE, namespaceSelector=selector))))
    assert result.details[0].endswith("on pods in default")


def test_a_webhook_with_an_object_selector_is_listed_for_some_pods() -> None:
    result = admission.foreign_webhooks(
        case(with_webhook(webhook(POD_RULE, objectSelector={"matchLabels": {"a": "b"}})))
    )
    assert "on some pods in" in result.details[0]


@pytest.mark.parametrize(
    ("operator", "values", "labels", "matched"),
    [
        ("In", ["a", "b"], {"k": "b"}, True),
        ("In", ["a"], {}, False),
        ("NotIn", ["a"], {}, True),
        ("NotIn", ["a"], {"k": "a"}, False),
        ("Exists", [], {"k": ""}, True),
        ("Exists", [], {}, False),
        ("DoesNotExist", [], {}, True),
        ("DoesNotExist", [], {"k": "a"}, False),
    ],
)
def test_label_selectors_match_as_in_kubernetes(
    operator: str, values: list[str], labels: dict[str, str], matched: bool
) -> None:
    selector = {"matchExpressions": [{"key": "k", "operator": operator, "values": values}]}
    assert admission.matches(selector, labels) is matched
