"""A stack's objects beside somebody else's."""

from __future__ import annotations

import copy
import json
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from commands import render
from commands.checks.api import Answer
from commands.parity import compare, defaults, report, sources, wanted
from commands.parity.compare import Difference, differences, key
from commands.parity.defaults import NOTHING
from commands.parity.normal import normal
from commands.stackfiles import CommandError
from components import cluster
from components.cluster import ClusterError
from tests import fake_api, owned
from tests.fake_api import FakeApi, listing, status

REFERENCE = os.environ.get("MESH_REFERENCE")
Change = Callable[[Any], object]

DEPLOYMENT: dict[str, Any] = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "front", "namespace": "shop", "labels": {"app": "front"}},
    "spec": {
        "replicas": 1,
        "selector": {"matchLabels": {"app": "front"}},
        "template": {
            "metadata": {"labels": {"app": "front"}},
            "spec": {
                "serviceAccountName": "front",
                "containers": [
                    {
                        "name": "front",
                        "image": "front:1",
                        "args": ["--a", "--b"],
                        "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}],
                        "ports": [{"containerPort": 80}],
                        "resources": {"limits": {"cpu": "2000m", "memory": "1024Mi"}},
                    },
                    {"name": "side", "image": "side"},
                ],
            },
        },
    },
}
SERVICE: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "front", "namespace": "shop"},
    "spec": {"ports": [{"name": "http", "port": 80}], "selector": {"app": "front"}},
}
ROLE: dict[str, Any] = {
    "apiVersion": "rbac.authorization.k8s.io/v1",
    "kind": "ClusterRole",
    "metadata": {"name": "reader"},
    "rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list"]}, {"verbs": ["get"]}],
}
DOCUMENT: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "istio", "namespace": "istio-system"},
    "data": {"mesh": "trustDomain: cluster.local\nenableTracing: true\n", "text": "one\ntwo\n"},
}
WEBHOOK: dict[str, Any] = {
    "apiVersion": "admissionregistration.k8s.io/v1",
    "kind": "ValidatingWebhookConfiguration",
    "metadata": {"name": "v"},
    "webhooks": [{"name": "a", "clientConfig": {"service": {"name": "istiod", "namespace": "istio-system"}}}],
}
POLICY: dict[str, Any] = {
    "apiVersion": "security.istio.io/v1beta1",
    "kind": "AuthorizationPolicy",
    "metadata": {"name": "p", "namespace": "shop"},
    "spec": {"rules": [{}]},
}
SCALER: dict[str, Any] = {
    "apiVersion": "autoscaling/v2",
    "kind": "HorizontalPodAutoscaler",
    "metadata": {"name": "front", "namespace": "shop"},
    "spec": {"maxReplicas": 5, "scaleTargetRef": {"kind": "Deployment", "name": "front"}},
}
SECRET: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Secret",
    "metadata": {"name": "s", "namespace": "shop"},
    "stringData": {"password": "hunter2"},
}


def changed(manifest: Mapping[str, Any], change: Change) -> dict[str, Any]:
    found = copy.deepcopy(dict(manifest))
    change(found)
    return found


def containers(manifest: Any) -> Any:
    return manifest["spec"]["template"]["spec"]["containers"]


def found(theirs: Mapping[str, Any], ours: Mapping[str, Any]) -> list[tuple[str, Any, Any]]:
    return [(d.path, d.theirs, d.ours) for d in differences([theirs], [ours])]


