"""The checks before a teardown: pods and custom resources of others."""

from typing import Any

import pytest

from cluster.client import Answer, Request
from commands import teardown
from commands.stackfiles import CommandError
from commands.teardown import Recorded
from tests import meshes
from tests.cluster.standing import OLD, PATHS, REV, injector, namespace

GROUP = "networking.istio.io"
VERSIONS = {**meshes.VERSIONS, "CustomResourceDefinition": "apiextensions.k8s.io/v1"}


def pod(namespace: str, owner: str, authority: str | None) -> dict[str, Any]:
    env = [] if authority is None else [{"name": "CA_ADDR", "value": authority}]
    references = [{"kind": "ReplicaSet", "name": f"{owner}-5f6d8"}]
    return {
        "metadata": {"name": f"{owner}-5f6d8-x", "namespace": namespace, "ownerReferences": references},
        "spec": {"containers": [{"name": "app"}, {"name": "istio-proxy", "env": env}]},
    }


def resource(kind: str, name: str, namespace: str | None = None, **more: Any) -> dict[str, Any]:
    metadata = {"name": name, **({"namespace": namespace} if namespace else {})}
    head = {"apiVersion": VERSIONS[kind], "kind": kind, "metadata": metadata}
    return {"inputs": {**head, **more.pop("inputs", {})}, **more}


def definition(kind: str, **more: Any) -> dict[str, Any]:
    versions = [{"name": "v1alpha3", "storage": False}, {"name": "v1beta1", "storage": True}]
    spec = {"group": GROUP, "names": {"kind": kind, "plural": f"{kind.lower()}s"}, "versions": versions}
    return resource("CustomResourceDefinition", f"{kind.lower()}s.{GROUP}", inputs={"spec": spec}, **more)


STATE = {
    "resources": [
        resource("Service", "istiod", "istio-system"),
        resource("Deployment", "istiod", "istio-system"),
        resource("Deployment", "reviews-v1", "default"),
        definition("VirtualService"),
        definition("Gateway"),
        resource("VirtualService", "bookinfo", "default"),
    ]
}


class Cluster(dict[str, Any]):
    """An API server with the items of some collections, by path; other paths are not found."""

    def ask(self, request: Request) -> Answer:
        path = request.path.partition("?")[0]
        return Answer(200, {"items": self[path]}) if path in self else Answer(404)


@pytest.fixture
def answers() -> Cluster:
    """A cluster without pods; tests add further answers."""
    return Cluster({path: [] for path in PATHS.values()})


def test_the_stacks_own_pods_and_resources_do_not_prevent_a_teardown(answers: Cluster) -> None:
    answers["/api/v1/pods"] = [pod("default", "reviews-v1", "istiod.istio-system.svc:15012")]
    answers[f"/apis/{GROUP}/v1beta1/virtualservices"] = [resource("VirtualService", "bookinfo", "default")["inputs"]]
    teardown.check(STATE, answers, force=False)


def test_pods_of_others_with_a_native_sidecar_are_listed(answers: Cluster) -> None:
    theirs = pod("shop", "cart", "istiod.istio-system.svc:15012")
    proxy = {**theirs["spec"]["containers"].pop(), "restartPolicy": "Always"}
    theirs["spec"]["initContainers"] = [proxy]
    answers["/api/v1/pods"] = [theirs]
    with pytest.raises(CommandError, match="1 pod would keep a sidecar without a control plane: shop/cart"):
        teardown.check(STATE, answers, force=False)


@pytest.mark.parametrize(
    "authority", ["istiod.istio-system.svc:15012", "istiod.istio-system.svc.cluster.local:15012", "", None]
)
def test_pods_with_a_sidecar_of_this_or_an_unknown_mesh_are_listed(answers: Cluster, authority: str | None) -> None:
    answers["/api/v1/pods"] = [pod("shop", "cart", authority)]
    with pytest.raises(CommandError, match=r"(?s)1 pod would .*shop/cart-5f6d8-x.*make down FORCE=1"):
        teardown.check({"resources": STATE["resources"][:3]}, answers, force=False)


def test_a_workload_of_the_same_name_in_another_namespace_is_not_the_stacks(answers: Cluster) -> None:
    answers["/api/v1/pods"] = [pod("shop", "reviews-v1", None)]
    with pytest.raises(CommandError, match="shop/reviews-v1"):
        teardown.check(STATE, answers, force=False)


