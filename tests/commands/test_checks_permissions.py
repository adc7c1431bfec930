"""`make precheck`: permissions, and dry runs of a stack's objects."""

import pytest

from cluster.client import Answer
from cluster.errors import Refused
from commands.checks import Level, dryrun, objects, permissions
from tests.fake_api import MANAGER, FakeApi, case, denied, only, planned, status

CONFIG = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "mesh", "namespace": "istio-system"}}
APPLIED = "PATCH /api/v1/namespaces/istio-system/configmaps/mesh"
ELSEWHERE = "POST /api/v1/namespaces/default/configmaps"
REFUSED = status(400, 'admission webhook "policy.example.com" denied the request: no ConfigMaps')


def conflict(manager: str) -> Answer:
    cause = {
        "reason": "FieldManagerConflict",
        "message": f'conflict with "{manager}" using v1',
        "field": ".metadata.labels.app",
    }
    return status(409, "Apply failed with 1 conflict", causes=[cause])


def test_each_missing_permission_is_shown_as_a_kubectl_command() -> None:
    api = FakeApi(missing=[("create", "deployments", "default"), ("delete", "deployments", "default")])
    result = permissions.check(case(api))
    assert result.level is Level.ERROR
    assert result.details == [
        "kubectl auth can-i create deployments.apps --namespace default --context here  # also delete"
    ]


def test_permissions_on_kinds_that_are_not_installed_yet_are_checked() -> None:
    result = permissions.check(case(FakeApi(missing=[("create", "virtualservices", "default")])))
    assert "can-i create virtualservices.networking.istio.io --namespace default" in result.details[0]


@pytest.mark.parametrize("verb", ["create", "get", "list", "watch", "patch", "delete"])
def test_every_verb_is_needed_for_an_object_of_the_stack(verb: str) -> None:
    assert permissions.check(case(FakeApi(missing=[(verb, "clusterroles", "")]))).level is Level.ERROR


def test_an_existing_namespace_needs_no_permission_to_create_or_delete_it() -> None:
    manifest = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}}
    api = FakeApi()
    assert permissions.check(case(api, only(manifest, patch=True))).level is Level.OK
    asked = [r.body["spec"]["resourceAttributes"] for r in api.asked if r.body and "spec" in r.body]
    verbs = {a["verb"] for a in asked if a.get("name") == "shop"}
    assert verbs == {"get", "patch"}
    # A Role in the namespace can give them: that is how Kubernetes reads it.
    assert all(a["namespace"] == "shop" for a in asked if a.get("name") == "shop")


def test_permissions_to_watch_a_deployments_rollout_are_checked() -> None:
    result = permissions.check(case(FakeApi(missing=[("watch", "replicasets", "istio-system")])))
    assert "can-i watch replicasets.apps --namespace istio-system" in result.details[0]


def test_permissions_for_what_up_lists_first_are_checked() -> None:
    assert "can-i list nodes " in permissions.check(case(FakeApi(missing=[("list", "nodes", "")]))).details[0]


def test_the_result_names_the_user() -> None:
    who = Answer(201, {"status": {"userInfo": {"username": "jo"}}})
    api = FakeApi({"POST /apis/authentication.k8s.io/v1/selfsubjectreviews": who})
    assert permissions.check(case(api)).text.startswith("jo has all")


def test_an_object_of_a_missing_namespace_is_tried_in_the_fallback_namespace_with_a_generated_name() -> None:
    api = FakeApi()
    (trial,) = dryrun.trials([*only(CONFIG).objects], case(api, only(CONFIG)).kinds, api)
    assert trial.accepted
    assert trial.elsewhere
    body = api.asked[-1].body
    assert body is not None
    assert body["metadata"] == {"generateName": "precheck-"}


def test_in_the_fallback_namespace_only_an_invalid_object_is_an_error() -> None:
    assert objects.check(case(FakeApi({ELSEWHERE: REFUSED}), only(CONFIG))).level is Level.OK
    wrong = status(422, 'ConfigMap "x" is invalid: data[a b]: Invalid value')
    result = objects.check(case(FakeApi({ELSEWHERE: wrong}), only(CONFIG)))
    assert result.level is Level.ERROR
    assert "ConfigMap istio-system/mesh" in result.details[0]