SAME: dict[str, tuple[Mapping[str, Any], Change]] = {
    "what the API server fills in": (
        DEPLOYMENT,
        lambda m: (
            m["spec"].update(progressDeadlineSeconds=600, revisionHistoryLimit=10),
            containers(m)[0]["ports"][0].update(protocol="TCP"),
            containers(m)[0].update(imagePullPolicy="IfNotPresent", terminationMessagePath="/dev/termination-log"),
            containers(m)[1].update(imagePullPolicy="Always", resources={}),
        ),
    ),
    "a default that is left out": (DEPLOYMENT, lambda m: m["spec"].pop("replicas")),
    "an amount in other words": (
        DEPLOYMENT,
        lambda m: containers(m)[0].update(resources={"limits": {"cpu": 2, "memory": "1Gi"}}),
    ),
    "the order of variables and containers": (
        DEPLOYMENT,
        lambda m: (containers(m)[0]["env"].reverse(), containers(m).reverse()),
    ),
    "the older name of the account": (
        DEPLOYMENT,
        lambda m: m["spec"]["template"]["spec"].update(serviceAccount="front"),
    ),
    "status and bookkeeping": (
        DEPLOYMENT,
        lambda m: (
            m.update(status={"replicas": 1}),
            m["metadata"].update(uid="u", managedFields=[{}], annotations={"deployment.kubernetes.io/revision": "3"}),
            m["spec"]["template"]["metadata"]["labels"].update({"operator.istio.io/component": "Pilot"}),
        ),
    ),
    "an assigned address and port": (
        SERVICE,
        lambda m: (
            m["spec"].update(clusterIP="10.0.0.1", clusterIPs=["10.0.0.1"], ipFamilies=["IPv4"], type="ClusterIP"),
            m["spec"]["ports"][0].update(nodePort=31000, targetPort=80),
        ),
    ),
    "the order of rules and verbs": (ROLE, lambda m: (m["rules"].reverse(), m["rules"][1]["verbs"].reverse())),
    "a document in other lines": (
        DOCUMENT,
        lambda m: m["data"].update(mesh='{"enableTracing": true, "trustDomain": "cluster.local"}'),
    ),
    "what istiod writes": (
        WEBHOOK,
        lambda m: (
            m["webhooks"][0].update(failurePolicy="Ignore", timeoutSeconds=10),
            m["webhooks"][0]["clientConfig"].update(caBundle="Zm9v"),
        ),
    ),
    "the value of a secret": (
        SECRET,
        lambda m: (m.pop("stringData"), m.update(data={"password": "c2VjcmV0"}, type="Opaque")),
    ),
}


@pytest.mark.parametrize("case", SAME)
def test_what_no_cluster_would_notice_is_no_difference(case: str) -> None:
    manifest, change = SAME[case]
    assert found(changed(manifest, change), manifest) == []


DIFFERENT: dict[str, tuple[Mapping[str, Any], Change, list[tuple[str, Any, Any]]]] = {
    "a value": (
        DEPLOYMENT,
        lambda m: containers(m)[0].update(image="front:2"),
        [("spec.template.spec.containers[front].image", "front:2", "front:1")],
    ),
    "a value beside a default": (DEPLOYMENT, lambda m: m["spec"].update(replicas=3), [("spec.replicas", 3, 1)]),
    "a field that only they have": (
        DEPLOYMENT,
        lambda m: m["spec"].update(minReadySeconds=5),
        [("spec.minReadySeconds", 5, NOTHING)],
    ),
    "a field that only we have": (
        DEPLOYMENT,
        lambda m: containers(m)[0]["env"].pop(),
        [("spec.template.spec.containers[front].env[B]", NOTHING, {"name": "B", "value": "2"})],
    ),
    "a whole container, in one line": (
        DEPLOYMENT,
        lambda m: containers(m).pop(),
        [
            (
                "spec.template.spec.containers[side]",
                NOTHING,
                {"name": "side", "image": "side", "imagePullPolicy": "Always"},
            )
        ],
    ),
    "the order of arguments": (
        DEPLOYMENT,
        lambda m: containers(m)[0]["args"].reverse(),
        [
            ("spec.template.spec.containers[front].args[0]", "--b", "--a"),
            ("spec.template.spec.containers[front].args[1]", "--a", "--b"),
        ],
    ),
    "a selector": (
        DEPLOYMENT,
        lambda m: m["spec"]["selector"]["matchLabels"].update(release="x"),
        [("spec.selector.matchLabels.release", "x", NOTHING)],
    ),
    "a port": (
        SERVICE,
        lambda m: m["spec"]["ports"][0].update(targetPort=8080),
        [("spec.ports[http].targetPort", 8080, 80)],
    ),
    "one value in a document": (
        DOCUMENT,
        lambda m: m["data"].update(mesh="trustDomain: other\nenableTracing: true\n"),
        [("data.mesh.trustDomain", "other", "cluster.local")],
    ),
    "a webhook's place": (
        WEBHOOK,
        lambda m: m["webhooks"][0]["clientConfig"]["service"].update(path="/validate"),
        [("webhooks[a].clientConfig.service.path", "/validate", NOTHING)],
    ),
    "an empty rule, which lets everybody in": (
        POLICY,
        lambda m: m["spec"].update(rules=[]),
        [("spec.rules", [], [{}])],
    ),
    "a key with dots": (
        DEPLOYMENT,
        lambda m: m["metadata"]["labels"].update({"a.b/c": "d"}),
        [('metadata.labels."a.b/c"', "d", NOTHING)],
    ),
    "what a secret holds": (
        SECRET,
        lambda m: m["stringData"].update(other="x"),
        [("data.other", "(secret)", NOTHING)],
    ),
}


