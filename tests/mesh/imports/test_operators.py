"""IstioOperators as stacks: what is kept, what is left, and what counts more."""

from __future__ import annotations

from typing import Any

import pytest

from mesh.imports import importing, operators, writing
from mesh.imports.importing import Imported
from mesh.imports.source import SourceError


def made(*specs: dict[str, Any], asked: str = "", tag: str = "1.10.3") -> Imported:
    documents = [
        {
            "apiVersion": "install.istio.io/v1alpha1",
            "kind": "IstioOperator",
            "spec": {**({"tag": tag} if tag else {}), **s},
        }
        for s in specs
    ]
    return importing.imported(operators.of_documents(documents, "mesh.yaml"), asked)


def ingress(**entry: Any) -> dict[str, Any]:
    return {"components": {"ingressGateways": [{"name": "istio-ingressgateway", "enabled": True, **entry}]}}


def test_what_the_profile_says_anyway_is_not_kept() -> None:
    found = made(
        {"profile": "demo", "meshConfig": {"accessLogFile": "/dev/stdout"}, "values": {"pilot": {"image": "pilot"}}}
    )
    assert (found.config, found.left) == ({"profile": "demo"}, [])


def test_the_default_release_and_profile_are_not_written() -> None:
    assert made({}).config == {}
    assert made({"profile": "minimal"}, tag="1.30.3").config == {"release": "1.30", "profile": "minimal"}


def test_another_patch_of_the_release_stays_as_a_tag() -> None:
    assert made({}, tag="1.10.6-distroless").config == {"tag": "1.10.6-distroless"}


@pytest.mark.parametrize(
    ("tag", "asked", "said"),
    [
        ("1.17.2", "", r"mesh.yaml is of Istio 1.17 \(tag 1.17.2\), and the releases here are 1.10, 1.30"),
        ("", "", "no tag that tells the release: add RELEASE=1.10 or RELEASE=1.30"),
        ("latest", "", "its tag latest does not tell the release"),
        ("", "1.3", 'RELEASE=1.3: "1.3" is not one of 1.10, 1.30'),
    ],
)
def test_an_unknown_release_is_refused_with_those_that_there_are(tag: str, asked: str, said: str) -> None:
    with pytest.raises(SourceError, match=said):
        made({}, asked=asked, tag=tag)


def test_an_installation_of_another_release_can_be_read_as_one_of_those_here() -> None:
    assert made({}, asked="1.30", tag="1.17.2").config == {"release": "1.30"}


def test_an_unknown_profile_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(SourceError, match=r'profile "dem" is not one of .*demo.*; did you mean "demo"\?'):
        made({"profile": "dem"})


def test_later_documents_lie_over_earlier_ones_and_gateways_are_merged_by_name() -> None:
    first = ingress(k8s={"serviceAnnotations": {"a": "1"}})
    second = ingress(k8s={"hpaSpec": {"maxReplicas": 9}})
    assert made(first, second).config["gateways"] == {
        "istio-ingressgateway": {"autoscaleMax": 9, "serviceAnnotations": {"a": "1"}}
    }


def test_components_count_more_than_values() -> None:
    values = {"values": {"gateways": {"istio-ingressgateway": {"autoscaleMin": 2, "autoscaleMax": 4}}}}
    found = made({**values, **ingress(k8s={"hpaSpec": {"minReplicas": 3}})})
    assert found.config["gateways"]["istio-ingressgateway"] == {"autoscaleMin": 3, "autoscaleMax": 4}


def test_metrics_other_than_the_use_of_cpu_are_those_of_the_autoscalers_spec() -> None:
    memory = {"type": "Resource", "resource": {"name": "memory", "targetAverageUtilization": 70}}
    found = made({"components": {"pilot": {"k8s": {"hpaSpec": {"maxReplicas": 9, "metrics": [memory]}}}}})
    assert found.config["pilot"] == {"autoscaleMax": 9, "hpaSpec": {"metrics": [memory]}}
    assert found.left == []


def test_values_of_istios_own_gateway_count_for_all_of_its_kind() -> None:
    found = made(
        {
            "values": {"gateways": {"istio-ingressgateway": {"autoscaleMax": 8}}},
            "components": {"ingressGateways": [{"name": "edge", "enabled": True, "label": {"istio": "edge"}}]},
        }
    )
    assert found.config["gateways"] == {
        "istio-ingressgateway": {"autoscaleMax": 8},
        "edge": {"labels": {"app": "istio-ingressgateway"}, "autoscaleMax": 8},
    }


def test_a_list_of_gateways_replaces_that_of_the_profile_in_1_30_alone() -> None:
    only = {
        "components": {
            "ingressGateways": [{"name": "edge", "enabled": True, "label": {"app": "edge", "istio": "edge"}}]
        }
    }
    assert made(only).config["gateways"] == {"edge": {"kind": "ingress"}}
    assert made(only, tag="1.30.3").config["gateways"]["istio-ingressgateway"] == {"enabled": False}


def test_a_gateway_that_is_not_enabled_is_not_there() -> None:
    assert made({"components": {"egressGateways": [{"name": "out", "enabled": False}]}}).config == {}


def test_node_ports_are_kept() -> None:
    ports = [{"name": "https", "port": 443, "targetPort": 8443, "nodePort": 30443}]
    found = made(ingress(k8s={"service": {"type": "NodePort", "ports": ports}}))
    assert found.config["gateways"]["istio-ingressgateway"] == {"type": "NodePort", "ports": ports}


