"""The objects of addons, and the settings that make them reachable without a login."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
import yaml

from commands import render
from components.addons.install import COMPONENTS
from mesh.config.addons import SECRETS, Addons
from tests.mesh.config.test_installation import INGRESS, Object, env, installed, mesh_config, pod
from tests.mesh.config.test_loading import load, refusal

ALL = list(COMPONENTS)


def addons(**config: object) -> dict[str, Object]:
    return installed(profile="demo", addons=config)


def container(objects: dict[str, Object], deployment: str) -> Object:
    found: Object = pod(objects, deployment)["containers"][0]
    return found


def kiali(objects: dict[str, Object]) -> Object:
    found: Object = yaml.safe_load(objects["ConfigMap/kiali"]["data"]["config.yaml"])
    return found


# Which there are


def test_a_stack_without_the_key_addons_has_none() -> None:
    assert not load().addons.chosen
    assert not [name for name in installed() if "prometheus" in name or "grafana" in name]


def test_every_addon_in_the_settings_has_a_component() -> None:
    assert set(Addons.model_fields) - {"insecureDemo"} == set(COMPONENTS)


def test_a_list_of_names_enables_these_addons_with_their_defaults() -> None:
    listed, mapped = load(addons=ALL), load(addons={name: {} for name in ALL})
    switched = load(addons={**dict.fromkeys(ALL, True)})
    assert listed.addons == mapped.addons == switched.addons
    assert list(listed.addons.chosen) == ALL


def test_a_disabled_addon_is_not_installed() -> None:
    assert list(load(addons={"prometheus": True, "grafana": False}).addons.chosen) == ["prometheus"]


def test_a_misspelt_addon_is_refused_with_the_nearest_name() -> None:
    assert 'mesh:addons: unknown field "kali"; did you mean "kiali"?' in refusal(addons=["kali"])


@pytest.mark.parametrize("name", ["kiali", "grafana"])
def test_grafana_and_kiali_are_refused_without_prometheus(name: str) -> None:
    assert refusal(addons=[name]) == (f"mesh:addons.{name}: it needs prometheus; add prometheus to mesh:addons")


@pytest.mark.parametrize(
    ("addon", "said", "wrong"),
    [
        ("prometheus", {"retention": "15 days"}, 'retention: "15 days" is not a duration'),
        ("jaeger", {"retention": "3d"}, 'retention: "3d" is not a duration'),
        ("prometheus", {"persistence": {}}, "persistence.size: is required"),
        ("prometheus", {"persistence": {"size": "much"}}, 'persistence.size: "much" is not a quantity'),
        ("jaeger", {"host": "jaeger"}, 'host.name: "jaeger"'),
        ("jaeger", {"hots": "jaeger.example.com"}, 'unknown field "hots"; did you mean "host"?'),
    ],
)
def test_a_wrong_setting_is_refused_with_its_path(addon: str, said: object, wrong: str) -> None:
    assert wrong in refusal(addons={addon: said})
    assert f"mesh:addons.{addon}" in refusal(addons={addon: said})


# How they find each other


def test_kialis_configuration_has_the_urls_of_the_other_addons() -> None:
    found = kiali(installed(profile="demo", addons=ALL))["external_services"]
    assert found["prometheus"]["url"] == "http://prometheus.istio-system:9090"
    assert found["tracing"]["in_cluster_url"] == "http://tracing.istio-system/jaeger"
    assert found["grafana"]["in_cluster_url"] == "http://grafana.istio-system:3000"


def test_kialis_configuration_disables_addons_that_are_not_installed() -> None:
    found = kiali(addons(kiali=True, prometheus=True))["external_services"]
    assert (found["tracing"], found["grafana"]) == ({"enabled": False}, {"enabled": False})


def test_kialis_configuration_has_the_object_names_of_a_revision() -> None:
    objects = installed(revision="canary", addons=["kiali", "prometheus"])
    assert kiali(objects)["external_services"]["istio"]["config_map_name"] == "istio-canary"
    assert "Deployment/istiod-canary" in objects


def test_proxies_send_their_spans_to_jaeger() -> None:
    objects = installed(profile="demo", addons=ALL)
    service = objects["Service/zipkin"]
    (port,) = service["spec"]["ports"]
    address = f"{service['metadata']['name']}.{service['metadata']['namespace']}:{port['port']}"
    assert mesh_config(objects)["defaultConfig"]["tracing"]["zipkin"]["address"] == address
    assert env(container(objects, "jaeger"))["COLLECTOR_ZIPKIN_HTTP_PORT"] == str(port["targetPort"])


@pytest.mark.parametrize(
    ("config", "percent"), [({"profile": "demo"}, "100"), ({}, "1"), ({"pilot": {"traceSampling": 12.5}}, "12.5")]
)
def test_the_profile_demo_samples_all_traces_and_default_one_in_a_hundred_unless_sampling_is_set(
    config: dict[str, object], percent: str
) -> None:
    assert env(pod(installed(**config), "istiod")["containers"][0])["PILOT_TRACE_SAMPLING"] == percent


# Safe by default


def test_no_addon_is_reachable_from_outside_by_default() -> None:
    objects, before = installed(profile="demo", addons=ALL), installed(profile="demo")
    ours = {name: m for name, m in objects.items() if name not in before}
    assert {m["spec"]["type"] for m in ours.values() if m["kind"] == "Service"} == {"ClusterIP"}
    assert not {m["kind"] for m in ours.values()} & {"Gateway", "VirtualService", "Ingress"}


def test_grafana_requires_a_login_by_default() -> None:
    variables = {v["name"]: v for v in container(installed(profile="demo", addons=ALL), "grafana")["env"]}
    assert variables["GF_AUTH_ANONYMOUS_ENABLED"]["value"] == "false"
    assert variables["GF_USERS_ALLOW_SIGN_UP"]["value"] == "false"
    assert "value" not in variables["GF_SECURITY_ADMIN_PASSWORD"]


def test_kiali_is_read_only_by_default() -> None:
    objects = installed(profile="demo", addons=ALL)
    role = objects["ClusterRoleBinding/kiali-viewer"]["roleRef"]["name"]
    verbs = {verb for rule in objects[f"ClusterRole/{role}"]["rules"] for verb in rule["verbs"]}
    creates = [r["resources"] for r in objects[f"ClusterRole/{role}"]["rules"] if "create" in r["verbs"]]
    assert not verbs & {"patch", "update", "delete", "*"}
    assert creates == [["pods/portforward"], ["tokenreviews"]]
    assert not [
        name
        for name in objects
        if name.startswith(("Role/kiali", "ClusterRole")) and "kiali" in name and role not in name
    ]


def test_kialis_signing_key_is_in_a_secret_and_not_in_its_configuration() -> None:
    objects = installed(profile="demo", addons=ALL)
    assert kiali(objects)["auth"]["strategy"] == "token"
    assert "login_token" not in kiali(objects)
    key = next(v for v in container(objects, "kiali")["env"] if v["name"] == "LOGIN_TOKEN_SIGNING_KEY")
    assert key["valueFrom"]["secretKeyRef"]["name"] == "kiali-signing-key"


def test_insecure_demo_logs_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    render.record("x", {"mesh:addons": json.dumps({"prometheus": True, "insecureDemo": True})})
    assert "For a laptop only" in caplog.text


@pytest.mark.parametrize(
    ("host", "words"),
    [("p.example.com", ["has no login", "goes in clear"]), ({"name": "p.a", "certificate": "c"}, ["has no login"])],
)
def test_a_host_without_login_or_certificate_logs_a_warning(
    host: object, words: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    render.record("x", {"mesh:addons": json.dumps({"prometheus": {"host": host}})})
    said = [record.message for record in caplog.records if "mesh:addons.prometheus.host" in record.message]
    assert [any(word in text for text in said) for word in words] == [True] * len(said)


def test_a_password_is_in_its_secret_only() -> None:
    known = {"grafanaPassword": "correct-horse", "kialiSigningKey": "battery-staple"}
    given = {f"{SECRETS}:{key}": value for key, value in known.items()}
    recorded = render.record("x", {"mesh:profile": "demo", "mesh:addons": json.dumps(ALL), **given})
    for value in known.values():
        forms = (value, base64.b64encode(value.encode()).decode())
        found = {f"{r.type.rpartition(':')[2]}/{r.name}" for r in recorded if any(f in str(r.inputs) for f in forms)}
        assert len(found) == 1
        assert next(iter(found)).startswith("Secret/")
    rendered = json.dumps(list(render.manifests(recorded)))
    assert not [
        form
        for value in known.values()
        for form in (value, base64.b64encode(value.encode()).decode())
        if form in rendered
    ]


def test_insecure_demo_needs_no_secrets() -> None:
    assert load(addons={**dict.fromkeys(ALL, True), "insecureDemo": True}).addons.secrets == ()
    assert load(addons=ALL).addons.secrets == ("grafanaPassword", "kialiSigningKey")
    assert load(addons=["prometheus", "jaeger"]).addons.secrets == ()


@pytest.mark.parametrize("name", ALL)
def test_every_container_requests_cpu_and_memory(name: str) -> None:
    for one in pod(installed(profile="demo", addons=ALL), name)["containers"]:
        assert set(one["resources"]["requests"]) == {"cpu", "memory"}, one["name"]


def test_no_addon_gets_a_sidecar() -> None:
    objects = installed(profile="demo", addons=ALL)
    for name in ALL:
        annotations = objects[f"Deployment/{name}"]["spec"]["template"]["metadata"]["annotations"]
        assert annotations["sidecar.istio.io/inject"] == "false"


# What can be set


def changed() -> dict[str, Object]:
    """Addons with every setting changed."""
    images: dict[str, dict[str, Any]] = {name: {"image": f"registry.example/{name}:1"} for name in ALL}
    for name in STORING:
        images[name]["persistence"] = {"size": "5Gi", "storageClass": "fast"}
    images["prometheus"] |= {"retention": "6h", "host": {"name": "p.example.com", "certificate": "p-tls"}}
    images["jaeger"] |= {"retention": "12h", "host": "jaeger.example.com"}
    images["grafana"] |= {"host": "grafana.example.com"}
    return addons(**images)


STORING = ["prometheus", "grafana", "jaeger"]


@pytest.mark.parametrize("name", ALL)
def test_an_image_in_the_settings_replaces_the_default(name: str) -> None:
    assert container(changed(), name)["image"] == f"registry.example/{name}:1"


def test_prometheus_keeps_its_data_for_the_configured_retention() -> None:
    assert "--storage.tsdb.retention.time=6h" in container(changed(), "prometheus")["args"]


def test_jaeger_keeps_traces_for_the_configured_retention() -> None:
    assert env(container(changed(), "jaeger"))["BADGER_SPAN_STORE_TTL"] == "12h"


@pytest.mark.parametrize("name", STORING)
def test_persistence_stores_data_in_a_persistent_volume_claim(name: str) -> None:
    claim = changed()[f"PersistentVolumeClaim/{name}"]["spec"]
    assert (claim["resources"]["requests"]["storage"], claim["storageClassName"]) == ("5Gi", "fast")
    claims = [v["persistentVolumeClaim"] for v in pod(changed(), name)["volumes"] if "persistentVolumeClaim" in v]
    assert claims == [{"claimName": name}]


@pytest.mark.parametrize("name", STORING)
def test_with_persistence_the_old_pod_ends_before_a_new_one_starts(name: str) -> None:
    assert changed()[f"Deployment/{name}"]["spec"]["strategy"]["rollingUpdate"] == {"maxSurge": 0, "maxUnavailable": 1}


# The way in


def test_a_host_is_served_by_the_ingress_gateway() -> None:
    objects = changed()
    gateway, routes = objects["Gateway/addon-grafana"]["spec"], objects["VirtualService/addon-grafana"]["spec"]
    pods = objects[f"Deployment/{INGRESS}"]["spec"]["template"]["metadata"]["labels"]
    assert gateway["selector"].items() <= pods.items()
    assert gateway["servers"][0]["hosts"] == routes["hosts"] == ["grafana.example.com"]
    assert routes["http"][0]["route"][0]["destination"] == {
        "host": "grafana.istio-system.svc.cluster.local",
        "port": {"number": 3000},
    }


def test_a_host_with_a_certificate_is_served_by_https_only() -> None:
    (server,) = changed()["Gateway/addon-prometheus"]["spec"]["servers"]
    assert (server["port"]["number"], server["tls"]["credentialName"]) == (443, "p-tls")


def test_kiali_links_to_the_hosts_of_the_other_addons() -> None:
    found = kiali(changed())["external_services"]
    assert found["grafana"]["url"] == "http://grafana.example.com"
    assert found["tracing"]["url"] == "http://jaeger.example.com"
    assert "url" not in kiali(installed(profile="demo", addons=ALL))["external_services"]["tracing"]


def test_the_root_path_of_a_host_redirects_to_the_addons_path() -> None:
    first, rest = changed()["VirtualService/addon-jaeger"]["spec"]["http"]
    assert (first["match"], first["redirect"]) == ([{"uri": {"exact": "/"}}], {"uri": "/jaeger"})
    assert rest["route"][0]["destination"]["port"] == {"number": 80}


def test_a_host_without_an_ingress_gateway_is_refused() -> None:
    text = refusal(profile="minimal", addons={"prometheus": {"host": "p.example.com"}})
    assert text == "mesh:addons.prometheus.host is set, but the stack has no ingress gateway"


def test_two_addons_on_one_host_are_refused() -> None:
    text = refusal(addons={"prometheus": {"host": "a.example.com"}, "jaeger": {"host": "a.example.com"}})
    assert text == "mesh:addons.jaeger.host: a.example.com is also the host of prometheus"