@pytest.mark.parametrize("case", DIFFERENT)
def test_what_a_cluster_would_notice_is_told_with_its_place(case: str) -> None:
    manifest, change, expected = DIFFERENT[case]
    assert found(changed(manifest, change), manifest) == expected


def test_a_configured_node_port_is_ours() -> None:
    ours = changed(SERVICE, lambda m: m["spec"]["ports"][0].update(nodePort=31102))
    theirs = changed(SERVICE, lambda m: m["spec"]["ports"][0].update(nodePort=31000))
    assert found(theirs, ours) == [("spec.ports[http].nodePort", 31000, 31102)]


def test_replicas_belong_to_an_autoscaler_only_where_there_is_one() -> None:
    theirs = changed(DEPLOYMENT, lambda m: m["spec"].update(replicas=4))
    ours = changed(DEPLOYMENT, lambda m: m["spec"].pop("replicas"))
    assert [d.path for d in differences([theirs], [ours])] == ["spec.replicas"]
    assert differences([theirs, SCALER], [ours, SCALER]) == []


def test_an_old_autoscaler_says_the_same_in_the_old_way() -> None:
    metric = {
        "type": "Resource",
        "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}},
    }
    old = {"type": "Resource", "resource": {"name": "cpu", "targetAverageUtilization": 80}}
    ours = changed(SCALER, lambda m: m["spec"].update(metrics=[metric]))
    theirs = changed(SCALER, lambda m: (m["spec"].update(metrics=[old]), m.update(apiVersion="autoscaling/v2beta1")))
    (only,) = differences([theirs], [ours])
    assert (only.path, bool(wanted.reason(only))) == ("apiVersion", True)


def test_an_object_that_one_side_lacks_is_one_difference() -> None:
    only_theirs, only_ours = differences([SERVICE], [DEPLOYMENT])
    assert (only_theirs.object, only_theirs.ours, only_theirs.whole) == (key(SERVICE), NOTHING, True)
    assert (only_ours.object, only_ours.theirs, only_ours.whole) == (key(DEPLOYMENT), NOTHING, True)


def test_of_an_object_of_others_only_our_fields_count() -> None:
    patch = {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": "shop", "labels": {"istio-injection": "enabled"}},
    }
    theirs = changed(patch, lambda m: m["metadata"]["labels"].update(team="a"))
    assert differences([theirs], [], [patch]) == []
    (only,) = differences([changed(patch, lambda m: m["metadata"].pop("labels"))], [], [patch])
    assert (only.path, only.theirs) == ("metadata.labels", NOTHING)


def test_the_fields_of_others_are_those_of_the_table_in_the_docs() -> None:
    rows = owned.fields()
    assert {f"{row.kind}.{row.path}".replace("[*]", "") for row in rows} == defaults.OTHERS
    assert {f"{row.kind}.{row.path}" for row in rows if row.scaled} == {defaults.SCALED}


def test_every_object_of_the_shipped_stacks_is_equal_to_itself_after_a_round_trip() -> None:
    manifests = list(render.manifests(render.record("demo")))
    again = [json.loads(json.dumps(manifest)) for manifest in manifests]
    assert differences(again, manifests) == []


@pytest.mark.skipif(not REFERENCE, reason="MESH_REFERENCE does not name a folder with Istio's own output")
@pytest.mark.parametrize("profile", ["default", "demo", "minimal"])
def test_a_profile_differs_from_istios_own_output_only_on_purpose(profile: str) -> None:
    folder = Path(str(REFERENCE)) / "istio-1.10.3"
    theirs = [
        manifest
        for file in (folder / "crds.yaml", folder / "profiles" / f"{profile}.yaml")
        for manifest in yaml.safe_load_all(file.read_text())
        if manifest
    ]
    ours = list(render.manifests(render.record("x", {"mesh:profile": profile})))
    listed = differences(theirs, ours)
    assert [str(d) for d in listed if not wanted.reason(d)] == []
    assert {wanted.reason(d) for d in listed}  # it was really compared with something else
    name = ("apps", "Deployment", "istio-system", "istiod")
    broken = [changed(m, lambda m: containers(m)[0].update(image="x")) if key(m) == name else m for m in theirs]
    (more,) = set(map(str, differences(broken, ours))) - set(map(str, listed))
    assert "image" in more


