"""Changes and risks between two sets of objects, including ones that no config of a stack shows."""

from __future__ import annotations

from typing import Any

import pytest

from mesh.analysis.objects import Ref
from mesh.core import kinds
from mesh.core.names import WAIT_FOR, MeshNames
from mesh.review.changes import EngineFacts, between
from mesh.review.risks import RISKS, Weight
from mesh.review.subject import Subject
from tests.faults import policy
from tests.meshes import Manifest, deployment, manifest_of, routes, service, to, valid_mesh
from tests.meshes import changed as changed_mesh
from tests.review import changed, item, removed, review, risks

SECRET: Manifest = {**manifest_of("Secret", "key"), "type": "Opaque", "stringData": {"password": "hunter2"}}
KEY = (False, Ref(kinds.SECRET, "shop", "key"))


def definition(**schema: Any) -> Manifest:
    spec = {"names": {"kind": "Thing"}, "versions": [{"name": "v1", "schema": {"openAPIV3Schema": schema}}]}
    meta = {"name": "things.example.com"}
    return {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": meta, "spec": spec}


def webhook(kind: str, failure: str) -> Manifest:
    meta = {"name": "hook"}
    hooks = [{"name": "a.b", "failurePolicy": failure}]
    return {"apiVersion": "admissionregistration.k8s.io/v1", "kind": kind, "metadata": meta, "webhooks": hooks}


@pytest.mark.parametrize(
    ("values", "domain"),
    [
        ('{"global": {"proxy": {"clusterDomain": "corp.example"}}}', "corp.example"),
        ('{"global": {"proxy": {}}}', "cluster.local"),
        ("(known after the update)", "new.example"),
        ("[]", "new.example"),
        ('{"global": {}}', "new.example"),
    ],
)
def test_the_cluster_domain_of_the_old_objects_is_read_from_their_injector(values: str, domain: str) -> None:
    meta = {"name": "istio-sidecar-injector", "namespace": "istio-system"}
    injector: Manifest = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": {"values": values}}
    subject = Subject.read([item(injector)], [], MeshNames(domain="new.example"))
    assert (subject.old.domain, subject.new.domain) == (domain, "new.example")


def test_objects_in_another_order_are_no_change() -> None:
    found = review(valid_mesh(), valid_mesh()[::-1])
    assert (list(found.subject.changes), risks(found), list(found.request_changes), found.map_changes) == (
        [],
        [],
        [],
        0,
    )
    assert found.subject.unchanged == len(valid_mesh())


def test_created_updated_and_deleted_objects_are_counted() -> None:
    old = [service("a"), service("b"), service("c")]
    new = [service("b", type="NodePort"), service("c"), service("d")]
    found = review(old, new)
    assert found.counts == {"delete": 1, "update": 1, "create": 1}
    assert found.subject.unchanged == 1


def test_a_change_of_an_immutable_field_is_a_replacement() -> None:
    (change,) = review([deployment("a", {"app": "a"})], [deployment("a", {"app": "b"})]).subject.changes
    assert change.op == "replace"


def test_an_object_that_the_engine_replaces_is_a_replacement_even_if_no_field_differs() -> None:
    one = item(service("a"))
    (change,) = between([one], [one], EngineFacts(replaced=frozenset([one.key])))
    assert change.op == "replace"
    found = review([service("a")], [service("a")], EngineFacts(replaced=frozenset([one.key])))
    assert risks(found) == ["object replaced | Service shop/a | it is deleted and created again"]


def test_changes_of_a_definitions_schema_are_summed_up_in_one_line() -> None:
    old, new = definition(a="string", b="string", c="string"), definition(a="integer", b="string", d="string")
    (change,) = review([old], [new]).subject.changes
    assert [field.note for field in change.fields] == ["schema: 1 fields added, 1 removed, 1 changed"]


def test_changed_values_of_a_secret_are_reported_without_the_values() -> None:
    found = review([SECRET], [SECRET], EngineFacts(secrets={KEY: ["stringData.password"]}))
    assert risks(found) == ["secret changed | Secret shop/key | stringData.password: secret changed"]


def test_added_and_removed_keys_of_a_secret_are_reported_without_the_values() -> None:
    other = {**SECRET, "stringData": {"token": "hunter3"}}
    (change,) = review([SECRET], [other]).subject.changes
    assert [(one.path, one.note) for one in change.fields] == [
        ("stringData.password", "secret removed"),
        ("stringData.token", "secret added"),
    ]
    assert "hunter" not in str(change.fields)


def test_a_definition_that_stays_on_the_cluster_is_no_risk() -> None:
    assert risks(review([definition()], []))[0].startswith("definition deleted | ")
    assert risks(review([definition()], [], retained=True)) == []


def test_removing_a_label_from_somebody_elses_namespace_deletes_no_namespace() -> None:
    label = manifest_of("Namespace", "theirs", labels={"istio-injection": "enabled"})
    assert [risk.partition(" | ")[0] for risk in risks(review([label], [], patch=True))] == ["injection off"]


def test_workloads_that_lose_their_sidecars_are_named_by_namespace() -> None:
    found = changed(manifest_of("Namespace", "shop"))
    assert "injection off | Namespace shop | 3 workloads without a sidecar: cart-v1, cart-v2, front" in risks(found)


@pytest.mark.parametrize(
    ("kind", "work"),
    [
        ("ValidatingWebhookConfiguration", "validates objects of Istio's API"),
        ("MutatingWebhookConfiguration", "injects sidecars"),
    ],
)
def test_a_webhook_that_is_deleted_or_ignored_on_failure_is_a_risk(kind: str, work: str) -> None:
    strict, open_ = webhook(kind, "Fail"), webhook(kind, "Ignore")
    ref = f"validation fails open | {kind} hook"
    assert risks(review([strict], [open_])) == [
        f"{ref} | a.b is skipped when it cannot be reached (failurePolicy Ignore)"
    ]
    assert risks(review([strict], [])) == [f"{ref} | no webhook {work} any more"]
    assert risks(review([open_], [strict])) == []


def test_a_renamed_webhook_is_no_risk() -> None:
    strict = webhook("MutatingWebhookConfiguration", "Fail")
    renamed = {**strict, "metadata": {"name": "other"}}
    assert risks(review([strict], [renamed])) == []


def test_a_webhook_that_workloads_no_longer_wait_for_is_a_risk() -> None:
    hook = webhook("MutatingWebhookConfiguration", "Fail")
    waiting = {**hook, "metadata": {"name": "hook", "annotations": {WAIT_FOR: "x"}}}
    assert [risk.partition(" | ")[0] for risk in risks(review([waiting], [hook]))] == ["injection not waited for"]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ({"mtls": {"mode": "STRICT"}}, {"mtls": {"mode": "DISABLE"}}, "STRICT → DISABLE for namespace shop"),
        ({"mtls": {"mode": "STRICT"}}, {"mtls": {"mode": "UNSET"}}, "STRICT → PERMISSIVE for namespace shop"),
        (
            {"selector": {"matchLabels": {"app": "cart"}}, "mtls": {"mode": "STRICT"}},
            {
                "selector": {"matchLabels": {"app": "cart"}},
                "mtls": {"mode": "STRICT"},
                "portLevelMtls": {"8080": {"mode": "DISABLE"}},
            },
            "STRICT → DISABLE on port 8080 for pods with app=cart",
        ),
    ],
)
def test_weaker_mutual_tls_is_reported_with_its_scope(old: Manifest, new: Manifest, said: str) -> None:
    before, after = ([manifest_of("PeerAuthentication", "peer", spec)] for spec in (old, new))
    assert risks(review(before, after)) == [f"mTLS weakened | PeerAuthentication shop/peer | {said}"]


