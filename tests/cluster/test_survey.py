"""The survey of a cluster, which is taken before the first resource is registered."""

from pathlib import Path
from typing import Any

import pytest

from cluster import survey
from cluster.client import Answer
from cluster.errors import ClusterError, Unreachable
from cluster.target import Target
from mesh import api
from mesh.core import names
from tests.fake_api import FakeApi, denied, listing
from tests.releases import RELEASE

AT = Target("here", "https://here")
WEBHOOKS = "GET /apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations"
DEFINITIONS = "GET /apis/apiextensions.k8s.io/v1/customresourcedefinitions"
ADDRESSES = [{"type": "InternalIP", "address": "10.0.0.1"}, {"type": "ExternalIP", "address": "192.0.2.7"}]
EMPTY = {
    "GET /version": Answer(200, {"major": "1", "minor": "23+"}),
    "GET /api/v1/namespaces": listing(
        {"metadata": {"name": "kube-system", "uid": "the-cluster"}},
        {"metadata": {"name": "shop", "annotations": {names.OWNER_STACK: "dev"}}},
    ),
    "GET /api/v1/nodes": listing({"status": {"addresses": ADDRESSES}}),
    WEBHOOKS: listing(),
    "GET /apis": Answer(200, {"groups": [{"name": "apps"}]}),
}


def server(**changed: Answer) -> FakeApi:
    return FakeApi({**EMPTY, **changed})


def istiod(**metadata: object) -> dict[str, object]:
    webhook = {"clientConfig": {"service": {"name": "istiod", "namespace": "istio-system"}}}
    return {"metadata": {"name": "istio-sidecar-injector", **metadata}, "webhooks": [webhook]}


def test_the_survey_of_an_empty_cluster_finds_no_istio() -> None:
    api_server = server()
    found = survey.read(AT, api_server)
    assert (found.uid, found.version, found.node, found.istio) == ("the-cluster", (1, 23), "192.0.2.7", None)
    assert found.namespaces == {"kube-system": {}, "shop": {names.OWNER_STACK: "dev"}}
    assert (found.injectors, found.definitions) == (frozenset(), {})
    assert DEFINITIONS not in [f"{r.method} {r.path}" for r in api_server.asked]  # there are none of Istio's API


def test_the_survey_finds_an_installed_istio_and_its_definitions() -> None:
    group = Answer(200, {"groups": [{"name": "networking.istio.io"}]})
    ours = api.definitions(RELEASE.api)[0]["metadata"]["name"]
    definitions = listing(
        {
            "metadata": {"name": ours, "annotations": {names.OWNER_ID: "7"}},
            "spec": {"versions": [{"name": "v1", "served": True}, {"name": "v1alpha3", "served": False}]},
            "status": {"storedVersions": ["v1alpha3", "v1"]},
        },
        {"metadata": {"name": "certificates.others.io"}},
    )
    webhooks = listing(
        {"metadata": {"name": "other"}, "webhooks": [{"clientConfig": {"url": "https://a"}}]},
        istiod(),
    )
    found = survey.read(AT, server(**{"GET /apis": group, DEFINITIONS: definitions, WEBHOOKS: webhooks}))
    assert found.istio == "injection webhook istio-sidecar-injector, installed by other means"
    assert found.injectors == {"other", "istio-sidecar-injector"}
    versions = frozenset({"v1"}), frozenset({"v1", "v1alpha3"})
    assert found.definitions == {ours: survey.Definition({names.OWNER_ID: "7"}, *versions)}


@pytest.mark.parametrize(
    ("metadata", "said"),
    [
        ({"annotations": {"meta.helm.sh/release-name": "mesh"}}, "Helm as release mesh"),
        ({"labels": {"operator.istio.io/component": "Pilot"}}, "istioctl or the Istio operator"),
    ],
)
def test_helm_and_istioctl_are_recognised_by_labels_and_annotations(metadata: dict[str, object], said: str) -> None:
    found = survey.read(AT, server(**{WEBHOOKS: listing(istiod(**metadata))}))
    assert found.istio == f"injection webhook istio-sidecar-injector, installed by {said}"