def difference(kind: str, path: str, theirs: Any, ours: Any, name: str = "x", group: str = "") -> Difference:
    return Difference((group, kind, "istio-system", name), path, theirs, ours)


@pytest.mark.parametrize(
    ("case", "on_purpose"),
    [
        (difference("PodDisruptionBudget", "apiVersion", "policy/v1beta1", "policy/v1"), True),
        (difference("PodDisruptionBudget", "apiVersion", "policy/v2", "policy/v1"), False),
        (difference("IstioOperator", "", {"spec": {}}, NOTHING, group="install.istio.io"), True),
        (difference("CustomResourceDefinition", "", {"spec": {"group": "install.istio.io"}}, NOTHING), True),
        (difference("CustomResourceDefinition", "", {"spec": {"group": "networking.istio.io"}}, NOTHING), False),
        (difference("ConfigMap", "data.config.templates.sidecar", "a", "b", "istio-sidecar-injector"), True),
        (difference("ConfigMap", "data.config.templates.mine", "a", NOTHING, "istio-sidecar-injector"), False),
        (difference("ConfigMap", "data.values.global.tag", "a", "b", "istio-sidecar-injector"), False),
        (difference("Service", "metadata.labels.team", "a", NOTHING), True),
        (difference("Service", "metadata.labels.team", "a", "b"), False),
        (difference("Service", "metadata.labels.app", NOTHING, "b"), False),
        (difference("Namespace", "", NOTHING, {}), True),
    ],
)
def test_what_is_different_on_purpose_is_known_as_such(case: Difference, on_purpose: bool) -> None:
    assert bool(wanted.reason(case)) == on_purpose


def said(listed: list[Difference], component: Mapping[compare.Key, str] | None = None) -> list[str]:
    return list(report.lines(listed, component or {}))


def test_the_report_names_objects_and_fields_and_counts_them() -> None:
    theirs = [changed(DEPLOYMENT, lambda m: containers(m)[0].update(image="front:2", tty=True)), ROLE]
    assert said(differences(theirs, [DEPLOYMENT, SERVICE])) == [
        "Service shop/front: only here",
        "Deployment shop/front",
        "  spec.template.spec.containers[front].image: front:2 there, front:1 here",
        "  spec.template.spec.containers[front].tty: only there: true",
        "ClusterRole reader: only there",
        "4 differences; 0 on purpose",
    ]


def test_the_report_tells_wanted_differences_by_their_reason() -> None:
    listed = [difference("Service", f"metadata.labels.{label}", "a", NOTHING) for label in ("a", "b")]
    assert said(listed) == ["wanted: labels and annotations of others stay (Service x)", "no difference; 2 on purpose"]


def test_a_component_of_which_nothing_is_there_is_one_line() -> None:
    ours = [SERVICE, DEPLOYMENT, ROLE]
    component = {key(SERVICE): "front", key(DEPLOYMENT): "front", key(ROLE): "base"}
    assert said(differences([ROLE], ours), component) == [
        "front: only here, all 2 objects",
        "2 differences; 0 on purpose",
    ]
    assert "Service shop/front: only here" in said(differences([ROLE, DEPLOYMENT], ours), component)


def test_of_texts_the_first_line_that_differs_is_shown() -> None:
    theirs = changed(DOCUMENT, lambda m: m["data"].update(text="one\nthree\n"))
    assert "  data.text: line 2: three there, two here" in said(differences([theirs], [DOCUMENT]))


def test_the_report_never_shows_a_secret() -> None:
    theirs = changed(SECRET, lambda m: m["stringData"].update(other="topsecret"))
    lines = said(differences([theirs], [SECRET]))
    assert "  data.other: only there" in lines
    assert not any("topsecret" in line or "hunter2" in line for line in lines)


