"""Static analysis: no finding in a good mesh, one for each fault at its object alone, and time linear in its size."""

import random
import re
import time
from dataclasses import replace
from typing import Any

import pytest

from mesh import releases
from mesh.analysis import codes
from mesh.analysis.analyse import analyse
from mesh.analysis.findings import Finding, Severity
from mesh.analysis.left_out import LEFT_OUT
from mesh.analysis.objects import Object
from mesh.core.names import DEFAULT_NAMES
from tests import meshes
from tests.faults import FAULTS
from tests.meshes import Fault, Manifest


def findings(*objects: Manifest, release: str = "", **analysis: Any) -> list[Finding]:
    names = replace(DEFAULT_NAMES, release=release)
    return analyse([Object.read(manifest) for manifest in meshes.changed(objects)], names, **analysis)


@pytest.mark.parametrize("release", releases.NAMES)
def test_a_good_mesh_has_no_findings(release: str) -> None:
    assert findings(release=release) == []


@pytest.mark.parametrize("release", releases.NAMES)
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_each_fault_is_found_at_its_object_and_nowhere_else(fault: Fault, release: str) -> None:
    found = {(found.code, str(found.ref)) for found in findings(*fault.objects, release=release)}
    assert found == fault.said_of(release)


def test_every_code_is_found_in_some_faulty_mesh() -> None:
    shown = {code for fault in FAULTS for code, _ in fault.said | fault.earlier}
    assert set(codes.CODES) - shown == {codes.UNUSED_SUPPRESSION.code, codes.MALFORMED.code}


OF_ISTIOCTL = (1, 2, *range(101, 114), *range(116, 120), 122, 123, *range(125, 177))
"""The codes of `istioctl analyze` of 1.10.3 and 1.30.3 (analysis/msg/messages.yaml)."""


def test_every_code_of_istioctl_is_found_or_left_out_with_a_reason() -> None:
    assert {f"IST{number:04}" for number in OF_ISTIOCTL} - set(codes.CODES) == set(LEFT_OUT)


def test_the_text_of_a_finding_is_one_short_line() -> None:
    texts = [found.text for fault in FAULTS for found in findings(*fault.objects)]
    assert [text for text in texts if "\n" in text or len(text) > 200] == []


def test_findings_about_files_alone_speak_of_no_stack_and_name_no_key_of_a_config() -> None:
    texts = [found.text for fault in FAULTS for found in findings(*fault.objects)]
    assert [text for text in texts if re.search(r"\bstack|\bmesh:\w", text)] == []


def test_errors_come_before_warnings_and_infos() -> None:
    found = findings(*(thing for fault in FAULTS[:3] + FAULTS[-5:] for thing in fault.objects))
    assert [f.severity for f in found] == sorted((f.severity for f in found), reverse=True)


def test_findings_do_not_depend_on_the_order_of_the_objects() -> None:
    objects = [Object.read(m) for m in meshes.changed([thing for fault in FAULTS for thing in fault.objects])]
    shuffled = objects.copy()
    random.Random(1).shuffle(shuffled)
    assert analyse(objects, DEFAULT_NAMES) == analyse(shuffled, DEFAULT_NAMES)


def test_the_finding_of_a_misspelt_host_suggests_the_nearest_name() -> None:
    (found,) = findings(meshes.routes("front", meshes.to("carts")))
    assert 'did you mean "cart"?' in found.text


def test_an_unknown_host_in_a_namespace_outside_of_the_stack_is_only_a_warning() -> None:
    (found,) = findings(meshes.routes("front", meshes.to("cart.bank.svc.cluster.local")))
    assert found.severity == Severity.WARNING


def test_a_finding_names_the_field_of_the_object_and_the_key_of_the_config() -> None:
    manifests = meshes.changed([meshes.routes("front", meshes.to("carts"))])
    (found,) = analyse([Object.read(manifest, "mesh:traffic") for manifest in manifests], DEFAULT_NAMES)
    assert str(found).startswith(
        "IST0101 VirtualService shop/front http[0].route[0].destination.host (from mesh:traffic): "
    )


def mesh_of(size: int) -> list[Object]:
    """A mesh of `size` services that call each other in a ring, each with a Deployment, routes and a policy."""
    made = meshes.valid_mesh()
    for i in range(size):
        name, version = f"s{i}", {"version": "v1"}
        caller = f"cluster.local/ns/shop/sa/s{(i + 1) % size}"
        made += [
            meshes.service(name),
            meshes.deployment(name, {"app": name, **version}, serviceAccountName=name),
            meshes.routes(
                name,
                meshes.to(name, "v1", match=[{"uri": {"prefix": "/a"}}]),
                meshes.to(name, "v1"),
                hosts=[name, f"{name}.example.com"],
            ),
            meshes.manifest_of("DestinationRule", name, {"host": name, "subsets": [{"name": "v1", "labels": version}]}),
            meshes.manifest_of(
                "AuthorizationPolicy",
                name,
                {
                    "selector": {"matchLabels": {"app": name}},
                    "rules": [{"from": [{"source": {"principals": [caller]}}]}],
                },
            ),
        ]
    return [Object.read(manifest) for manifest in made]


def best_of_three(objects: list[Object]) -> float:
    times = []
    for _ in range(3):
        start = time.process_time()
        assert analyse(objects, DEFAULT_NAMES) == []
        times.append(time.process_time() - start)
    return min(times)


@pytest.mark.slow
def test_a_thousand_services_take_at_most_two_seconds_and_time_grows_linearly() -> None:
    small, large = best_of_three(mesh_of(250)), best_of_three(mesh_of(1000))
    assert large < 2
    assert large < 8 * small  # four times as many; a square would be sixteen