@pytest.mark.parametrize("authority", ["istiod.other.svc:15012", "istiod-canary.istio-system.svc:15012"])
def test_pods_with_a_sidecar_of_another_control_plane_are_ignored(answers: Cluster, authority: str) -> None:
    answers["/api/v1/pods"] = [pod("shop", "cart", authority)]
    teardown.check(STATE, answers, force=False)


def test_long_lists_are_shortened_and_counted(answers: Cluster) -> None:
    path = f"/apis/{GROUP}/v1beta1/gateways"
    answers[path] = [resource("Gateway", f"g{n}", "shop")["inputs"] for n in range(12)]
    with pytest.raises(CommandError, match=r"12 custom resources .*Gateway shop/g9 and 2 more"):
        teardown.check(STATE, answers, force=False)


def test_with_force_the_problems_are_printed_and_the_teardown_goes_on(
    answers: Cluster, capsys: pytest.CaptureFixture[str]
) -> None:
    answers[f"/apis/{GROUP}/v1beta1/gateways"] = [resource("Gateway", "edge", "shop")["inputs"]]
    teardown.check(STATE, answers, force=True)
    assert "Gateway shop/edge" in capsys.readouterr().out


def test_kept_definitions_endanger_no_custom_resources() -> None:
    kept = Recorded([definition("Gateway", retainOnDelete=True), definition("VirtualService")])
    assert [found["spec"]["names"]["kind"] for found in kept.definitions()] == ["VirtualService"]


def test_custom_resources_in_a_namespace_of_the_stack_are_lost_even_with_kept_definitions(
    answers: Cluster,
) -> None:
    kept = [definition("Gateway", retainOnDelete=True), resource("Namespace", "istio-system")]
    path = f"/apis/{GROUP}/v1beta1/gateways"
    answers[path] = [resource("Gateway", name, space)["inputs"] for name, space in (("a", "istio-system"), ("b", "x"))]
    with pytest.raises(CommandError, match=r"1 custom resource .*Gateway istio-system/a"):
        teardown.check({"resources": kept}, answers, force=False)


@pytest.mark.parametrize(
    ("kind", "name", "owner"),
    [
        ("StatefulSet", "store", {"kind": "StatefulSet", "name": "store"}),
        ("DaemonSet", "agent", {"kind": "DaemonSet", "name": "agent"}),
        ("Job", "once", {"kind": "Job", "name": "once"}),
        ("CronJob", "nightly", {"kind": "Job", "name": "nightly-29012345"}),
        ("ReplicaSet", "bare", {"kind": "ReplicaSet", "name": "bare"}),
        ("Pod", "alone", None),
    ],
)
def test_pods_of_every_kind_of_workload_of_the_stack_are_its_own(
    answers: Cluster, kind: str, name: str, owner: dict[str, str] | None
) -> None:
    found = pod("default", name, "istiod.istio-system.svc:15012")
    found["metadata"] |= {"name": name if owner is None else f"{name}-0", "ownerReferences": [owner] if owner else []}
    answers["/api/v1/pods"] = [found]
    with pytest.raises(CommandError, match="1 pod would keep a sidecar without a control plane"):
        teardown.check(STATE, answers, force=False)
    teardown.check({"resources": [*STATE["resources"], resource(kind, name, "default")]}, answers, force=False)


OF_STACK = injector("istio-sidecar-injector", "istiod", (REV, "default"), (OLD, "enabled"))
LABELLED = namespace("shop", **{OLD: "enabled"})


def test_namespaces_of_others_that_would_lose_their_injector_are_listed(answers: Cluster) -> None:
    state = {"resources": [*STATE["resources"][:3], {"inputs": OF_STACK}]}
    answers[PATHS["MutatingWebhookConfiguration"]] = [OF_STACK]
    answers[PATHS["Namespace"]] = [LABELLED, namespace("plain")]
    with pytest.raises(
        CommandError, match=r"1 namespace asks for sidecars by istio-injection=enabled: shop\. New pods"
    ):
        teardown.check(state, answers, force=False)


@pytest.mark.parametrize("kind", ["Namespace", "NamespacePatch"])
def test_the_namespaces_of_the_stack_do_not_prevent_a_teardown(answers: Cluster, kind: str) -> None:
    own = {"type": f"kubernetes:core/v1:{kind}", "inputs": LABELLED}
    answers[PATHS["MutatingWebhookConfiguration"]] = [OF_STACK]
    answers[PATHS["Namespace"]] = [LABELLED]
    teardown.check({"resources": [{"inputs": OF_STACK}, own]}, answers, force=False)
