"""What `FROM` names: IstioOperators and Helm values, and what is wrong with it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from mesh.imports import importing, reading
from mesh.imports.source import SourceError

OPERATOR = {"apiVersion": "install.istio.io/v1alpha1", "kind": "IstioOperator", "spec": {"tag": "1.10.3"}}
GATEWAY = {
    "service": {"type": "NodePort", "annotations": {"a": "b"}, "ports": [{"name": "https", "port": 443}]},
    "autoscaling": {"minReplicas": 2, "maxReplicas": 3, "targetCPUUtilizationPercentage": 70},
    "labels": {"team": "edge"},
}
EDGE = {
    "labels": {"team": "edge"},
    "type": "NodePort",
    "ports": [{"name": "https", "port": 443}],
    "autoscaleMin": 2,
    "autoscaleMax": 3,
    "cpu": {"targetAverageUtilization": 70},
    "serviceAnnotations": {"a": "b"},
}


def written(folder: Path, **files: Any) -> Path:
    for name, body in files.items():
        text = body if isinstance(body, str) else yaml.safe_dump(body)
        (folder / f"{name.replace('_', '-')}.yaml").write_text(text)
    return folder


def config(text: str, folder: Path) -> dict[str, Any]:
    return importing.imported(reading.read(text, folder)).config


def test_a_folder_of_helm_values_is_one_installation(tmp_path: Path) -> None:
    istiod = {"global": {"tag": "1.30.3"}, "autoscaleMin": 2, "meshConfig": {"accessLogFile": "/dev/stdout"}}
    written(tmp_path, istiod=istiod, edge_gateway=GATEWAY, cni={"chained": False})
    assert config(".", tmp_path) == {
        "release": "1.30",
        "profile": "minimal",
        "meshConfig": {"accessLogFile": "/dev/stdout"},
        "pilot": {"autoscaleMin": 2},
        "gateways": {"edge-gateway": EDGE},
        "cni": {"enabled": True, "chained": False},
    }


def test_charts_are_told_apart_by_what_they_have(tmp_path: Path) -> None:
    written(tmp_path, a={"pilot": {"autoscaleMin": 2}, "global": {"tag": "1.30.3"}}, b={**GATEWAY, "name": "edge"})
    found = config("a.yaml b.yaml", tmp_path)
    assert (found["pilot"], found["gateways"]) == ({"autoscaleMin": 2}, {"edge": EDGE})


def test_the_user_can_name_charts_and_gateways(tmp_path: Path) -> None:
    written(tmp_path, a={"autoscaleMin": 2, "global": {"tag": "1.30.3"}}, b=GATEWAY)
    found = config("istiod=a.yaml gateway:edge=b.yaml", tmp_path)
    assert (found["pilot"], found["gateways"]) == ({"autoscaleMin": 2}, {"edge": EDGE})


def test_a_profile_has_only_the_gateways_that_charts_install(tmp_path: Path) -> None:
    written(tmp_path, istiod={"global": {"tag": "1.30.3"}, "profile": "demo"})
    gateways = config("istiod.yaml", tmp_path)["gateways"]
    assert gateways == {name: {"enabled": False} for name in ("istio-ingressgateway", "istio-egressgateway")}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "FROM is missing: the files to import, such as FROM=operator.yaml"),
        ("no.yaml", "FROM=no.yaml: there is no such file or folder"),
        ("broken.yaml", "broken.yaml is not YAML: .* in line 2"),
        ("list.yaml", r"list.yaml has \[1\] in place of a map"),
        ("empty", "FROM=empty has no YAML"),
        ("service.yaml", "service.yaml has a Service, and not an IstioOperator or Helm values"),
        ("odd.yaml", "odd.yaml: it is unclear which chart these values are for: name it, such as FROM=istiod=odd.yaml"),
        ("pilot=odd.yaml", 'FROM=pilot=odd.yaml: chart "pilot" is not one of base, istiod, cni, ztunnel, gateway'),
        ("gateway=odd.yaml", "a gateway, and nothing else, takes a name: gateway:NAME=FILE"),
        ("op.yaml istiod=odd.yaml", "an IstioOperator and Helm values install two Istios: import one at a time"),
    ],
)
def test_what_cannot_be_read_is_one_clear_message(text: str, said: str, tmp_path: Path) -> None:
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "x"}}
    written(tmp_path, broken="a: [", list=[1], service=service, odd={"replicas": 3}, op=OPERATOR)
    (tmp_path / "empty").mkdir()
    with pytest.raises(SourceError, match=said) as error:
        reading.read(text, tmp_path)
    assert "\n" not in str(error.value)
