"""Whether a stack may be applied to a cluster, judged by the owner of what is on it."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from cluster import ownership
from cluster.state import StackState
from cluster.survey import Blocking, Definition, Survey
from cluster.target import Target
from mesh import releases
from mesh.core import names
from tests.releases import RELEASE

UID, PROVIDER = "uid-of-the-cluster", "id-of-the-provider"
OURS = {names.OWNER_PROJECT: "mesh", names.OWNER_STACK: "dev", names.OWNER_ID: PROVIDER}
EMPTY = Survey(Target("here", "https://here"), UID, (1, 33), {"kube-system": {}, "default": {}}, None, "10.0.0.1")
NOTHING = StackState()
DEPLOYED = StackState(
    {
        "pulumi:providers:kubernetes::cluster": {"clusterIdentifier": UID, "context": "here"},
        "kubernetes:core/v1:Namespace::istio-system": {"metadata": {"annotations": OURS}},
    }
)


def problems(found: Survey, recorded: StackState, namespaces: Mapping[str, str] | None = None) -> list[str]:
    return list(ownership.problems(found, recorded, [RELEASE], "mesh", "dev", "istio-system", namespaces or {}))


def with_mesh(mark: Mapping[str, str]) -> Survey:
    return replace(EMPTY, namespaces={**EMPTY.namespaces, "istio-system": mark}, istio="injection webhook x")


def test_a_new_stack_may_use_an_empty_cluster() -> None:
    assert problems(EMPTY, NOTHING, {"default": "existing", "shop": "create"}) == []


def test_a_stack_may_update_its_own_mesh() -> None:
    assert problems(with_mesh(OURS), DEPLOYED) == []


@pytest.mark.parametrize(("version", "count"), [((1, 22), 1), ((1, 23), 0), ((2, 0), 0)])
def test_kubernetes_before_1_23_is_refused_with_the_reason(version: tuple[int, int], count: int) -> None:
    found = problems(replace(EMPTY, version=version), NOTHING)
    assert len(found) == count
    assert all("1.22" in text and "policy/v1" in text for text in found)


def test_a_kubernetes_that_istio_does_not_support_is_refused_by_the_release() -> None:
    today = releases.get("1.30")
    old = replace(EMPTY, version=(1, 31))
    (text,) = ownership.problems(old, NOTHING, [today], "mesh", "today", "istio-system", {})
    assert "is Kubernetes 1.31; 1.32 or later is needed: the Istio project supports 1.30 on no older version" in text
    supported = replace(EMPTY, version=(1, 32))
    assert list(ownership.problems(supported, NOTHING, [today], "mesh", "today", "istio-system", {})) == []


def test_a_state_that_belongs_to_another_cluster_is_refused_with_both_names() -> None:
    elsewhere = StackState({"pulumi:providers:kubernetes::cluster": {"clusterIdentifier": "other", "context": "there"}})
    (text,) = problems(EMPTY, elsewhere)
    assert all(name in text for name in ("there", "other", "here", UID))


def test_the_mesh_of_another_stack_is_refused_with_its_owner() -> None:
    (text,) = problems(with_mesh({**OURS, names.OWNER_STACK: "prod"}), NOTHING)
    assert "project mesh, stack prod" in text


def test_a_mesh_of_a_stack_with_the_same_name_but_another_state_is_refused() -> None:
    (text,) = problems(with_mesh({**OURS, names.OWNER_ID: "another-provider"}), DEPLOYED)
    assert "already has the mesh" in text


def test_a_stack_without_its_state_may_not_update_its_own_mesh() -> None:
    assert len(problems(with_mesh(OURS), NOTHING)) == 1


def test_a_namespace_that_a_killed_update_did_not_record_still_belongs_to_the_stack() -> None:
    killed = StackState({k: v for k, v in DEPLOYED.resources.items() if "providers" in k})
    assert problems(with_mesh(OURS), killed) == []


def test_an_istio_without_an_owner_is_refused_and_described() -> None:
    found = replace(EMPTY, istio="injection webhook istio-sidecar-injector, installed by istioctl")
    (text,) = problems(found, NOTHING)
    assert "installed by istioctl" in text


@pytest.mark.parametrize("mark", [{}, {**OURS, names.OWNER_STACK: "prod"}], ids=["another origin", "another stack"])
def test_a_refusal_says_how_to_install_a_further_revision_instead(mark: Mapping[str, str]) -> None:
    (text,) = problems(with_mesh(mark), NOTHING)
    assert "`mesh:base: {enabled: false}`, with a `mesh:revision`" in text


def test_creating_a_namespace_that_exists_is_refused_with_advice() -> None:
    (text,) = problems(EMPTY, NOTHING, {"default": "create"})
    assert "default" in text
    assert "declare it `existing`" in text


def test_labelling_a_namespace_that_does_not_exist_is_refused_with_advice() -> None:
    (text,) = problems(EMPTY, NOTHING, {"shop": "existing"})
    assert "shop" in text
    assert "declare it `create`" in text


def test_an_istio_system_without_an_owner_is_not_taken_over() -> None:
    (text,) = problems(replace(EMPTY, namespaces={**EMPTY.namespaces, "istio-system": {}}), NOTHING)
    assert "istio-system" in text


def guest(found: Survey, recorded: StackState = NOTHING, injector: str = "istio-sidecar-injector-canary") -> list[str]:
    namespaces = {"istio-system": "existing"}
    return list(ownership.problems_without_base(found, recorded, [RELEASE], "mesh", "canary", [injector], namespaces))


def test_another_revision_may_be_installed_beside_a_mesh() -> None:
    assert guest(replace(with_mesh(OURS), injectors=frozenset({"istio-sidecar-injector"}))) == []


def test_a_revision_that_is_already_installed_is_refused_unless_it_is_the_stacks_own() -> None:
    injectors = frozenset({"istio-sidecar-injector-canary"})
    (text,) = guest(replace(with_mesh(OURS), injectors=injectors))
    assert "already has a control plane of this revision" in text
    name = "kubernetes:admissionregistration.k8s.io/v1:MutatingWebhookConfiguration::istio-sidecar-injector-canary"
    assert guest(replace(with_mesh(OURS), injectors=injectors), StackState({name: {}})) == []


def test_a_further_revision_needs_an_existing_istio_system() -> None:
    (text,) = guest(EMPTY)
    assert "istio-system is declared `existing`" in text


def with_definitions(mark: Mapping[str, str]) -> Survey:
    marks = {"gateways.networking.istio.io": OURS, "sidecars.networking.istio.io": mark}
    return replace(EMPTY, definitions={name: Definition(one) for name, one in marks.items()})


def test_definitions_that_the_stack_itself_left_behind_are_accepted() -> None:
    assert problems(with_definitions(OURS), NOTHING) == []


def test_definitions_that_another_stack_left_behind_are_refused_with_their_owner() -> None:
    (text,) = problems(with_definitions({**OURS, names.OWNER_STACK: "prod"}), NOTHING)
    assert "project mesh, stack prod" in text


def test_definitions_without_an_owner_are_refused_as_another_istio() -> None:
    (text,) = problems(with_definitions({}), NOTHING)
    assert "did not install" in text
    assert "sidecars.networking.istio.io" in text


def adopted(found: Survey, recorded: StackState, namespaces: Mapping[str, str] | None = None) -> list[str]:
    return list(
        ownership.problems(found, recorded, [RELEASE], "mesh", "dev", "istio-system", namespaces or {}, adopt=True)
    )


def test_adoption_may_take_over_an_istio_without_an_owner() -> None:
    found = replace(with_mesh({}), definitions={"gateways.networking.istio.io": Definition({})})
    assert "`make adopt` takes it over" in problems(found, NOTHING)[0]
    assert "`make adopt` takes it over" in problems(replace(found, istio=None, namespaces={}), NOTHING)[0]
    assert adopted(found, NOTHING, {"default": "create"}) == []


def test_adoption_may_not_take_over_the_mesh_of_another_stack() -> None:
    (text,) = adopted(with_mesh({**OURS, names.OWNER_STACK: "prod"}), NOTHING)
    assert "project mesh, stack prod" in text
    shop = replace(EMPTY, namespaces={"shop": {**OURS, names.OWNER_STACK: "prod"}})
    assert len(adopted(shop, NOTHING, {"shop": "create"})) == 1


def test_adoption_does_not_accept_an_old_or_wrong_cluster() -> None:
    assert len(adopted(replace(with_mesh({}), version=(1, 22)), NOTHING)) == 1
    assert len(adopted(EMPTY, NOTHING, {"shop": "existing"})) == 1


DEAD = Blocking("ValidatingWebhookConfiguration", "istio-validator-istio-system", "its Service does not exist")
LEFT = replace(EMPTY, istio="validation webhook istio-validator-istio-system", abandoned=True, blocking=[DEAD])
REMOVAL = "Remove it: `kubectl delete validatingwebhookconfiguration istio-validator-istio-system --context here`"


def test_what_an_istio_left_is_refused_with_the_command_that_removes_it() -> None:
    (text,) = problems(LEFT, NOTHING)
    assert "already has an Istio that this stack did not install: validation webhook istio-validator" in text
    assert text.endswith(
        f"ValidatingWebhookConfiguration istio-validator-istio-system: its Service does not exist. {REMOVAL}"
    )
    assert list(ownership.blocked(LEFT, NOTHING, frozenset(), [text])) == []  # once is enough


def test_a_dead_webhook_that_is_skipped_is_to_be_removed_as_well() -> None:
    (text,) = problems(replace(LEFT, blocking=()), NOTHING)
    assert text.endswith("Only that webhook is left of it, and its Service does not exist: remove it first")


def test_what_would_refuse_the_stacks_objects_is_refused_over_its_own_mesh_and_beside_others() -> None:
    (text,) = ownership.blocked(LEFT, DEPLOYED, frozenset(("istiod-istio-system",)))
    assert text.startswith(
        "here (https://here) has leftovers of an Istio. ValidatingWebhookConfiguration istio-validator"
    )
    assert text.endswith(REMOVAL)


def test_the_stacks_own_webhooks_are_not_left_by_others() -> None:
    key = "kubernetes:admissionregistration.k8s.io/v1:ValidatingWebhookConfiguration::istio-validator-istio-system"
    assert list(ownership.blocked(LEFT, StackState({key: {}}), frozenset())) == []
    assert list(ownership.blocked(LEFT, NOTHING, frozenset(("istio-validator-istio-system",)))) == []