def here() -> sources.Ours:
    plan = fake_api.only(SERVICE, DEPLOYMENT)
    return sources.Ours(plan, {})


def test_files_are_read_from_folders_lists_and_many_documents(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "a.yaml").write_text(yaml.safe_dump_all([SERVICE, None, ROLE]))
    (tmp_path / "sub" / "b.json").write_text(json.dumps({"kind": "List", "apiVersion": "v1", "items": [DEPLOYMENT]}))
    (tmp_path / "notes.txt").write_text("no: object")
    assert [key(m) for m in sources.files(tmp_path, here())] == [key(SERVICE), key(ROLE), key(DEPLOYMENT)]


def test_an_object_without_a_namespace_is_where_kubectl_puts_it(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text(yaml.safe_dump_all([changed(SERVICE, lambda m: m["metadata"].pop("namespace")), ROLE]))
    assert [key(m)[2] for m in sources.files(file, here())] == ["default", ""]


@pytest.mark.parametrize(("text", "words"), [("a: [", "is not YAML"), ("a: b", "expected Kubernetes objects")])
def test_a_file_of_something_else_is_one_message(tmp_path: Path, text: str, words: str) -> None:
    file = tmp_path / "a.yaml"
    file.write_text(text)
    with pytest.raises(CommandError, match=words):
        sources.files(file, here())


def on_cluster(**answers: Any) -> Iterator[str]:
    services = "/api/v1/namespaces/shop/services"
    api = FakeApi({f"GET {services}/front": answers.get("front", Answer(200, SERVICE))})
    yield from (str(m["metadata"]["name"]) for m in sources.standing(api, fake_api.only(SERVICE, DEPLOYMENT)))


def test_what_stands_on_a_cluster_is_asked_object_by_object() -> None:
    assert list(on_cluster()) == ["front"]
    assert list(on_cluster(front=Answer(404))) == []


def test_a_cluster_that_does_not_tell_is_no_empty_cluster() -> None:
    with pytest.raises(ClusterError, match="cannot get"):
        list(on_cluster(front=status(403, 'User "dev" cannot get resource "services"')))


def test_what_else_is_in_a_namespace_of_the_stack_is_found_and_what_controllers_make_is_not() -> None:
    root = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "istio-system"}}
    config = changed(DOCUMENT, lambda m: m["metadata"].update(name="istio"))
    owner = {"ownerReferences": [{"kind": "X"}]}
    listed: list[dict[str, Any]] = [
        {"metadata": {"name": "istio", "namespace": "istio-system"}, "data": {}},
        {"metadata": {"name": "theirs", "namespace": "istio-system"}, "data": {}},
        {"metadata": {"name": "kube-root-ca.crt", "namespace": "istio-system"}},
        {"metadata": {"name": "istio-ca-root-cert", "namespace": "istio-system"}},
        {"metadata": {"name": "made", "namespace": "istio-system", **owner}},
    ]
    place = "/api/v1/namespaces/istio-system/configmaps"
    api = FakeApi({f"GET {place}": listing(*listed), f"GET {place}/istio": Answer(200, config)})
    names = [m["metadata"]["name"] for m in sources.standing(api, fake_api.only(root, config))]
    assert names == ["istio", "theirs"]


def test_a_source_that_is_nothing_is_one_message_with_the_contexts(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("MESH_HOME", str(tmp_path))
    monkeypatch.setattr(sources, "ours", lambda *_: here())
    monkeypatch.setattr(cluster, "target", raising)
    with pytest.raises(CommandError, match=r"FROM=nowhere is no file, folder or context: .* mesh-dev"):
        report.run("demo", "nowhere")


def raising(context: str | None) -> None:
    raise ClusterError(f"mesh:context: {context!r} is not one of mesh-dev")


@pytest.mark.parametrize(("image", "code"), [("front:1", 0), ("front:2", 1)])
def test_the_exit_code_says_whether_anything_differs(
    image: str, code: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(sources, "ours", lambda *_: here())
    theirs = [changed(DEPLOYMENT, lambda m: containers(m)[0].update(image=image)), SERVICE]
    (tmp_path / "theirs.yaml").write_text(yaml.safe_dump_all(theirs))
    assert report.run("demo", str(tmp_path)) == code


def test_normal_forms_are_data_that_can_be_shown() -> None:
    assert json.dumps(normal(DOCUMENT))
