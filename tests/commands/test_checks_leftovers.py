"""`make precheck` on a cluster where an Istio has left something."""

from __future__ import annotations

from dataclasses import replace

from cluster.survey import Blocking
from commands.checks import Level, ownership
from tests.fake_api import SURVEY, FakeApi, case, denied, listing, namespace

DAEMON_SETS = "GET /apis/apps/v1/daemonsets"
ROLES = "GET /apis/rbac.authorization.k8s.io/v1/clusterroles"


def test_a_webhook_that_refuses_objects_is_an_error_with_the_command_that_removes_it() -> None:
    one = Blocking("ValidatingWebhookConfiguration", "istio-validator-istio-system", "its Service does not exist")
    found = replace(SURVEY, istio="validation webhook istio-validator", abandoned=True, blocking=[one])
    result = ownership.owner(case(survey=found))
    assert (result.level, result.text) == (Level.ERROR, "the stack cannot be installed on this cluster")
    assert "`kubectl delete validatingwebhookconfiguration istio-validator-istio-system --context here`" in str(
        result.details
    )


def test_what_acts_on_pods_is_a_warning() -> None:
    plugin = {"metadata": {"name": "istio-cni-node", "namespace": "kube-system"}}
    result = ownership.owner(case(FakeApi({DAEMON_SETS: listing(plugin)})))
    assert result.level is Level.WARNING
    (detail,) = result.details
    assert detail.startswith(
        "left by an Istio: daemonset kube-system/istio-cni-node: it redirects the traffic of pods as well; `kubectl "
    )


def test_what_does_nothing_is_listed_and_does_not_matter() -> None:
    answers = {
        ROLES: listing({"metadata": {"name": "istio-pilot-istio-system"}}),
        "GET /api/v1/namespaces": listing(namespace("shop", **{"istio-injection": "enabled"})),
        "GET /api/v1/secrets": denied("secrets"),
    }
    result = ownership.owner(case(FakeApi(answers)))
    assert result.level is Level.OK
    assert result.details == [
        "left by an Istio: clusterrole istio-pilot-istio-system;"
        " `kubectl delete clusterrole istio-pilot-istio-system --context here` removes it",
        "left by an Istio: label istio-injection of namespace shop;"
        " `kubectl label namespace shop istio-injection- --context here` removes it",
    ]


def test_a_clean_cluster_has_no_details() -> None:
    result = ownership.owner(case())
    assert (result.level, list(result.details)) == (Level.OK, [])