def test_deleting_a_policy_is_no_risk_where_a_wider_one_has_the_same_mode() -> None:
    wide = manifest_of("PeerAuthentication", "default", {"mtls": {"mode": "STRICT"}}, "istio-system")
    narrow = manifest_of("PeerAuthentication", "peer", {"mtls": {"mode": "STRICT"}})
    assert risks(review([wide, narrow], [wide])) == []
    assert len(risks(review([wide, narrow], [narrow]))) == 1


def test_a_destination_rule_with_plain_text_is_a_risk() -> None:
    plain = manifest_of("DestinationRule", "cart", {"host": "cart", "trafficPolicy": {"tls": {"mode": "DISABLE"}}})
    said = "mTLS weakened | DestinationRule shop/cart | callers of cart send plain text (tls not set → DISABLE)"
    assert said in risks(changed(plain))


FRONT = {"principals": ["cluster.local/ns/shop/sa/front"]}


@pytest.mark.parametrize(
    ("old", "new", "looser"),
    [
        (FRONT, {"principals": [*FRONT["principals"], "cluster.local/ns/shop/sa/other"]}, True),
        ({"principals": [*FRONT["principals"], "cluster.local/ns/shop/sa/other"]}, FRONT, False),
        (FRONT, {**FRONT, "namespaces": ["shop"]}, False),
        ({**FRONT, "namespaces": ["shop"]}, FRONT, True),
        ({**FRONT, "notNamespaces": ["a", "b"]}, {**FRONT, "notNamespaces": ["a"]}, True),
        ({**FRONT, "notNamespaces": ["a"]}, {**FRONT, "notNamespaces": ["a", "b"]}, False),
    ],
)
def test_an_allow_policy_is_looser_if_it_matches_more_and_a_deny_policy_if_it_matches_less(
    old: Manifest, new: Manifest, looser: bool
) -> None:
    allow = [policy("cart", source, app="cart") for source in (old, new)]
    assert bool(risks(review([allow[0]], [allow[1]]))) is looser
    deny = [{**one, "spec": {**one["spec"], "action": "DENY"}} for one in allow]
    assert bool(risks(review([deny[1]], [deny[0]]))) is looser