def test_the_namespaces_of_gateways_are_declared_as_existing() -> None:
    found = made({"components": {"ingressGateways": [{"name": "edge", "enabled": True, "namespace": "edge"}]}})
    assert found.config["namespaces"] == {"edge": "existing"}


def test_names_in_snake_case_are_understood() -> None:
    found = made({"meshConfig": {"access_log_file": "/dev/stdout"}, "components": {"ingress_gateways": []}})
    assert (found.config, found.left) == ({"meshConfig": {"accessLogFile": "/dev/stdout"}}, [])


@pytest.mark.parametrize(
    ("spec", "path", "why"),
    [
        ({"values": {"global": {"nope": True}}}, "values.global.nope", "there is no such setting here"),
        ({"values": {"pilot": {"autoscaleMin": "many"}}}, "values.pilot.autoscaleMin", "not accepted here"),
        ({"values": {"ztunnel": {"logLevel": "debug"}}}, "values.ztunnel.logLevel", "Istio 1.10 has no such setting"),
        ({"addonComponents": {"kiali": {"enabled": True}}}, "addonComponents", "write mesh:addons"),
        ({"values": {"pilot": {"autoscaleMin": 9}}}, "mesh:pilot", "autoscaleMin 9 is more than autoscaleMax 5"),
        (ingress(k8s={"replicaCount": 3}), "gateways.istio-ingressgateway.replicaCount", "an autoscaler sets"),
    ],
)
def test_what_is_not_carried_over_is_named_with_the_reason(spec: dict[str, Any], path: str, why: str) -> None:
    (left,) = made(spec).left
    assert left.path.endswith(path)
    assert why in left.why


def test_overlays_are_kept_for_who_knows_their_objects() -> None:
    (found,) = made(ingress(k8s={"overlays": [{"kind": "Service", "name": "x"}]})).overlays
    assert found.path == "components.ingressGateways[istio-ingressgateway].k8s.overlays[0]"


def test_what_says_nothing_is_left_out_without_a_word() -> None:
    assert made({"values": {"global": {"nope": {}, "useMCP": False}, "ownerName": ""}}).left == []


def test_text_that_stands_for_a_number_or_a_boolean_is_one() -> None:
    assert made({"values": {"pilot": {"autoscaleMin": "2"}, "global": {"logAsJson": "true"}}}).config == {
        "pilot": {"autoscaleMin": 2},
        "global": {"logAsJson": True},
    }


def test_credentials_are_not_written_but_how_to_set_them() -> None:
    tracing = {"lightstep": {"address": "collector:443", "accessToken": "hush-hush"}}
    found = made(
        {"meshConfig": {"defaultConfig": {"tracing": tracing}}, "values": {"pilot": {"env": {"API_KEY": "hush"}}}}
    )
    text = writing.text(found.config, "mesh.yaml", found.secrets)
    assert "hush" not in text
    assert "# mesh:pilot.env.API_KEY" in text
    assert "# mesh:meshConfig.defaultConfig.tracing.lightstep.accessToken" in text


def test_a_profile_of_1_10_counts_more_than_values_where_it_sets_components() -> None:
    gateway = {"resources": {"requests": {"cpu": "1"}}}
    found = made(
        {"profile": "demo", "values": {"pilot": {"traceSampling": 5}, "gateways": {"istio-ingressgateway": gateway}}}
    )
    assert found.config == {"profile": "demo"}


def test_variables_of_istiod_take_the_place_of_the_profiles() -> None:
    found = made({"profile": "demo", "values": {"pilot": {"traceSampling": 5, "env": {"A": "b"}}}})
    assert found.config["pilot"] == {"traceSampling": 5, "env": {"A": "b"}}


def test_a_file_is_written_in_the_usual_order_and_as_a_person_writes() -> None:
    spec = {
        "values": {"global": {"logAsJson": True}},
        "revision": "canary",
        "profile": "demo",
        "meshConfig": {"accessLogFormat": "one\ntwo\n", "accessLogEncoding": "TEXT"},
    }
    found = made(spec, tag="1.30.3")
    assert writing.text(found.config, "From mesh.yaml.", found.secrets).splitlines() == [
        "# From mesh.yaml.",
        "config:",
        '  mesh:release: "1.30"',
        "  mesh:profile: demo",
        "  mesh:revision: canary",
        "  mesh:meshConfig:",
        "    accessLogFormat: |",
        "      one",
        "      two",
        "    accessLogEncoding: TEXT",
        "  mesh:global: { logAsJson: true }",
    ]


@pytest.mark.parametrize(
    ("root", "place", "kept"),
    [
        ("istio-system", "istio-system", None),
        ("istio-system", "edge", "edge"),
        ("mesh-system", "mesh-system", None),
        ("mesh-system", "istio-system", "istio-system"),
    ],
)
def test_a_namespace_of_a_gateway_is_kept_if_it_is_not_the_installations(
    root: str, place: str, kept: str | None
) -> None:
    config = made({"values": {"global": {"istioNamespace": root}}, **ingress(namespace=place)}).config
    found = config.get("gateways", {}).get("istio-ingressgateway", {}).get("namespace")
    assert (found, config.get("namespaces")) == (kept, {kept: "existing"} if kept else None)