def test_a_missing_right_is_named() -> None:
    with pytest.raises(ClusterError, match=r'^the cluster refuses: nodes is forbidden: User "dev" cannot list'):
        survey.read(AT, server(**{"GET /api/v1/nodes": denied("nodes")}))


def test_a_server_that_is_no_api_server_is_refused() -> None:
    with pytest.raises(ClusterError, match=r"^https://here answers, but not as a Kubernetes API server does$"):
        survey.read(AT, server(**{path: Answer(404) for path in EMPTY}))
    with pytest.raises(ClusterError, match=r"^https://here answers, but not as a Kubernetes API server does$"):
        survey.read(AT, server(**{"GET /version": Answer(200, {"git": "v1"})}))


def test_an_embedded_cluster_that_was_never_started_is_unreachable(tmp_path: Path) -> None:
    with pytest.raises(Unreachable, match="has not been started"):
        survey.take(Target("mesh-dev", "not started", tmp_path / "kubeconfig"))


def test_no_request_is_sent_if_mesh_offline_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MESH_OFFLINE", "1")
    with pytest.raises(Unreachable, match="MESH_OFFLINE"):
        survey.take(AT)


def test_a_missing_kubectl_is_reported(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ClusterError, match=r"^kubectl is not on PATH"):
        survey.take(AT)


VALIDATORS = "GET /apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations"
BINDINGS = "GET /apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings"
ISTIOD = "GET /api/v1/namespaces/istio-system/services/istiod"


def validator(policy: str | None = "Fail") -> dict[str, Any]:
    called = {"service": {"name": "istiod", "namespace": "istio-system"}}
    hook = {"name": "rev.validation.istio.io", "clientConfig": called, "failurePolicy": policy}
    hook = {key: value for key, value in hook.items() if value}
    return {"metadata": {"name": "istio-validator-istio-system"}, "webhooks": [hook]}


@pytest.mark.parametrize("policy", ["Fail", None], ids=["Fail", "the default"])
def test_a_validator_without_its_istiod_is_what_an_istio_left(policy: str | None) -> None:
    found = survey.read(AT, server(**{VALIDATORS: listing(validator(policy))}))
    assert found.istio == "validation webhook istio-validator-istio-system, installed by other means"
    assert found.abandoned
    (one,) = found.blocking
    assert one.removal == "kubectl delete validatingwebhookconfiguration istio-validator-istio-system"
    assert str(one) == (
        "ValidatingWebhookConfiguration istio-validator-istio-system: its Service istio-system/istiod does not exist,"
        " so the objects of Istio's API that it selects are refused (failurePolicy Fail)"
    )


def test_a_validator_that_is_skipped_without_an_answer_blocks_nothing() -> None:
    found = survey.read(AT, server(**{VALIDATORS: listing(validator("Ignore"))}))
    assert (found.abandoned, list(found.blocking)) == (True, [])


@pytest.mark.parametrize("service", [Answer(200, {"kind": "Service"}), denied("services", "get")])
def test_a_validator_whose_istiod_may_answer_belongs_to_an_istio_that_runs(service: Answer) -> None:
    found = survey.read(AT, server(**{VALIDATORS: listing(validator()), ISTIOD: service}))
    assert found.istio
    assert (found.abandoned, list(found.blocking)) == (False, [])


def test_a_dead_injector_and_a_policy_block_as_well() -> None:
    bindings = listing(
        {"metadata": {"name": "stable-channel-default-policy-binding.istio.io"}}, {"metadata": {"name": "x"}}
    )
    found = survey.read(AT, server(**{WEBHOOKS: listing(istiod()), BINDINGS: bindings}))
    assert [(one.kind, one.name) for one in found.blocking] == [
        ("MutatingWebhookConfiguration", "istio-sidecar-injector"),
        ("ValidatingAdmissionPolicyBinding", "stable-channel-default-policy-binding.istio.io"),
    ]