def test_a_rejection_by_admission_is_an_error_with_its_message() -> None:
    result = objects.check(case(FakeApi({APPLIED: REFUSED}), only(CONFIG)))
    assert result.level is Level.ERROR
    assert result.details == [f"ConfigMap istio-system/mesh: {REFUSED.message}"]


def test_a_webhook_without_support_for_dry_runs_is_no_error() -> None:
    answer = status(400, 'admission webhook "x" does not support dry run')
    assert objects.check(case(FakeApi({APPLIED: answer}), only(CONFIG))).level is Level.OK


def test_a_missing_permission_is_left_to_the_check_of_permissions() -> None:
    answer = status(403, 'configmaps "mesh" is forbidden: User "jo" cannot patch resource "configmaps" in API group ""')
    result = objects.check(case(FakeApi({APPLIED: answer}), only(CONFIG)))
    assert result.level is Level.WARNING
    assert "1 could not be tried for lack of permissions" in result.text


def test_a_policys_message_with_cannot_is_not_taken_for_a_missing_permission() -> None:
    answer = status(403, 'admission webhook "x" denied the request: you cannot use this name')
    assert objects.check(case(FakeApi({APPLIED: answer}), only(CONFIG))).level is Level.ERROR


def test_a_conflict_with_another_field_manager_is_an_error_that_names_it() -> None:
    result = objects.check(case(FakeApi({APPLIED: conflict("helm")}), only(CONFIG)))
    assert result.level is Level.ERROR
    assert '.metadata.labels.app is set by another field manager: conflict with "helm"' in result.details[0]


def test_a_dry_run_uses_the_field_manager_of_the_update() -> None:
    api = FakeApi()
    assert objects.check(case(api, only(CONFIG))).level is Level.OK
    assert [r.path.partition("?")[2] for r in api.asked if r.method == "PATCH"] == [
        f"dryRun=All&fieldManager={MANAGER}"
    ]


def test_the_field_manager_of_a_stack_is_that_of_its_objects() -> None:
    assert {p.manager for p in planned().objects} == {MANAGER}


def test_a_change_of_an_immutable_field_is_accepted_since_pulumi_replaces_the_object() -> None:
    answer = status(422, "spec.selector: Invalid value: field is immutable")
    assert objects.check(case(FakeApi({APPLIED: answer}), only(CONFIG))).level is Level.OK


def test_a_role_that_grants_more_than_its_creator_has_is_an_error() -> None:
    answer = status(403, 'user "jo" is attempting to grant RBAC permissions not currently held:\n{...}')
    result = objects.check(case(FakeApi({ELSEWHERE: answer}), only(CONFIG)))
    assert result.level is Level.ERROR
    assert "`escalate`" in result.details[1]


def test_a_binding_whose_role_does_not_exist_yet_is_no_error() -> None:
    answer = status(404, 'clusterroles.rbac.authorization.k8s.io "x" not found', "clusterroles")
    assert objects.check(case(FakeApi({APPLIED: answer}), only(CONFIG))).level is Level.OK


def test_a_kind_that_the_api_server_does_not_serve_is_an_error() -> None:
    manifest = {**CONFIG, "apiVersion": "policy/v9", "kind": "Budget"}
    result = objects.check(case(chosen=only(manifest)))
    assert result.details == ["policy/v9 Budget: the API server has no such kind"]


def test_secrets_are_not_tried_since_their_values_are_not_known() -> None:
    api = FakeApi()
    objects.check(case(api, only({**CONFIG, "kind": "Secret"})))
    assert not [r for r in api.asked if r.method in ("PATCH", "POST")]


def test_every_object_that_can_be_tried_is_accepted() -> None:
    result = objects.check(case())
    waiting = sum(planned.type[0].startswith("networking.istio.io") for planned in planned().objects)
    total = len(planned().objects)
    assert result.level is Level.OK
    assert f"accepts {total - waiting} of {total} objects" in result.text


def test_a_denied_access_review_raises_refused() -> None:
    review = "POST /apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
    with pytest.raises(Refused, match="cannot create"):
        permissions.check(case(FakeApi({review: denied("selfsubjectaccessreviews", "create")})))
