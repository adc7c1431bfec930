"""`make parity`: the comparison of a stack's objects with those of another installation."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from commands import render
from commands.checks.plan import Plan
from commands.parity import defaults, intended
from commands.parity.compare import Difference, differences
from commands.parity.sources import StackObjects
from mesh import releases
from mesh.analysis.objects import Ref
from mesh.config.settings import Settings
from mesh.core import kinds
from mesh.core.diff import ABSENT
from mesh.releases import manual
from tests import owned
from tests.parity import istio, lock
from tests.parity import ours as of_project

pytestmark = pytest.mark.slow

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
DATABASE: dict[str, Any] = {
    "apiVersion": "apps/v1",
    "kind": "StatefulSet",
    "metadata": {"name": "db", "namespace": "shop"},
    "spec": {
        "selector": {"matchLabels": {"app": "db"}},
        "serviceName": "db",
        "template": {"metadata": {"labels": {"app": "db"}}, "spec": {"containers": [{"name": "db", "image": "db:1"}]}},
        "volumeClaimTemplates": [{"metadata": {"name": "data"}, "spec": {"accessModes": ["ReadWriteOnce"]}}],
    },
}
AGENT: dict[str, Any] = {**DEPLOYMENT, "kind": "DaemonSet", "metadata": {"name": "agent", "namespace": "shop"}}
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
    "what the API server fills in of a StatefulSet": (
        DATABASE,
        lambda m: (
            m["spec"].update(podManagementPolicy="OrderedReady", replicas=1, updateStrategy={"type": "RollingUpdate"}),
            m["spec"]["updateStrategy"].update(rollingUpdate={"partition": 0}),
            m["spec"].update(persistentVolumeClaimRetentionPolicy={"whenDeleted": "Retain", "whenScaled": "Retain"}),
            m["spec"]["volumeClaimTemplates"][0].update(apiVersion="v1", kind="PersistentVolumeClaim", status={"a": 1}),
            m["spec"]["volumeClaimTemplates"][0]["spec"].update(volumeMode="Filesystem"),
        ),
    ),
    "the generation of a DaemonSet": (
        AGENT,
        lambda m: m["metadata"].update(annotations={"deprecated.daemonset.template.generation": "1"}),
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
    "what a secret holds": (
        SECRET,
        lambda m: (m.pop("stringData"), m.update(data={"other": "c2VjcmV0"}, type="Opaque")),
    ),
}


@pytest.mark.parametrize("case", SAME)
def test_a_difference_without_effect_is_not_reported(case: str) -> None:
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
        [("spec.minReadySeconds", 5, ABSENT)],
    ),
    "a field that only we have": (
        DEPLOYMENT,
        lambda m: containers(m)[0]["env"].pop(),
        [("spec.template.spec.containers[front].env[B]", ABSENT, {"name": "B", "value": "2"})],
    ),
    "a whole container, in one line": (
        DEPLOYMENT,
        lambda m: containers(m).pop(),
        [
            (
                "spec.template.spec.containers[side]",
                ABSENT,
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
        [("spec.selector.matchLabels.release", "x", ABSENT)],
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
        [("webhooks[a].clientConfig.service.path", "/validate", ABSENT)],
    ),
    "an empty rule, which lets everybody in": (
        POLICY,
        lambda m: m["spec"].update(rules=[]),
        [("spec.rules", [], [{}])],
    ),
    "a key with dots": (
        DEPLOYMENT,
        lambda m: m["metadata"]["labels"].update({"a.b/c": "d"}),
        [('metadata.labels."a.b/c"', "d", ABSENT)],
    ),
}


@pytest.mark.parametrize("case", DIFFERENT)
def test_a_difference_with_effect_is_reported_with_its_path(case: str) -> None:
    manifest, change, expected = DIFFERENT[case]
    assert found(changed(manifest, change), manifest) == expected


def test_what_injection_makes_of_a_pod_is_no_difference_that_matters() -> None:
    probe = {"httpGet": {"path": "/health", "port": 80}}
    containers: list[dict[str, Any]] = [{"name": "front", "image": "front:1", "readinessProbe": probe}]
    pod: dict[str, Any] = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "front", "namespace": "shop"}}
    ours: dict[str, Any] = {**pod, "spec": {"containers": containers, "volumes": [{"name": "own", "emptyDir": {}}]}}
    theirs = manual.with_sidecar(Settings().installation, ours)
    assert {one["name"] for one in theirs["spec"]["containers"]} == {"front", "istio-proxy"}
    assert [one.path for one in differences([theirs], [ours]) if not intended.reason(one)] == []
    other = {**ours, "spec": {**ours["spec"], "containers": [{**containers[0], "image": "front:2"}]}}
    assert [one.path for one in differences([theirs], [other]) if not intended.reason(one)] == [
        "spec.containers[front].image"
    ]


def test_a_configured_node_port_is_compared() -> None:
    ours = changed(SERVICE, lambda m: m["spec"]["ports"][0].update(nodePort=31102))
    theirs = changed(SERVICE, lambda m: m["spec"]["ports"][0].update(nodePort=31000))
    assert found(theirs, ours) == [("spec.ports[http].nodePort", 31000, 31102)]


def test_replicas_are_ignored_only_if_there_is_an_autoscaler() -> None:
    theirs = changed(DEPLOYMENT, lambda m: m["spec"].update(replicas=4))
    ours = changed(DEPLOYMENT, lambda m: m["spec"].pop("replicas"))
    assert [d.path for d in differences([theirs], [ours])] == ["spec.replicas"]
    assert differences([theirs, SCALER], [ours, SCALER]) == []


def test_metrics_of_an_old_autoscaler_api_are_equal_to_the_current_format() -> None:
    metric = {
        "type": "Resource",
        "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}},
    }
    old = {"type": "Resource", "resource": {"name": "cpu", "targetAverageUtilization": 80}}
    ours = changed(SCALER, lambda m: m["spec"].update(metrics=[metric]))
    theirs = changed(SCALER, lambda m: (m["spec"].update(metrics=[old]), m.update(apiVersion="autoscaling/v2beta1")))
    (only,) = differences([theirs], [ours])
    assert (only.path, bool(intended.reason(only))) == ("apiVersion", True)


def test_an_object_that_one_side_lacks_is_one_difference() -> None:
    only_theirs, only_ours = differences([SERVICE], [DEPLOYMENT])
    assert (only_theirs.object, only_theirs.ours, only_theirs.whole) == (Ref.of(SERVICE), ABSENT, True)
    assert (only_ours.object, only_ours.theirs, only_ours.whole) == (Ref.of(DEPLOYMENT), ABSENT, True)


def test_only_the_stacks_fields_are_compared_in_an_object_of_others() -> None:
    patch = {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": "shop", "labels": {"istio-injection": "enabled"}},
    }
    theirs = changed(patch, lambda m: m["metadata"]["labels"].update(team="a"))
    assert differences([theirs], [], [patch]) == []
    (only,) = differences([changed(patch, lambda m: m["metadata"].pop("labels"))], [], [patch])
    assert (only.path, only.theirs) == ("metadata.labels", ABSENT)


def test_ignored_fields_of_others_are_those_of_the_docs() -> None:
    rows = owned.fields()
    assert {f"{row.kind}.{row.path}".replace("[*]", "") for row in rows} == defaults.OTHERS
    assert {f"{row.kind}.{row.path}" for row in rows if row.scaled} == {defaults.SCALED}


def test_every_object_of_the_shipped_stacks_is_equal_to_itself_after_a_round_trip() -> None:
    manifests = list(render.manifests(render.record("demo")))
    again = [json.loads(json.dumps(manifest)) for manifest in manifests]
    assert differences(again, manifests) == []


PROFILES = lock.names("profiles")


@pytest.mark.parametrize(("name", "profile"), PROFILES, ids=map("-".join, PROFILES))
def test_a_profile_has_only_intended_differences_from_istios_output(name: str, profile: str) -> None:
    if not (folder := istio.folder(releases.get(name))):
        pytest.skip(f"{istio.REFERENCE} names no folder with what Istio itself produces")
    theirs = [m for file in ("crds", f"profiles/{profile}") for m in istio.documents(folder / f"{file}.yaml")]
    ours = of_project.rendered(name, profile=profile)
    listed = [d for d in differences(theirs, ours) if not _left_out(d)]
    assert [str(d) for d in listed if not intended.reason(d)] == []
    assert {intended.reason(d) for d in listed}  # it was really compared with something else
    istiod = Ref(kinds.DEPLOYMENT, "istio-system", "istiod")
    broken = [changed(m, lambda m: containers(m)[0].update(image="x:1")) if Ref.of(m) == istiod else m for m in theirs]
    (more,) = {str(d) for d in differences(broken, ours) if not _left_out(d)} - set(map(str, listed))
    assert "image" in more


def _left_out(found: Difference) -> bool:
    """Whether it is about what the reference leaves out of Istio's own objects: templates, labels of definitions."""
    definition = found.object.kind == kinds.CUSTOM_RESOURCE_DEFINITION
    labels = definition and found.path == "metadata.labels" and found.theirs is ABSENT
    return labels or found.path.startswith("data.config.template")


