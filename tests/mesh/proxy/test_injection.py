"""Injection templates: rendering of models, use of functions and annotations, the ConfigMap and its checksum."""

import json
import re
from typing import Any

import pytest
import yaml

from mesh.proxy import injection
from mesh.proxy.expr import Expr, Node, all_of, each, equal, when
from mesh.proxy.injection.template import render
from mesh.releases.release import Installation
from tests.releases import RELEASE

ON = Expr("$.on")
OFF = Expr("$.off")
NAME = Expr("$.name")

FUNCTIONS = {
    "Go": {"and", "eq", "gt", "index", "len", "ne", "not", "or", "printf"},
    "sprig": {"append", "default", "first", "join", "list", "quote", "set", "ternary"},
    "Istio": {
        *("annotation", "appendMultusNetwork", "contains", "directory", "env", "excludeInboundPort", "fromJSON"),
        *("isset", "protoToJSON", "structToJSON", "toJSON", "toLower", "valueOrDefault"),
    },
}
"""Functions that both Istio 1.10's injector and a current istioctl give to a template."""

ANNOTATIONS = (
    "inject.istio.io/templates",
    "prometheus.istio.io/merge-metrics",
    "proxy.istio.io/config",
    "sidecar.istio.io/rewriteAppHTTPProbers",
)
"""Annotations that the injector reads itself; the template must not."""

TEMPLATE_ANNOTATIONS = (
    "apm.datadoghq.com/env",
    "k8s.v1.cni.cncf.io/networks",
    *(f"readiness.status.sidecar.istio.io/{name}" for name in ("failureThreshold", "initialDelaySeconds")),
    "readiness.status.sidecar.istio.io/periodSeconds",
    *(f"sidecar.istio.io/{name}" for name in ("agentLogLevel", "bootstrapOverride", "capNetBindService")),
    *(f"sidecar.istio.io/{name}" for name in ("componentLogLevel", "interceptionMode", "logLevel")),
    *(f"sidecar.istio.io/proxy{name}" for name in ("CPU", "CPULimit", "Image", "Memory", "MemoryLimit")),
    *(f"sidecar.istio.io/{name}" for name in ("userVolume", "userVolumeMount")),
    "status.sidecar.istio.io/port",
    *(f"traffic.sidecar.istio.io/{way}InboundPorts" for way in ("include", "exclude")),
    *(f"traffic.sidecar.istio.io/{way}OutboundPorts" for way in ("include", "exclude")),
    *(f"traffic.sidecar.istio.io/{way}OutboundIPRanges" for way in ("include", "exclude")),
    "traffic.sidecar.istio.io/kubevirtInterfaces",
)
"""Annotations that Istio 1.10 documents for the template to read."""


def lines(model: Node) -> list[str]:
    return render(model).splitlines()


def test_a_part_that_fits_on_a_line_is_json_with_quoted_expressions() -> None:
    assert lines({"env": [{"name": "A", "value": NAME}]}) == ['env: [{"name": "A", "value": {{ quote $.name }}}]']


def test_numbers_and_booleans_are_not_quoted_and_objects_are_json() -> None:
    model: Node = {"count": Expr("$.n", "plain"), "same": equal(NAME, "a"), "hook": Expr("$.hook", "object")}
    written = '{"count": {{ $.n }}, "same": {{ eq $.name "a" }}, "hook": {{ structToJSON $.hook }}}'
    assert lines({"all": model}) == [f"all: {written}"]


def test_a_part_that_is_too_long_for_a_line_is_a_block() -> None:
    assert lines({"a": {"b": NAME, "c": "x" * 110}}) == ["a:", "  b: {{ quote $.name }}", f'  c: "{"x" * 110}"']


def test_neighbours_with_the_same_condition_share_one_if() -> None:
    assert lines({"a": 1, "b": when(ON, 2), "c": when(ON, NAME), "d": when(OFF, 3)}) == [
        "a: 1",
        "{{- if $.on }}",
        "b: 2",
        "c: {{ quote $.name }}",
        "{{- end }}",
        "{{- if $.off }}",
        "d: 3",
        "{{- end }}",
    ]


def test_an_alternative_becomes_an_else() -> None:
    assert lines({"a": when(ON, "x", "y")}) == ["{{- if $.on }}", 'a: "x"', "{{- else }}", 'a: "y"', "{{- end }}"]


def test_a_list_whose_items_are_all_conditional_is_left_out_if_none_is_present() -> None:
    # an empty key would be null, and null deletes the pod's own list in a strategic merge patch
    assert lines({"caps": [when(ON, "A"), when(all_of(ON, OFF), "B")]}) == [
        "{{- if or $.on (and $.on $.off) }}",
        "caps:",
        "{{- if $.on }}",
        '- "A"',
        "{{- end }}",
        "{{- if and $.on $.off }}",
        '- "B"',
        "{{- end }}",
        "{{- end }}",
    ]