def test_a_deleted_deny_policy_is_a_risk_and_a_new_one_is_not() -> None:
    denial = policy("no", {"namespaces": ["other"]}, app="front")
    denial["spec"]["action"] = "DENY"
    assert risks(removed(denial)) == [
        "access rules loosened | AuthorizationPolicy shop/no | it no longer denies what it denied before"
    ]
    assert risks(changed(denial)) == []


def test_deleting_one_of_several_allow_policies_is_no_risk() -> None:
    more = policy("more", {"namespaces": ["other"]}, app="cart")
    assert risks(removed(more)) == []
    assert len(risks(changed(more))) == 1


def test_with_an_autoscaler_a_changed_pod_template_restarts_at_least_the_minimum_of_pods() -> None:
    scaler = {"scaleTargetRef": {"kind": "Deployment", "name": "front"}, "minReplicas": 2}
    meta = {"name": "front", "namespace": "shop"}
    hpa: Manifest = {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": meta,
        "spec": scaler,
    }
    old, new = (deployment("front", {"app": "front"}, hostNetwork=host) for host in (False, True))
    found = review([hpa, old], [hpa, new])
    assert risks(found) == ["restarts pods | Deployment shop/front | at least 2 pods: changed hostNetwork"]
    assert found.restarts == "at least 2 pods"


def test_changed_labels_of_a_deployment_itself_restart_no_pods() -> None:
    old = deployment("front", {"app": "front"})
    new = {**old, "metadata": {**old["metadata"], "labels": {"team": "shop"}}}
    assert risks(review([old], [new])) == []


def test_the_gravest_risks_come_first() -> None:
    cut = deployment("front", {"app": "front", "version": "v1"}, hostNetwork=True, serviceAccountName="front")
    weights = [
        risk.weight
        for risk in changed(cut, manifest_of("PeerAuthentication", "default", {"mtls": {"mode": "DISABLE"}})).risks
    ]
    assert weights == sorted(weights, reverse=True)
    assert set(weights) >= {Weight.HIGH, Weight.MEDIUM}


def test_every_kind_of_risk_has_its_own_name() -> None:
    assert len({kind.name for kind in RISKS}) == len(RISKS)


def test_requests_from_new_workloads_are_left_out_but_those_through_gateways_are_not() -> None:
    batch = deployment("batch", {"app": "batch"})
    assert list(changed(batch).request_changes) == []
    lost = manifest_of(
        "VirtualService", "visitors", {"hosts": ["shop.example.com"], "gateways": ["way-in"], "http": [to("cart")]}
    )
    assert [str(shift) for shift in changed(lost).request_changes] == [
        "shop.example.com/ through ingress: front → 403 (AuthorizationPolicy shop/cart does not allow it)"
    ]


def test_paths_with_the_same_change_are_one_line() -> None:
    matches = [{"uri": {"prefix": path}} for path in ("/a", "/b", "/c", "/d")]
    old, new = (routes("cart", {"match": matches, **to("cart", v)}, to("cart", v)) for v in ("v1", "v2"))
    (shift,) = review(changed_mesh([old]), changed_mesh([new])).request_changes
    assert str(shift) == "cart (/, /a, /b and 2 more) from front: cart v1 → cart v2"
    assert shift.samples == 9  # of each prefix itself and a longer path, and one of /


def test_paths_with_different_changes_are_separate_lines() -> None:
    one = changed(policy("cart", {"principals": ["cluster.local/ns/shop/sa/other"]}, app="cart"))
    assert [(shift.what, shift.samples) for shift in one.request_changes] == [("cart/", 1), ("cart/new", 2)]


def test_in_a_new_stack_all_objects_are_created_and_no_request_changes() -> None:
    found = review([], valid_mesh())
    assert found.counts == {"create": len(valid_mesh())}
    assert (list(found.request_changes), found.map_changes) == ([], 0)
