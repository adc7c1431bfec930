"""Parts of Kubernetes' objects in the config."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from mesh.core import secure, validation
from mesh.core.autoscaling import current_metrics
from mesh.core.kubernetes_types import AutoscalerSpec, Container, PodSecurityContext, Probe
from mesh.core.typed import Documented


class Pods(Documented):
    """Settings of pods."""

    probe: Probe = {}
    containers: tuple[Container, ...] = ()
    security: PodSecurityContext = {}
    hpa: AutoscalerSpec = {}


def problems(**data: Any) -> list[str]:
    try:
        Pods.model_validate(data)
    except ValidationError as error:
        return validation.problems(error, Pods, "mesh:")
    return []


REFUSED = [
    ({"probe": {"periodSecond": 3}}, 'mesh:probe: Probe has no field "periodSecond"; did you mean "periodSeconds"?'),
    ({"probe": {"httpGet": {"prt": 1}}}, 'mesh:probe.httpGet: HTTPGetAction has no field "prt"; did you mean "port"?'),
    ({"probe": {"periodSeconds": "3"}}, 'mesh:probe.periodSeconds: expected a whole number, got "3"'),
    ({"probe": {"httpGet": {"port": True}}}, "mesh:probe.httpGet.port: expected a whole number or a string, got true"),
    ({"probe": {"httpGet": 80}}, "mesh:probe.httpGet: expected a mapping, got 80"),
    ({"containers": [{"image": "a"}]}, "mesh:containers[0]: needs name"),
    ({"containers": [{"name": "a", "args": "b"}]}, 'mesh:containers[0].args: expected a list, got "b"'),
    (
        {"containers": [{"name": "a", "env": [{"name": "B", "value": 3}]}]},
        'mesh:containers[0].env[0].value: expected a string, got 3; put it in quotes: "3"',
    ),
    (
        {"containers": [{"name": "a", "env": [{"name": "1B", "value": "3"}]}]},
        'mesh:containers[0].env[0].name: "1B" is not the name of an environment variable: letters, digits, -, _ and'
        " ., and no digit first",
    ),
    ({"security": {"sysctls": [{"name": "a"}]}}, "mesh:security.sysctls[0]: needs value"),
]


@pytest.mark.parametrize(("data", "message"), REFUSED, ids=lambda value: value if isinstance(value, str) else "")
def test_a_field_that_kubernetes_has_not_is_refused_at_its_place(data: dict[str, Any], message: str) -> None:
    assert problems(**data) == [message]


def test_a_part_that_is_merged_over_istios_own_may_lack_what_kubernetes_requires() -> None:
    assert problems(probe={"httpGet": {"path": "/ready"}}, hpa={"minReplicas": 2}) == []


def test_quantities_are_numbers_or_texts() -> None:
    limits = {"resources": {"limits": {"cpu": 1, "memory": "1Gi"}}}
    assert problems(containers=[{"name": "a", **limits}]) == []


def test_an_encrypted_value_stands_wherever_a_text_does() -> None:
    hidden = secure.placeholder("mesh:a", "ciphertext")
    assert problems(containers=[{"name": "a", "env": [{"name": "B", "value": hidden}]}]) == []


FORMER = [
    (
        {"type": "Resource", "resource": {"name": "cpu", "targetAverageUtilization": 70}},
        {
            "type": "Resource",
            "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 70}},
        },
    ),
    (
        {"type": "Pods", "pods": {"metricName": "hits", "targetAverageValue": "10"}},
        {
            "type": "Pods",
            "pods": {"metric": {"name": "hits"}, "target": {"type": "AverageValue", "averageValue": "10"}},
        },
    ),
    (
        {
            "type": "Object",
            "object": {"target": {"kind": "Ingress", "name": "a"}, "metricName": "hits", "targetValue": 5},
        },
        {
            "type": "Object",
            "object": {
                "describedObject": {"kind": "Ingress", "name": "a"},
                "metric": {"name": "hits"},
                "target": {"type": "Value", "value": 5},
            },
        },
    ),
    (
        {"type": "External", "external": {"metricName": "q", "metricSelector": {"matchLabels": {"a": "b"}}}},
        {"type": "External", "external": {"metric": {"name": "q", "selector": {"matchLabels": {"a": "b"}}}}},
    ),
]


@pytest.mark.parametrize(("former", "now"), FORMER)
def test_metrics_in_the_form_of_istio_1_10_are_written_as_today(former: dict[str, Any], now: dict[str, Any]) -> None:
    assert current_metrics({"metrics": [former]}) == {"metrics": [now]}
    assert current_metrics({"metrics": [now]}) == {"metrics": [now]}
