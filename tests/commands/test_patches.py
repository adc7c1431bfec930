"""`mesh:patches`: what it makes of a stack's objects, what it refuses, and who names it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import pytest

from commands import analyze, render, report, sources
from commands.parity import intended
from commands.parity import sources as parity
from commands.parity.compare import differences
from commands.parity.report import lines
from engine.recorder import Resource
from mesh.analysis.analyse import analyse
from mesh.analysis.objects import Ref
from mesh.config.loading import load
from mesh.config.settings import SettingsError
from mesh.core import names, secure
from mesh.review import data, markdown

pytestmark = pytest.mark.slow

ISTIOD = "Deployment istio-system/istiod"
INGRESS = "istio-system/istio-ingressgateway"
PRIORITY = {"spec": {"template": {"spec": {"priorityClassName": "high"}}}}


def config(*patches: Mapping[str, Any], **more: Any) -> dict[str, str]:
    values = {f"mesh:{key}": value if isinstance(value, str) else json.dumps(value) for key, value in more.items()}
    return {"mesh:profile": "demo", **values, **({"mesh:patches": json.dumps(patches)} if patches else {})}


def made(*patches: Mapping[str, Any], **more: Any) -> dict[str, Resource]:
    """The resources of the objects."""
    found = render.record("x", config(*patches, **more))
    return {str(Ref.of(one.inputs)): one for one in found if one.type.startswith("kubernetes:")}


@cache
def unpatched() -> dict[str, Resource]:
    return made()


def merge(name: str, body: Mapping[str, Any]) -> dict[str, Any]:
    return {"object": name, "merge": body}


def operations(name: str, *found: Mapping[str, Any]) -> dict[str, Any]:
    return {"object": name, "json": found}


def test_a_patch_changes_its_object_alone() -> None:
    found = made(merge(ISTIOD, PRIORITY))
    changed = [name for name, one in found.items() if one.inputs != unpatched()[name].inputs]
    assert changed == [ISTIOD]
    assert found[ISTIOD].inputs["spec"]["template"]["spec"]["priorityClassName"] == "high"


def test_a_patch_changes_neither_the_order_nor_the_place_of_an_object() -> None:
    found, before = made(merge(ISTIOD, PRIORITY))[ISTIOD], unpatched()[ISTIOD]
    assert (found.urn, found.parent, found.depends_on) == (before.urn, before.parent, before.depends_on)


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("ServiceAccount istio-system/*", {"automountServiceAccountToken": False}),
        ("ClusterRole *", {"metadata": {"labels": {"team": "edge"}}}),
        ("PodDisruptionBudget */*", {"spec": {"unhealthyPodEvictionPolicy": "AlwaysAllow"}}),
        ("EnvoyFilter istio-system/stats-filter-*", {"spec": {"workloadSelector": {"labels": {"a": "b"}}}}),
        ("MutatingWebhookConfiguration *", {"metadata": {"labels": {"team": "edge"}}}),
        ("Namespace istio-system", {"metadata": {"labels": {"pod-security.kubernetes.io/enforce": "baseline"}}}),
    ],
)
def test_stars_match_any_namespace_and_name(name: str, field: Mapping[str, Any]) -> None:
    found = made(merge(name, field))
    kind = name.partition(" ")[0]
    changed = [one for one in found if found[one].inputs != unpatched()[one].inputs]
    assert changed
    assert {one.partition(" ")[0] for one in changed} == {kind}


def test_patches_are_applied_in_their_order() -> None:
    spec = {"template": {"spec": {"tolerations": [{"key": "a"}]}}}
    path = "/spec/template/spec/tolerations/-"
    found = made(merge(ISTIOD, {"spec": spec}), operations(ISTIOD, {"op": "add", "path": path, "value": {"key": "b"}}))
    assert found[ISTIOD].inputs["spec"]["template"]["spec"]["tolerations"] == [{"key": "a"}, {"key": "b"}]


def test_further_control_planes_are_patched_by_the_same_list() -> None:
    found = made(merge("Deployment istio-system/istiod*", PRIORITY), controlPlanes={"canary": {"release": "1.30"}})
    specs = [found[f"{ISTIOD}{end}"].inputs["spec"]["template"]["spec"] for end in ("", "-canary")]
    assert [one["priorityClassName"] for one in specs] == ["high", "high"]


def test_an_object_that_is_waited_for_has_another_digest_in_its_condition() -> None:
    name = f"Service {INGRESS}"
    before, after = (
        one[name].inputs["metadata"]["annotations"]
        for one in (unpatched(), made(merge(name, {"spec": {"externalTrafficPolicy": "Local"}})))
    )
    assert before[names.DIGEST] != after[names.DIGEST]
    assert after[names.DIGEST] in after[names.WAIT_FOR]
    assert before[names.DIGEST] not in after[names.WAIT_FOR]


def test_values_that_only_an_update_knows_survive_a_patch() -> None:
    name = "Namespace istio-system"
    found = made(merge(name, {"metadata": {"annotations": {"team": "edge"}}}))[name]
    before = unpatched()[name]
    assert found.inputs["metadata"]["annotations"] == {**before.inputs["metadata"]["annotations"], "team": "edge"}
    assert found.depends_on == before.depends_on


def test_a_patch_may_have_an_encrypted_value() -> None:
    hidden = secure.placeholder("mesh:patches[0].merge", "v1:abc")
    env = {"containers": [{"name": "discovery", "env": [{"name": "TOKEN", "value": hidden}]}]}
    found = made(merge(ISTIOD, {"spec": {"template": {"spec": env}}}))[ISTIOD]
    (container,) = found.inputs["spec"]["template"]["spec"]["containers"]
    assert container["env"][0] == {"name": "TOKEN", "value": hidden}


def refusals(*patches: Mapping[str, Any], **more: Any) -> list[str]:
    with pytest.raises(SettingsError) as error:
        made(*patches, **more)
    return str(error.value).splitlines()


@pytest.mark.parametrize(
    ("patch", "says"),
    [
        (merge("istiod", {}), 'mesh:patches[0].object: "istiod" is not an object'),
        ({"object": ISTIOD}, "mesh:patches[0]: needs either merge or json"),
    ],
)
def test_an_entry_that_is_no_patch_is_refused(patch: Mapping[str, Any], says: str) -> None:
    (line,) = refusals(patch)
    assert says in line


WRONG = (
    (merge(ISTIOD, {"spec": {}}), "mesh:patches[0]: it changes nothing: leave it out"),
    (merge("Deployment istio-system/istod", PRIORITY), f'did you mean "{ISTIOD}"?'),
    (merge("Deploymnt istio-system/istiod", PRIORITY), 'and no object of this kind; did you mean "Deployment"?'),
    (merge("Deployment istiod", PRIORITY), f'did you mean "{ISTIOD}"?'),
    (
        merge(ISTIOD, {"spec": {"template": {"spec": {"priorityClasName": "x"}}}}),
        'mesh:patches[0].merge.spec.template.spec: unknown field "priorityClasName"; did you mean "priorityClassName"?',
    ),
    (
        merge(ISTIOD, {"spec": {"replicas": "3"}}),
        'mesh:patches[0].merge.spec.replicas: expected a whole number, got "3"',
    ),
    (
        merge(ISTIOD, {"spec": {"template": {"spec": {"nodeSelector": {"a": True}}}}}),
        'nodeSelector.a: expected a string, got true; put it in quotes: "true"',
    ),
    (
        operations(ISTIOD, {"op": "remove", "path": "/spec/template/spec/container/0"}),
        "mesh:patches[0].json[0].path: /spec/template/spec/container/0: spec.template.spec: unknown field"
        ' "container"; did you mean "containers"?',
    ),
    (
        operations(ISTIOD, {"op": "add", "path": "/spec/template/spec/tolerations", "value": {"key": "a"}}),
        'mesh:patches[0].json[0].value: expected a list, got {"key": "a"}',
    ),
    (
        operations(ISTIOD, {"op": "remove", "path": "/spec/template/spec/containers/5"}),
        f'mesh:patches[0]: {ISTIOD}: spec.template.spec.containers: index "5" is not one of 0',
    ),
    (
        merge("EnvoyFilter istio-system/*", {"spec": {"configPatchs": []}}),
        'mesh:patches[0].merge.spec: unknown field "configPatchs"; did you mean "configPatches"?',
    ),
    (
        merge("CustomResourceDefinition *", {"spec": {"scope": "Cluster"}}),
        "mesh:patches[0].object: objects of kind CustomResourceDefinition are not patched: ",
    ),
)
"""Patches, each with what the message says if it is the first one."""


@cache
def refused(patches: str) -> Sequence[str]:
    """The messages about many patches, of which each is refused."""
    return refusals(*json.loads(patches))


def about(index: int, patches: Sequence[Mapping[str, Any]]) -> str:
    """The one message about a patch among others that are refused."""
    at = f"mesh:patches[{index}]"
    (line,) = [one for one in refused(json.dumps(patches)) if one.startswith(at)]
    return line.replace(at, "mesh:patches[0]")


@pytest.mark.parametrize("index", range(len(WRONG)), ids=[says for _, says in WRONG])
def test_a_wrong_patch_is_refused_in_one_line(index: int) -> None:
    assert WRONG[index][1] in about(index, [patch for patch, _ in WRONG])


WEBHOOK = {"name": "rev.namespace.sidecar-injector.istio.io", "clientConfig": {"caBundle": "QQ=="}}


PROTECTED = (
    (ISTIOD, {"metadata": {"name": "other"}}, "metadata.name"),
    (ISTIOD, {"metadata": {"namespace": "other"}}, "metadata.namespace"),
    (ISTIOD, {"apiVersion": "apps/v2"}, "apiVersion"),
    (ISTIOD, {"metadata": {"finalizers": ["a/b"]}}, "metadata.finalizers"),
    (
        ISTIOD,
        {"metadata": {"annotations": {names.SKIP_AWAIT: "true"}}},
        f"metadata.annotations[{names.SKIP_AWAIT}]",
    ),
    (ISTIOD, {"metadata": {"labels": {"istio.io/rev": "a"}}}, "metadata.labels[istio.io/rev]"),
    (ISTIOD, {"spec": {"selector": {"matchLabels": {"a": "b"}}}}, "spec.selector"),
    (ISTIOD, {"spec": {"template": {"metadata": {"labels": {"app": "b"}}}}}, "spec.template.metadata.labels[app]"),
    (
        "Namespace istio-system",
        {"metadata": {"annotations": {names.OWNER_ID: "a"}}},
        "metadata.annotations[mesh/id]",
    ),
    (f"Service {INGRESS}", {"spec": {"type": "NodePort"}}, "spec.type"),
    (f"Service {INGRESS}", {"spec": {"selector": {"app": "b"}}}, "spec.selector"),
    (
        "MutatingWebhookConfiguration *",
        {"webhooks": [WEBHOOK]},
        f"webhooks[{WEBHOOK['name']}].clientConfig.caBundle",
    ),
    ("ConfigMap istio-system/istio", {"data": {"mesh": "a: b"}}, "data.mesh"),
    ("ConfigMap istio-system/istio-sidecar-injector", {"data": {"values": "{}"}}, "data.values"),
)
"""Objects, patches of them, and the path that is protected."""


@pytest.mark.parametrize("index", range(len(PROTECTED)), ids=[f"{path} of {name}" for name, _, path in PROTECTED])
def test_what_the_stack_depends_on_is_not_patched(index: int) -> None:
    line = about(index, [merge(name, body) for name, body, _ in PROTECTED])
    assert f": {PROTECTED[index][2]} is not patched: " in line


def test_replicas_under_an_autoscaler_are_not_patched() -> None:
    (line,) = refusals(merge(ISTIOD, {"spec": {"replicas": 3}}), profile="default")
    assert line.startswith(f"mesh:patches[0]: {ISTIOD}: spec.replicas is left to its autoscaler")


def test_values_of_secrets_are_not_patched() -> None:
    addons = {"grafana": True, "prometheus": True}
    (line,) = refusals(merge("Secret istio-system/*", {"stringData": {"a": "b"}}), addons=addons)
    assert ": stringData is not patched: " in line


def test_objects_that_people_write_are_not_patched_here() -> None:
    sidecar = {
        "apiVersion": "networking.istio.io/v1alpha3",
        "kind": "Sidecar",
        "metadata": {"name": "default", "namespace": "istio-system"},
        "spec": {"egress": [{"hosts": ["./*"]}]},
    }
    (line,) = refusals(merge("Sidecar istio-system/default", {"spec": {}}), objects=[sidecar])
    assert line == ("mesh:patches[0].object: Sidecar istio-system/default comes from mesh:objects: change it there")


def test_the_review_names_the_patch_that_sets_a_field() -> None:
    env = {"containers": [{"name": "discovery", "env": [{"name": "A", "value": "1"}]}]}
    patch = merge(ISTIOD, {"spec": {"template": {"spec": {**PRIORITY["spec"]["template"]["spec"], **env}}}})
    before, after = config(), config(patch, meshConfig={"accessLogFile": "/dev/null"})
    stack = load(after)
    review = report.review("dev", stack, sources.of_configs("dev", load(before), stack, after))
    fields = [field for change in data.plain(review)["changes"] for field in change["fields"]]
    pod = "spec.template.spec"
    assert {one["path"]: one.get("by") for one in fields} == {
        f"{pod}.priorityClassName": "mesh:patches[0]",
        f"{pod}.containers[discovery].env[A]": "mesh:patches[0]",
        "data.mesh.accessLogFile": None,
    }
    assert "`spec.template.spec.priorityClassName`: new, `high` (by mesh:patches[0])" in markdown.write(review)


def test_parity_counts_what_a_patch_sets_as_wanted() -> None:
    theirs = parity.of_stack("dev", load(config()))
    ours = parity.of_stack("dev", load(config(merge(ISTIOD, PRIORITY))))
    found = differences(theirs.objects, ours.objects, ours.patches, ours.patched)
    assert [intended.reason(one) for one in found] == ["by mesh:patches[0]"]
    assert "wanted: by mesh:patches[0] (Deployment istiod)" in list(lines(found, ours.component))


def test_analysis_sees_the_patched_object_and_names_the_patch() -> None:
    name = "Service default/details"
    patch = operations(name, {"op": "replace", "path": "/spec/ports/0/name", "value": "rest"})
    more = {"bookinfo": "true", "injectedNamespaces": {"default": "existing"}}
    stack = load(config(patch, **more))
    objects = analyze.made("x", stack, config(patch, **more))
    said = [str(one) for one in analyse(objects, stack.settings.mesh_names, ()) if str(one.ref) == name]
    assert any("mesh:patches[0]" in one for one in said)
