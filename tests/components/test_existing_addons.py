"""Prometheus, Jaeger and Grafana that are there already."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
import yaml

from commands import render
from commands.stackfiles import ROOT
from engine import config
from engine.recorder import Resource
from mesh import releases
from mesh.config.addons import SECRETS
from tests.mesh.config.test_installation import Object, env, installed, mesh_config
from tests.mesh.config.test_loading import load, refusal

pytestmark = pytest.mark.slow

URL = "http://prometheus.monitoring:9090"
each_release = pytest.mark.parametrize("release", releases.NAMES)


def addons(release: str, existing: dict[str, Any], *own: str) -> dict[str, Object]:
    return installed(release=release, profile="demo", addons={**dict.fromkeys(own, True), "existing": existing})


def services_of_kiali(objects: dict[str, Object]) -> Object:
    found: Object = yaml.safe_load(objects["ConfigMap/kiali"]["data"]["config.yaml"])["external_services"]
    return found


@pytest.mark.parametrize(
    ("release", "inside", "outside"), [("1.10", "in_cluster_url", "url"), ("1.30", "internal_url", "external_url")]
)
def test_kiali_asks_what_is_there_already(release: str, inside: str, outside: str) -> None:
    existing = {
        "prometheus": f"{URL}/",
        "jaeger": {"url": "http://query.tracing:16686/jaeger", "externalUrl": "https://jaeger.example.com"},
        "grafana": "http://grafana.monitoring:3000",
    }
    objects = addons(release, existing, "kiali")
    found = services_of_kiali(objects)
    assert found["prometheus"]["url"] == URL
    assert (found["tracing"][inside], found["tracing"][outside]) == (
        "http://query.tracing:16686/jaeger",
        "https://jaeger.example.com",
    )
    assert found["tracing"]["use_grpc"] is False
    assert found["grafana"][inside] == "http://grafana.monitoring:3000"
    assert not {"Deployment/prometheus", "Deployment/grafana", "Deployment/jaeger"} & objects.keys()


def recorded(release: str, existing: dict[str, Any], **secrets: str) -> list[Resource]:
    chosen = {"kiali": True, "grafana": True, "existing": existing}
    keys = {f"{SECRETS}:{key}": value for key, value in secrets.items()}
    return render.record(
        "x", {"mesh:release": release, "mesh:profile": "demo", "mesh:addons": json.dumps(chosen), **keys}
    )


@each_release
@pytest.mark.parametrize(
    ("login", "key", "part"),
    [
        ({"login": "token"}, "prometheusToken", "token"),
        ({"login": "basic", "user": "kiali"}, "prometheusPassword", "password"),
    ],
)
def test_a_password_or_token_is_in_secrets_only(release: str, login: dict[str, str], key: str, part: str) -> None:
    made = recorded(release, {"prometheus": {"url": URL, **login}}, **{key: "correct-horse"})
    holders = {
        f"{r.type.rpartition(':')[2]}/{r.name}"
        for r in made
        if "correct-horse" in str(r.inputs) or "Y29ycmVjdC1ob3JzZQ==" in str(r.inputs)
    }
    assert holders == {"Secret/kiali-prometheus", "Secret/grafana-prometheus"}
    objects = {f"{one['kind']}/{one['metadata']['name']}": one for one in render.manifests(made)}
    auth = services_of_kiali(objects)["prometheus"]["auth"]
    assert auth == {"type": "bearer"} if part == "token" else {"type": "basic", "username": "kiali"}
    pod = objects["Deployment/kiali"]["spec"]["template"]["spec"]
    source = {"secretName": "kiali-prometheus", "items": [{"key": part, "path": "value.txt"}]}
    if release == "1.10":
        variable = next(one for one in pod["containers"][0]["env"] if one["name"] == f"PROMETHEUS_{part.upper()}")
        assert variable["valueFrom"]["secretKeyRef"] == {"name": "kiali-prometheus", "key": part}
    else:
        assert {"name": f"prometheus-{part}", "secret": source} in pod["volumes"]
        mounted = {one["name"]: one["mountPath"] for one in pod["containers"][0]["volumeMounts"]}
        assert mounted[f"prometheus-{part}"] == f"/kiali-override-secrets/prometheus-{part}"


def test_grafana_logs_in_to_prometheus_by_a_variable() -> None:
    sources = {}
    for kind, login in {"basic": {"user": "g"}, "token": {}}.items():
        objects = addons("1.30", {"prometheus": {"url": URL, "login": kind, **login}}, "grafana")
        (sources[kind],) = yaml.safe_load(objects["ConfigMap/grafana"]["data"]["datasources.yaml"])["datasources"]
        pod = objects["Deployment/grafana"]["spec"]["template"]["spec"]
        assert f"PROMETHEUS_{'TOKEN' if kind == 'token' else 'PASSWORD'}" in env(pod["containers"][0])
    assert sources["basic"]["basicAuthUser"] == "g"
    assert sources["basic"]["secureJsonData"] == {"basicAuthPassword": "$PROMETHEUS_PASSWORD"}
    assert sources["token"]["jsonData"]["httpHeaderName1"] == "Authorization"
    assert sources["token"]["secureJsonData"] == {"httpHeaderValue1": "Bearer $PROMETHEUS_TOKEN"}


def test_proxies_send_spans_to_the_collector_that_is_there() -> None:
    existing = {"jaeger": {"url": "http://a.tracing", "collector": "collector.tracing:4317"}}
    found = mesh_config(addons("1.30", existing))
    own = [one for one in found["extensionProviders"] if one["name"] == "jaeger"]
    assert own == [{"name": "jaeger", "opentelemetry": {"service": "collector.tracing", "port": 4317}}]
    assert found["defaultProviders"]["tracing"] == ["jaeger"]
    zipkin = mesh_config(addons("1.10", existing))["defaultConfig"]["tracing"]["zipkin"]
    assert zipkin == {"address": "collector.tracing:4317"}


def test_only_what_is_asked_needs_its_login() -> None:
    existing = {name: {"url": URL, "login": "token"} for name in ("prometheus", "jaeger", "grafana")}
    found = load(addons={"kiali": True, "existing": existing}).addons
    assert found.credentials == ("prometheusToken", "jaegerToken", "grafanaToken")
    assert found.secrets == ("kialiSigningKey",)


def test_a_login_that_the_config_lacks_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pulumi.runtime.is_dry_run", lambda: False)
    (line,) = config.missing_secrets(SECRETS, ["prometheusToken"], made=False)
    assert line == (
        "mesh-addons:prometheusToken is not in the stack's config: set it with"
        " `pulumi config set --secret mesh-addons:prometheusToken`"
    )


@pytest.mark.parametrize(
    ("chosen", "problem"),
    [
        (
            {"kiali": True, "existing": {"prometheus": "prometheus:9090"}},
            'prometheus.url: "prometheus:9090" is not a URL: write it',
        ),
        (
            {"kiali": True, "existing": {"prometheus": "http://me:secret@p"}},
            "prometheus.url: contains a user name or a password:",
        ),
        (
            {"kiali": True, "existing": {"prometheus": {"url": URL, "login": "basic"}}},
            "prometheus.user: is required with",
        ),
        (
            {"kiali": True, "existing": {"prometheus": {"url": URL, "user": "a"}}},
            "prometheus.user: is only for login basic",
        ),
        (
            {"prometheus": True, "kiali": True, "existing": {"prometheus": URL}},
            "prometheus: the stack installs prometheus itself",
        ),
        (
            {"existing": {"grafana": URL}},
            "grafana: no addon of the stack uses it: add kiali to mesh:addons, set dashboards, or leave it out",
        ),
        (
            {"existing": {"grafana": {"url": URL, "dashboards": "monitoring"}}},
            "grafana.dashboards.namespace: monitoring is not one of mesh:namespaces (none)",
        ),
        (
            {"existing": {"grafana": {"url": URL, "dashboards": {"namespaces": "a"}}}},
            'grafana.dashboards: unknown field "namespaces"; did you mean',
        ),
        (
            {"existing": {"grafana": {"url": URL, "dashboards": True}}},
            "grafana.dashboards: expected a namespace or a mapping, got true",
        ),
        (
            {"existing": {"jaeger": {"url": URL, "collector": "http://a"}}},
            'jaeger.collector: "http://a" is not an address',
        ),
    ],
)
def test_what_cannot_be_there_is_refused(chosen: dict[str, Any], problem: str) -> None:
    assert f"mesh:addons.existing.{problem}" in refusal(addons=chosen)


@each_release
def test_a_grafana_that_is_there_gets_the_dashboards_that_our_own_has(release: str) -> None:
    wanted = {"namespace": "monitoring", "labels": {"dashboards": "mesh"}, "annotations": {"grafana_folder": "Istio"}}
    existing = {"grafana": {"url": URL, "dashboards": wanted}}
    chosen = {"release": release, "profile": "demo"}
    objects = installed(**chosen, namespaces={"monitoring": "existing"}, addons={"existing": existing})
    own = installed(**chosen, addons={"prometheus": True, "grafana": True})
    ours = {name: one["data"] for name, one in own.items() if name.endswith("-grafana-dashboards")}
    assert ours == {name: one["data"] for name, one in objects.items() if name.endswith("-grafana-dashboards")}
    for name in ours:
        meta = objects[name]["metadata"]
        assert (meta["namespace"], meta["labels"]) == ("monitoring", {"dashboards": "mesh"})
        assert meta["annotations"] == {"grafana_folder": "Istio"}


@each_release
def test_by_the_docs_a_stack_has_dashboards_and_scrapes_its_pods(release: str) -> None:
    """The blocks of docs/addons.md are a config, whose PodMonitor keeps istiod, gateways and sidecars."""
    blocks = re.findall(r"```yaml\n(.*?)```", (ROOT / "docs" / "addons.md").read_text(), re.DOTALL)
    found = [yaml.safe_load(one) for one in blocks if "mesh:namespaces" in one]
    keys = {key.removeprefix("mesh:"): value for one in found for key, value in one.items()}
    objects = installed(release=release, profile="demo", **keys)
    assert objects["ConfigMap/istio-grafana-dashboards"]["metadata"]["labels"] == {"grafana_dashboard": "1"}
    (endpoint,) = objects["PodMonitor/mesh"]["spec"]["podMetricsEndpoints"]
    for name, port in (("istiod", 15014), ("istio-ingressgateway", 15020)):
        target = relabelled(objects[f"Deployment/{name}"]["spec"]["template"], endpoint["relabelings"])
        assert target["__address__"] == f"10.0.0.1:{port}"
        assert target.get("__metrics_path__", "/metrics") == ("/metrics" if port == 15014 else "/stats/prometheus")
        assert target["app"] == name


def relabelled(template: Object, steps: list[Object]) -> dict[str, str]:
    """The labels of a pod's target after the steps, as Prometheus takes them."""
    prefix = "__meta_kubernetes_pod"
    parts = {"annotation": template["metadata"]["annotations"], "label": template["metadata"]["labels"]}
    labels = {
        f"{prefix}_{part}_{re.sub('[./-]', '_', key)}": value for part in parts for key, value in parts[part].items()
    }
    labels |= {f"{prefix}_ip": "10.0.0.1", f"{prefix}_container_name": template["spec"]["containers"][0]["name"]}
    for step in steps:
        value = ";".join(labels.get(name, "") for name in step["sourceLabels"])
        match = re.fullmatch(step.get("regex", "(.*)"), value)
        if step.get("action") == "keep":
            assert match, (step, labels)
        elif match:
            labels[step["targetLabel"]] = match.expand(re.sub(r"\$(\d)", r"\\\1", step.get("replacement", "$1")))
    return labels
