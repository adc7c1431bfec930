"""`make parity`: the report, and intended differences."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from cluster.errors import ClusterError
from cluster.target import Target
from commands.parity import intended, report, sources
from commands.parity.compare import Difference, differences
from commands.stackfiles import CommandError
from mesh.analysis.objects import Ref
from mesh.core.diff import ABSENT
from mesh.core.kinds import GroupKind
from tests import fake_api
from tests.commands.test_parity import DEPLOYMENT, DOCUMENT, ROLE, SECRET, SERVICE, changed, containers


def here() -> sources.StackObjects:
    return sources.StackObjects(fake_api.only(SERVICE, DEPLOYMENT), {})


def difference(kind: str, path: str, theirs: Any, ours: Any, name: str = "x", group: str = "") -> Difference:
    return Difference(Ref(GroupKind(kind, group), "istio-system", name), path, theirs, ours)


ADMISSION = "admissionregistration.k8s.io"
VALIDATION = "webhooks[validation.istio.io].clientConfig.service.name"
PROXY = "spec.template.spec.containers[istio-proxy]"
TRACING = "data.mesh.defaultConfig.tracing"


@pytest.mark.parametrize(
    ("case", "on_purpose"),
    [
        (difference("PodDisruptionBudget", "apiVersion", "policy/v1beta1", "policy/v1"), True),
        (difference("PodDisruptionBudget", "apiVersion", "policy/v2", "policy/v1"), False),
        (difference("IstioOperator", "", {"spec": {}}, ABSENT, group="install.istio.io"), True),
        (difference("CustomResourceDefinition", "", {"spec": {"group": "install.istio.io"}}, ABSENT), True),
        (difference("CustomResourceDefinition", "", {"spec": {"group": "networking.istio.io"}}, ABSENT), False),
        (difference("ConfigMap", "data.config.templates.sidecar", "a", "b", "istio-sidecar-injector"), True),
        (difference("ConfigMap", "data.config.templates.mine", "a", ABSENT, "istio-sidecar-injector"), False),
        (difference("ConfigMap", "data.values.global.tag", "a", "b", "istio-sidecar-injector"), False),
        (difference("Service", "metadata.labels.team", "a", ABSENT), True),
        (difference("Service", "metadata.labels.team", "a", "b"), False),
        (difference("Service", "metadata.labels.app", ABSENT, "b"), False),
        (difference("Namespace", "", ABSENT, {}), True),
        (difference("ValidatingWebhookConfiguration", VALIDATION, "istiod", "istiod-canary", group=ADMISSION), True),
        (difference("ValidatingWebhookConfiguration", VALIDATION, "istiod", "other", group=ADMISSION), False),
        (difference("MutatingWebhookConfiguration", VALIDATION, "istiod", "istiod-canary", group=ADMISSION), False),
        (difference("Deployment", f"{PROXY}.env[ISTIO_METAJSON_ANNOTATIONS]", ABSENT, {}, group="apps"), True),
        (difference("Deployment", f"{PROXY}.env[ISTIO_METAJSON_ANNOTATIONS]", {}, ABSENT, group="apps"), False),
        (difference("ConfigMap", f"{TRACING}.zipkin", {"address": "zipkin.istio-system:9411"}, ABSENT), True),
        (difference("ConfigMap", f"{TRACING}.zipkin", {"address": "zipkin.mine:9411"}, ABSENT), False),
    ],
)
def test_intended_differences_are_recognized(case: Difference, on_purpose: bool) -> None:
    assert bool(intended.reason(case)) == on_purpose


def said(listed: list[Difference], component: Mapping[Ref, str] | None = None) -> list[str]:
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


def test_the_report_groups_intended_differences_by_reason() -> None:
    listed = [difference("Service", f"metadata.labels.{label}", "a", ABSENT) for label in ("a", "b")]
    assert said(listed) == [
        "wanted: labels and annotations that the stack does not set stay (Service x)",
        "no difference; 2 on purpose",
    ]


def test_a_missing_component_is_one_line() -> None:
    ours = [SERVICE, DEPLOYMENT, ROLE]
    component = {Ref.of(SERVICE): "front", Ref.of(DEPLOYMENT): "front", Ref.of(ROLE): "base"}
    assert said(differences([ROLE], ours), component) == [
        "front: only here, all 2 objects",
        "2 differences; 0 on purpose",
    ]
    assert "Service shop/front: only here" in said(differences([ROLE, DEPLOYMENT], ours), component)


def test_the_first_differing_line_of_texts_is_shown() -> None:
    theirs = changed(DOCUMENT, lambda m: m["data"].update(text="one\nthree\n"))
    assert "  data.text: line 2: three there, two here" in said(differences([theirs], [DOCUMENT]))


def test_the_report_never_shows_values_of_secrets() -> None:
    theirs = changed(SECRET, lambda m: m.update(stringData={"other": "topsecret"}, type="x"))
    lines = said(differences([theirs], [SECRET]))
    assert "  type: x there, Opaque here" in lines
    assert not any("topsecret" in line or "hunter2" in line for line in lines)


def test_an_unknown_source_is_refused_with_the_contexts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MESH_HOME", str(tmp_path))
    plan = here()
    monkeypatch.setattr(sources, "of_stack", lambda *_: plan)
    monkeypatch.setattr(Target, "named", raising)
    with pytest.raises(CommandError, match=r"FROM=nowhere is not a file, folder or context: .* mesh-dev"):
        report.run("demo", "nowhere")


def raising(context: str | None) -> None:
    raise ClusterError(f"mesh:context: {context!r} is not one of mesh-dev")


@pytest.mark.parametrize(("image", "code"), [("front:1", 0), ("front:2", 1)])
def test_the_exit_code_is_1_if_an_object_differs(
    image: str, code: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(sources, "of_stack", lambda *_: here())
    theirs = [changed(DEPLOYMENT, lambda m: containers(m)[0].update(image=image)), SERVICE]
    (tmp_path / "theirs.yaml").write_text(yaml.safe_dump_all(theirs))
    assert report.run("demo", str(tmp_path)) == code