def test_a_mapping_with_the_same_condition_as_its_parts_gets_one_if() -> None:
    assert lines({"r": when(ON, {"cpu": when(ON, NAME)})}) == lines({"r": {"cpu": when(ON, NAME)}})


def test_a_condition_that_another_one_implies_is_left_out() -> None:
    guard = lines({"a": {"x": when(ON, 1), "y": when(ON, when(OFF, 2))}})[0]
    assert guard == "{{- if $.on }}"


def test_a_loop_is_over_keys_and_values_and_is_left_out_without_entries() -> None:
    model: Node = {"env": each(Expr("$.map"), lambda key, value: {"name": key, "value": value})}
    assert lines(model) == [
        "{{- if $.map }}",
        "env:",
        "{{- range $key, $value := $.map }}",
        '- {"name": {{ quote $key }}, "value": {{ quote $value }}}',
        "{{- end }}",
        "{{- end }}",
    ]


def test_absent_parts_are_left_out() -> None:
    assert lines({"a": 1, "b": None, "c": [], "d": {"e": None}}) == ["a: 1", "c: []"]


def test_a_list_item_whose_first_entry_is_conditional_is_refused() -> None:
    with pytest.raises(ValueError, match="first entry of a list's item is conditional"):
        render({"list": [{"name": when(ON, "a"), "b": 1}]})


@pytest.mark.parametrize("name", ["sidecar", "gateway"])
def test_a_template_uses_only_functions_that_the_injector_has(name: str) -> None:
    known = set().union(*FUNCTIONS.values(), {"if", "else", "end", "range", "true", "false"})
    for action in re.findall(r"{{-?(.*?)-?}}", RELEASE.injection_templates()[name]):
        words = re.findall(r"(?<![.$\w])[A-Za-z]\w*", re.sub(r'"(\\.|[^"\\])*"', "", action))
        assert set(words) <= known, action


@pytest.mark.parametrize("name", ["sidecar", "gateway"])
def test_every_if_and_range_of_a_template_has_an_end(name: str) -> None:
    text = RELEASE.injection_templates()[name]
    assert len(re.findall(r"{{-? (?:if|range) ", text)) == len(re.findall(r"{{-? end ", text)) > 0


def test_the_sidecar_template_reads_each_annotation_that_istio_leaves_to_it() -> None:
    text = RELEASE.injection_templates()["sidecar"]
    assert [name for name in TEMPLATE_ANNOTATIONS if f'"{name}"' not in text] == []
    assert [name for name in ANNOTATIONS if name in text] == []


def test_templates_do_not_contain_the_version_of_istio() -> None:
    assert RELEASE.version not in "".join(RELEASE.injection_templates().values())


def installation(profile: str, differences: dict[str, object] | None = None) -> Installation:
    return Installation(release=RELEASE, values=RELEASE.values(profile, differences))


def checksum(values: dict[str, Any], mesh: dict[str, Any]) -> str:
    return injection.checksum(RELEASE.injection_templates(), values, RELEASE.injector.reads(mesh))


@pytest.mark.parametrize("profile", RELEASE.profiles.names)
def test_the_config_map_contains_the_templates_and_the_values(profile: str) -> None:
    values = RELEASE.injection_values(installation(profile))
    data = injection.config_map_data(RELEASE.injection_templates(), values)
    config = yaml.safe_load(data["config"])
    assert config["templates"] == RELEASE.injection_templates()
    assert config["policy"] == "enabled"
    assert config["template"].startswith("{{ Template_Version_And_Istio_Version_Mismatched")
    assert config["defaultTemplates"] == ["sidecar"]
    assert json.loads(data["values"]) == values


def test_custom_templates_are_added_to_those_of_the_release() -> None:
    values = RELEASE.injection_values(installation("default"))
    values["sidecarInjectorWebhook"] |= {"templates": {"debug": "spec: {}"}, "defaultTemplates": ["sidecar", "debug"]}
    config = yaml.safe_load(injection.config_map_data(RELEASE.injection_templates(), values)["config"])
    assert config["templates"] == {**RELEASE.injection_templates(), "debug": "spec: {}"}
    assert config["defaultTemplates"] == ["sidecar", "debug"]


def test_the_checksum_changes_only_with_what_is_injected() -> None:
    mesh = RELEASE.mesh_config(installation("default"))
    first, other = (RELEASE.injection_values(installation("default", {"tag": tag})) for tag in ("1", "2"))
    changed = {**mesh, "defaultConfig": {**mesh["defaultConfig"], "concurrency": 1}}
    assert checksum(first, mesh) == checksum(first, {**mesh, "accessLogFile": "/dev/stdout"})
    assert len({checksum(*given) for given in ((first, mesh), (other, mesh), (first, changed))}) == 3