LIMITED = {"name": "a", "image": "a:1", "resources": {"limits": {"cpu": "1"}}}
FILLED_IN = {
    **LIMITED,
    "imagePullPolicy": "IfNotPresent",
    "resources": {"limits": {"cpu": "1"}, "requests": {"cpu": "1"}},
}
TOKEN = {"name": "kube-api-access-x24ns", "projected": {"defaultMode": 420}}


@pytest.mark.parametrize(
    ("kind", "written", "standing"),
    [
        (
            "v1/Pod",
            {"containers": [LIMITED]},
            {
                "containers": [{**FILLED_IN, "volumeMounts": [{"name": TOKEN["name"], "mountPath": "/token"}]}],
                "volumes": [TOKEN],
                "tolerations": [{"key": "node.kubernetes.io/not-ready", "effect": "NoExecute"}],
                "nodeName": "one",
                "serviceAccountName": "default",
                "restartPolicy": "Always",
                "priority": 0,
            },
        ),
        (
            "batch/v1/CronJob",
            {"jobTemplate": {"spec": {"template": {"spec": {"containers": [LIMITED]}}}}},
            {
                "suspend": False,
                "concurrencyPolicy": "Allow",
                "jobTemplate": {"spec": {"template": {"spec": {"containers": [FILLED_IN]}}}},
            },
        ),
        (
            "batch/v1/Job",
            {"template": {"spec": {"containers": [LIMITED]}}},
            {
                "completions": 1,
                "backoffLimit": 6,
                "selector": {"matchLabels": {"batch.kubernetes.io/controller-uid": "x"}},
                "template": {"metadata": {"labels": {"controller-uid": "x"}}, "spec": {"containers": [FILLED_IN]}},
            },
        ),
    ],
    ids=["Pod", "CronJob", "Job"],
)
def test_what_an_api_server_fills_in_is_no_difference(
    kind: str, written: dict[str, Any], standing: dict[str, Any]
) -> None:
    version, _, name = kind.rpartition("/")
    head = {"apiVersion": version, "kind": name, "metadata": {"name": "a", "namespace": "shop"}}
    assert differences([{**head, "spec": standing}], [{**head, "spec": written}]) == []
    assert differences([{**head, "spec": {**standing, "activeDeadlineSeconds": 5}}], [{**head, "spec": written}]) != []


def test_fields_of_another_controller_are_as_they_stand() -> None:
    route = {
        "apiVersion": "networking.istio.io/v1",
        "kind": "VirtualService",
        "metadata": {"name": "a", "namespace": "b"},
    }
    here, there = ({**route, "spec": {"http": [{"route": [{"weight": one}]}]}} for one in (90, 30))
    ours = StackObjects(Plan([], Settings()), {}, {Ref.of(route): ["spec.http[*].route[*].weight"]})
    assert ours.shared(here, there) == there
    assert ours.shared(here, {}) == here
    assert StackObjects(Plan([], Settings()), {}).shared(here, there) == here
