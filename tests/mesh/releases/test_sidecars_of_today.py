"""What Istio 1.30 injects, by manual injection, and its templates as text."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from mesh import releases
from mesh.proxy import InjectionError, injection
from mesh.proxy import inject as injected
from tests import injected as installed
from tests.mesh.proxy.test_injection import FUNCTIONS

RELEASE = releases.get("1.30")
TEMPLATES = RELEASE.injection_templates()
TRAFFIC = "traffic.sidecar.istio.io"
NATIVE = "sidecar.istio.io/nativeSidecar"

Object = dict[str, Any]


def workload(annotations: dict[str, str] | None = None, labels: dict[str, str] | None = None, **spec: Any) -> Object:
    container = {"name": "web", "image": "example.org/web:1", "ports": [{"containerPort": 80, "name": "http"}]}
    metadata: Object = {"labels": {"app": "web", "version": "v2", **(labels or {})}, "annotations": annotations or {}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "shop"},
        "spec": {"template": {"metadata": metadata, "spec": {"containers": [container], **spec}}},
    }


def inject(given: Object, mesh: Object | None = None, **settings: Any) -> Object:
    made = injected(
        given, RELEASE.injector, RELEASE.proxy_config, installed.values(**settings), {**installed.MESH, **(mesh or {})}
    )
    pod: Object = made["spec"]["template"]
    return pod


def container(pod: Object, name: str = "istio-proxy") -> Object:
    containers = pod["spec"]["containers"] + pod["spec"].get("initContainers", [])
    found: Object = next(one for one in containers if one["name"] == name)
    return found


def env(pod: Object) -> dict[str, str]:
    return {variable["name"]: variable.get("value", "") for variable in container(pod)["env"]}


def names(parts: list[Object]) -> list[str]:
    return [part["name"] for part in parts]


def test_a_native_sidecar_is_an_init_container_that_restarts_and_drains_first() -> None:
    pod = inject(workload({NATIVE: "true"}, initContainers=[{"name": "setup", "image": "s"}]))
    assert names(pod["spec"]["containers"]) == ["web"]
    assert names(pod["spec"]["initContainers"]) == ["istio-init", "istio-proxy", "setup"]
    assert container(pod)["restartPolicy"] == "Always"
    assert container(pod)["lifecycle"]["preStop"]["exec"]["command"][-2:] == ["POST", "drain"]
    assert json.loads(pod["metadata"]["annotations"]["sidecar.istio.io/status"])["containers"] is None


@pytest.mark.parametrize(
    ("variable", "annotation", "native"),
    [
        ("auto", None, False),
        ("true", None, True),
        ("true", "false", False),
        ("false", "true", True),
        ("true", "", True),
    ],
)
def test_the_annotation_wins_over_istiods_variable_and_auto_counts_as_false(
    variable: str, annotation: str | None, native: bool
) -> None:
    notes = {} if annotation is None else {NATIVE: annotation}
    pod = inject(workload(notes), pilot__env={"ENABLE_NATIVE_SIDECARS": variable})
    assert ("istio-proxy" in names(pod["spec"]["initContainers"])) == native


def test_the_revision_is_an_annotation_and_part_of_the_status() -> None:
    notes = inject(workload())["metadata"]["annotations"]
    assert notes["istio.io/rev"] == "default"
    assert json.loads(notes["sidecar.istio.io/status"])["revision"] == "default"


def test_the_first_container_is_kubectls_default_unless_the_pod_names_one() -> None:
    notes = inject(workload({"kubectl.kubernetes.io/default-container": "log"}))["metadata"]["annotations"]
    assert notes["kubectl.kubernetes.io/default-container"] == "log"
    assert notes["kubectl.kubernetes.io/default-logs-container"] == "web"


def test_the_label_decides_before_the_annotation_and_only_false_disables() -> None:
    asked = "sidecar.istio.io/inject"
    assert "istio-proxy" in names(inject(workload({asked: "false"}, {asked: "true"}))["spec"]["containers"])
    assert "istio-proxy" in names(inject(workload({asked: "no"}))["spec"]["containers"])
    assert "istio-proxy" not in names(inject(workload({}, {asked: "false"}))["spec"]["containers"])


@pytest.mark.parametrize(
    ("settings", "notes", "image"),
    [
        ({}, {}, "proxyv2:1.30.3"),
        ({"global__variant": "distroless"}, {}, "proxyv2:1.30.3-distroless"),
        ({"global__tag": "1.30.3-debug"}, {"sidecar.istio.io/proxyImageType": "default"}, "proxyv2:1.30.3"),
        (
            {"global__variant": "debug"},
            {"proxy.istio.io/config": "image: {imageType: distroless}"},
            "1.30.3-distroless",
        ),
        ({}, {"sidecar.istio.io/proxyImage": "example.org/proxy:9"}, "example.org/proxy:9"),
    ],
)
def test_the_type_of_the_image_is_the_pods_its_proxy_configs_or_the_installations(
    settings: Object, notes: dict[str, str], image: str
) -> None:
    pod = inject(workload(notes), **settings)
    for name in ("istio-proxy", "istio-init"):
        assert container(pod, name)["image"].endswith(image)


def test_every_kind_of_probe_and_lifecycle_hook_is_asked_of_the_agent() -> None:
    given = workload(
        initContainers=[{"name": "side", "restartPolicy": "Always", "startupProbe": {"tcpSocket": {"port": 7}}}]
    )
    [web] = given["spec"]["template"]["spec"]["containers"]
    web["livenessProbe"] = {"grpc": {"port": 9}, "timeoutSeconds": 2}
    web["readinessProbe"] = {"tcpSocket": {"port": "http"}}
    web["lifecycle"] = {"preStop": {"httpGet": {"path": "/bye", "port": 80}}, "postStart": {"exec": {"command": ["a"]}}}
    pod = inject(given)
    rewritten = container(pod, "web")
    assert rewritten["livenessProbe"] == {
        "timeoutSeconds": 2,
        "httpGet": {"path": "/app-health/web/livez", "port": 15020},
    }
    assert rewritten["readinessProbe"] == {"httpGet": {"path": "/app-health/web/readyz", "port": 15020}}
    assert rewritten["lifecycle"]["preStop"] == {"httpGet": {"path": "/app-lifecycle/web/prestopz", "port": 15020}}
    assert rewritten["lifecycle"]["postStart"] == {"exec": {"command": ["a"]}}
    assert json.loads(env(pod)["ISTIO_KUBE_APP_PROBERS"]) == {
        "/app-health/side/startupz": {"tcpSocket": {"port": 7}},
        "/app-health/web/livez": {"grpc": {"port": 9, "service": None}, "timeoutSeconds": 2},
        "/app-health/web/readyz": {"tcpSocket": {"port": 80}},
        "/app-lifecycle/web/prestopz": {"httpGet": {"path": "/bye", "port": 80}},
    }


def test_scraping_is_merged_in_whichever_spelling_and_not_for_pods_that_are_not_scraped() -> None:
    notes = inject(workload({"prometheus-io/port": "9090"}))["metadata"]["annotations"]
    assert "prometheus-io/port" not in notes
    assert notes["prometheus.io/port"] == "15020"
    unscraped = {"prometheus.io/scrape": "false", "prometheus.io/port": "9090"}
    assert inject(workload(unscraped))["metadata"]["annotations"]["prometheus.io/port"] == "9090"


def test_the_label_for_the_network_wins_over_the_installations() -> None:
    pod = inject(workload(labels={"topology.istio.io/network": "own"}), global__network="all")
    assert env(pod)["ISTIO_META_NETWORK"] == "own"


def test_a_volume_of_the_pods_for_the_workload_socket_is_kept() -> None:
    volume = {"name": "workload-socket", "csi": {"driver": "csi.spiffe.io"}}
    assert volume in inject(workload(volumes=[volume]))["spec"]["volumes"]


def test_the_pods_attributes_in_open_telemetrys_terms_are_there_if_a_provider_wants_them() -> None:
    enriched = {"service": "otel.example", "port": 4317, "serviceAttributeEnrichment": "OTEL_SEMANTIC_CONVENTIONS"}
    mesh = {"extensionProviders": [{"name": "otel", "opentelemetry": enriched}]}
    wanted = "service.namespace=shop,service.version=1,service.instance.id=shop.$(POD_NAME).web"
    assert env(inject(workload(), mesh))["OTEL_RESOURCE_ATTRIBUTES"] == wanted
    assert "OTEL_RESOURCE_ATTRIBUTES" not in env(inject(workload()))


@pytest.mark.parametrize(
    ("notes", "message"),
    [
        ({"sidecar.istio.io/proxyCPU": "much"}, '"much" is not a quantity like 100m or 128Mi'),
        ({f"{TRAFFIC}/excludeInterfaces": "eth0,"}, "is not a comma-separated list of network interfaces like eth1"),
        ({"istio.io/reroute-virtual-interfaces": "a b"}, "is not a comma-separated list of network interfaces"),
        ({"istio.io/reroute-virtual-interfaces": "sixteen-letters-"}, "is not a comma-separated list"),
    ],
)
def test_annotations_that_the_injector_refuses_are_refused(notes: dict[str, str], message: str) -> None:
    with pytest.raises(InjectionError, match=re.escape(message)):
        inject(workload(notes))


def test_a_pod_that_has_a_sidecar_is_refused_because_istio_would_inject_it_again() -> None:
    given = workload({"sidecar.istio.io/status": "{}"})
    given["spec"]["template"]["spec"]["containers"].append({"name": "istio-proxy", "image": "p"})
    with pytest.raises(InjectionError, match="containers: istio-proxy is Istio's own"):
        inject(given)


def checksum(variable: str, **mesh: Any) -> str:
    values = installed.values(pilot__env={variable: "true"})
    read = RELEASE.injector.reads({**installed.MESH, **mesh})
    return injection.checksum(TEMPLATES, injection.decisive(values, RELEASE.injector.variables), read)


def test_the_checksum_changes_only_with_what_is_injected() -> None:
    before = checksum("PILOT_HTTP10")
    assert checksum("PILOT_ENABLE_STATUS") == before
    assert (
        checksum("PILOT_HTTP10", extensionProviders=[{"name": "log", "envoyFileAccessLog": {"path": "/a"}}]) == before
    )
    enriched = {"service": "o.example", "port": 1, "serviceAttributeEnrichment": "OTEL_SEMANTIC_CONVENTIONS"}
    changed = [
        checksum("ENABLE_NATIVE_SIDECARS"),
        checksum("COMPLIANCE_POLICY"),
        checksum("PILOT_HTTP10", proxyListenPort=16001),
        checksum("PILOT_HTTP10", inboundTrafficPolicy={"mode": "LOCALHOST"}),
        checksum("PILOT_HTTP10", extensionProviders=[{"name": "otel", "opentelemetry": enriched}]),
    ]
    assert len({before, *changed}) == 6


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_template_uses_only_functions_that_the_injector_has(name: str) -> None:
    more = {"ge", "mergeMaps", "omit", "omitNil", "otelResourceAttributes", "strdict", "trimSuffix", "trunc"}
    known = set().union(*FUNCTIONS.values(), more, {"if", "else", "end", "range", "true", "false"})
    for action in re.findall(r"{{-?(.*?)-?}}", TEMPLATES[name]):
        words = re.findall(r"(?<![.$\w])[A-Za-z]\w*", re.sub(r'"(\\.|[^"\\])*"', "", action))
        assert set(words) <= known, action


def test_the_socket_volumes_of_a_sidecar_have_no_source_which_other_templates_may_add() -> None:
    volumes = TEMPLATES["sidecar"].partition("\n  volumes:\n")[2]
    assert '- {"name": "workload-socket"}\n' in volumes
    assert '- {"name": "credential-socket"}\n' in volumes


@pytest.mark.parametrize("name", ["kube-gateway", "waypoint"])
def test_a_gateway_of_the_gateway_api_becomes_five_objects_that_end_with_it(name: str) -> None:
    kinds = re.findall(r'^kind: "(.*)"$', TEMPLATES[name], re.MULTILINE)
    assert kinds == ["ServiceAccount", "Deployment", "Service", "HorizontalPodAutoscaler", "PodDisruptionBudget"]
    assert TEMPLATES[name].count('kind: "Gateway"') == len(kinds)
