"""The objects of addons, and the settings that make them reachable without a login."""

from __future__ import annotations

import base64
import json
import re
from typing import Any

import pytest
import yaml

from commands import render
from components.addons.install import COMPONENTS
from mesh import releases
from mesh.config.addons import SECRETS, Addons
from mesh.config.settings import SettingsError
from tests.mesh.config.test_installation import INGRESS, Object, env, installed, mesh_config, pod
from tests.mesh.config.test_loading import load, refusal
from tests.releases import addons as of_release

pytestmark = pytest.mark.slow

ALL = of_release(releases.DEFAULT)
EACH = [(release, name) for release in releases.NAMES for name in of_release(release)]
each_release = pytest.mark.parametrize("release", releases.NAMES)
each = pytest.mark.parametrize(("release", "name"), EACH)


def everything(release: str = releases.DEFAULT) -> dict[str, Object]:
    """The objects of a stack with all addons of a release."""
    return installed(release=release, profile="demo", addons=of_release(release))


def addons(release: str = releases.DEFAULT, **config: object) -> dict[str, Object]:
    return installed(release=release, profile="demo", addons=config)


def template(objects: dict[str, Object], name: str) -> Object:
    """The template of an addon's pods."""
    kind = "StatefulSet" if f"StatefulSet/{name}" in objects else "Deployment"
    found: Object = objects[f"{kind}/{name}"]["spec"]["template"]
    return found


def containers(objects: dict[str, Object], name: str) -> list[Object]:
    found: list[Object] = template(objects, name)["spec"]["containers"]
    return found


def container(objects: dict[str, Object], name: str) -> Object:
    return containers(objects, name)[0]


def kiali(objects: dict[str, Object]) -> Object:
    found: Object = yaml.safe_load(objects["ConfigMap/kiali"]["data"]["config.yaml"])
    return found


# Which there are


def test_a_stack_without_the_key_addons_has_none() -> None:
    assert not load().addons.chosen
    assert not [name for name in installed() if "prometheus" in name or "grafana" in name]


def test_every_addon_in_the_settings_has_a_component_and_a_sample_in_some_release() -> None:
    assert set(Addons.model_fields) - {"insecureDemo", "existing"} == set(COMPONENTS) == {name for _, name in EACH}


def test_the_addon_that_a_release_lacks_is_among_what_it_lacks() -> None:
    assert "Addons.loki" in releases.lacks("1.10")
    assert "Addons.loki" not in releases.lacks("1.30")
    assert [set(COMPONENTS) - set(of_release(name)) for name in releases.NAMES] == [{"loki"}, set()]


def test_an_addon_that_the_release_lacks_is_refused_with_the_releases_name() -> None:
    with pytest.raises((SettingsError, ValueError), match=r"1\.10.* (loki|such setting)"):
        installed(release="1.10", addons=["loki"])


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
    assert refusal(addons=[name]) == (
        f"mesh:addons.{name}: it needs prometheus; add prometheus to mesh:addons, unless"
        " mesh:addons.existing.prometheus names an existing one"
    )


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


@pytest.mark.parametrize(("release", "key"), [("1.10", "in_cluster_url"), ("1.30", "internal_url")])
def test_kialis_configuration_has_the_urls_of_the_other_addons(release: str, key: str) -> None:
    found = kiali(everything(release))["external_services"]
    assert found["prometheus"]["url"] == "http://prometheus.istio-system:9090"
    assert found["tracing"][key] == "http://tracing.istio-system/jaeger"
    assert found["grafana"][key] == "http://grafana.istio-system:3000"


@each_release
def test_kialis_configuration_disables_addons_that_are_not_installed(release: str) -> None:
    found = kiali(addons(release, kiali=True, prometheus=True))["external_services"]
    assert (found["tracing"], found["grafana"]) == ({"enabled": False}, {"enabled": False})


def test_kialis_configuration_has_the_object_names_of_a_revision() -> None:
    objects = installed(revision="canary", addons=["kiali", "prometheus"])
    assert kiali(objects)["external_services"]["istio"]["config_map_name"] == "istio-canary"
    assert "Deployment/istiod-canary" in objects


def test_proxies_send_their_spans_to_jaeger() -> None:
    objects = everything()
    service = objects["Service/zipkin"]
    (port,) = service["spec"]["ports"]
    address = f"{service['metadata']['name']}.{service['metadata']['namespace']}:{port['port']}"
    assert mesh_config(objects)["defaultConfig"]["tracing"]["zipkin"]["address"] == address
    assert env(container(objects, "jaeger"))["COLLECTOR_ZIPKIN_HTTP_PORT"] == str(port["targetPort"])


def receivers(objects: dict[str, Object]) -> Object:
    """The receivers of Jaeger 2."""
    found: Object = yaml.safe_load(objects["ConfigMap/jaeger"]["data"]["config.yaml"])["receivers"]
    return found


@pytest.mark.parametrize("profile", ["default", "minimal"])
def test_jaeger_is_the_default_tracer_of_a_mesh_whose_proxies_send_spans_to_a_provider_alone(profile: str) -> None:
    objects = installed(release="1.30", profile=profile, addons=["jaeger"])
    mesh = mesh_config(objects)
    assert mesh["defaultProviders"]["tracing"] == ["jaeger"]
    (provider,) = [one["opentelemetry"] for one in mesh["extensionProviders"] if one["name"] == "jaeger"]
    name, namespace, _ = provider["service"].split(".", 2)
    service = objects[f"Service/{name}"]
    assert service["metadata"]["namespace"] == namespace
    (port,) = [one for one in service["spec"]["ports"] if one["port"] == provider["port"]]
    assert receivers(objects)["otlp"]["protocols"]["grpc"]["endpoint"].endswith(f":{port['targetPort']}")


def test_a_mesh_of_that_release_without_jaeger_names_no_tracer() -> None:
    assert "tracing" not in mesh_config(installed(release="1.30")).get("defaultProviders", {})


def test_another_tracer_in_the_mesh_config_stays_the_default_one() -> None:
    zipkin = {"name": "z", "zipkin": {"service": "zipkin.example.com", "port": 9411}}
    chosen = {"extensionProviders": [zipkin], "defaultProviders": {"tracing": ["z"]}}
    mesh = mesh_config(installed(release="1.30", addons=["jaeger"], meshConfig=chosen))
    assert (mesh["extensionProviders"], mesh["defaultProviders"]["tracing"]) == ([zipkin], ["z"])


def test_a_tracer_of_the_proxies_in_the_mesh_config_is_the_only_one() -> None:
    chosen = {"defaultConfig": {"tracing": {"zipkin": {"address": "zipkin.example.com:9411"}}}}
    mesh = mesh_config(installed(release="1.30", addons=["jaeger"], meshConfig=chosen))
    assert "tracing" not in mesh.get("defaultProviders", {})


def test_other_providers_stay_beside_jaeger() -> None:
    authorizer = {"name": "a", "envoyExtAuthzGrpc": {"service": "a.example.com", "port": 9000}}
    mesh = mesh_config(installed(release="1.30", addons=["jaeger"], meshConfig={"extensionProviders": [authorizer]}))
    assert [one["name"] for one in mesh["extensionProviders"]] == ["a", "jaeger"]


def test_grafana_asks_loki_only_where_loki_is_installed() -> None:
    files = [
        yaml.safe_load(objects["ConfigMap/grafana"]["data"]["datasources.yaml"])["datasources"]
        for objects in (everything("1.30"), addons("1.30", prometheus=True, grafana=True))
    ]
    found = [{source["name"]: source["url"] for source in sources} for sources in files]
    assert found[0]["Loki"] == "http://loki.istio-system:3100"
    assert set(found[1]) == {"Prometheus"}


@pytest.mark.parametrize(
    ("config", "percent"), [({"profile": "demo"}, "100"), ({}, "1"), ({"pilot": {"traceSampling": 12.5}}, "12.5")]
)
def test_the_profile_demo_samples_all_traces_and_default_one_in_a_hundred_unless_sampling_is_set(
    config: dict[str, object], percent: str
) -> None:
    assert env(pod(installed(**config), "istiod")["containers"][0])["PILOT_TRACE_SAMPLING"] == percent


# Safe by default


@each_release
def test_no_addon_is_reachable_from_outside_by_default(release: str) -> None:
    objects, before = everything(release), installed(release=release, profile="demo")
    ours = {name: m for name, m in objects.items() if name not in before}
    assert {m["spec"]["type"] for m in ours.values() if m["kind"] == "Service"} == {"ClusterIP"}
    assert not {m["kind"] for m in ours.values()} & {"Gateway", "VirtualService", "Ingress"}


@each_release
def test_grafana_requires_a_login_by_default(release: str) -> None:
    variables = {v["name"]: v for v in container(everything(release), "grafana")["env"]}
    assert variables["GF_AUTH_ANONYMOUS_ENABLED"]["value"] == "false"
    assert variables["GF_USERS_ALLOW_SIGN_UP"]["value"] == "false"
    assert "value" not in variables["GF_SECURITY_ADMIN_PASSWORD"]


@each_release
def test_kiali_is_read_only_by_default(release: str) -> None:
    objects = everything(release)
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


@each_release
def test_kialis_signing_key_is_in_a_secret_and_not_in_its_configuration(release: str) -> None:
    objects = everything(release)
    assert kiali(objects)["auth"]["strategy"] == "token"
    assert "login_token" not in kiali(objects)
    assert "Secret/kiali-signing-key" in objects


def test_kiali_1_reads_its_signing_key_from_the_environment() -> None:
    key = next(v for v in container(everything(), "kiali")["env"] if v["name"] == "LOGIN_TOKEN_SIGNING_KEY")
    assert key["valueFrom"]["secretKeyRef"] == {"name": "kiali-signing-key", "key": "signing-key"}


def test_kiali_2_reads_its_signing_key_from_the_file_where_it_looks_for_one() -> None:
    objects = everything("1.30")
    (mounted,) = [m for m in container(objects, "kiali")["volumeMounts"] if m["name"] == "kiali-signing-key"]
    (volume,) = [v for v in pod(objects, "kiali")["volumes"] if v["name"] == mounted["name"]]
    (file,) = volume["secret"]["items"]
    assert f"{mounted['mountPath']}/{file['path']}" == "/kiali-override-secrets/login-token-signing-key/value.txt"
    assert (volume["secret"]["secretName"], file["key"]) == ("kiali-signing-key", "signing-key")


def test_loki_reads_no_secrets_and_nothing_of_other_namespaces_by_default() -> None:
    objects = everything("1.30")
    rules = {name: m["rules"] for name, m in objects.items() if "Role/" in name and "loki" in name}
    assert rules == {"Role/loki": [{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get", "watch", "list"]}]}
    assert env(containers(objects, "loki")[1])["RESOURCE"] == "configmap"


def restricted(pod: Object, container: Object) -> bool:
    """Whether a container meets Kubernetes' Pod Security Standard `restricted`."""
    both = {**pod.get("securityContext", {}), **container.get("securityContext", {})}
    return (
        both.get("runAsNonRoot") is True
        and both.get("seccompProfile") == {"type": "RuntimeDefault"}
        and both.get("allowPrivilegeEscalation") is False
        and both.get("capabilities") == {"drop": ["ALL"]}
        and not any("hostPath" in volume for volume in pod["volumes"])
    )


@pytest.mark.parametrize("name", of_release("1.30"))
def test_pods_of_todays_addons_meet_the_standard_restricted(name: str) -> None:
    found = template(everything("1.30"), name)["spec"]
    assert [restricted(found, one) for one in found["containers"]] == [True] * len(found["containers"])


def test_insecure_demo_logs_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    render.record("x", {"mesh:addons": json.dumps({"prometheus": True, "insecureDemo": True})})
    assert "Use it on a laptop only" in caplog.text


@pytest.mark.parametrize(
    ("host", "words"),
    [("p.example.com", ["has no login", "is not encrypted"]), ({"name": "p.a", "certificate": "c"}, ["has no login"])],
)
def test_a_host_without_login_or_certificate_logs_a_warning(
    host: object, words: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    render.record("x", {"mesh:addons": json.dumps({"prometheus": {"host": host}})})
    said = [record.message for record in caplog.records if "mesh:addons.prometheus.host" in record.message]
    assert [any(word in text for text in said) for word in words] == [True] * len(said)


@each_release
def test_a_password_is_in_its_secret_only(release: str) -> None:
    known = {"grafanaPassword": "correct-horse", "kialiSigningKey": "battery-staple"}
    given = {f"{SECRETS}:{key}": value for key, value in known.items()}
    chosen = {"mesh:release": release, "mesh:profile": "demo", "mesh:addons": json.dumps(of_release(release))}
    recorded = render.record("x", {**chosen, **given})
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


@each
def test_every_container_requests_cpu_and_memory(release: str, name: str) -> None:
    for one in containers(everything(release), name):
        assert set(one["resources"]["requests"]) == {"cpu", "memory"}, one["name"]


@each
def test_no_addon_gets_a_sidecar(release: str, name: str) -> None:
    metadata = template(everything(release), name)["metadata"]
    said = {**metadata.get("labels", {}), **metadata.get("annotations", {})}
    assert said["sidecar.istio.io/inject"] == "false"


@each
def test_an_addons_services_select_its_pods(release: str, name: str) -> None:
    objects = everything(release)
    labels = template(objects, name)["metadata"]["labels"]
    services = [m["spec"]["selector"] for m in objects.values() if m["kind"] == "Service"]
    found = [selector for selector in services if selector.items() <= labels.items()]
    assert len(found) == {"jaeger": 3, "loki": 3}.get(name, 1)


# What can be set


def changed(release: str = releases.DEFAULT) -> dict[str, Object]:
    """Addons with every setting changed."""
    images: dict[str, dict[str, Any]] = {name: {"image": f"registry.example/{name}:1"} for name in of_release(release)}
    for name in set(STORING) & set(images):
        images[name]["persistence"] = {"size": "5Gi", "storageClass": "fast"}
    images["prometheus"] |= {"retention": "6h", "host": {"name": "p.example.com", "certificate": "p-tls"}}
    images["jaeger"] |= {"retention": "12h", "host": "jaeger.example.com"}
    images["grafana"] |= {"host": "grafana.example.com"}
    return addons(release, **images)


STORING = ["prometheus", "grafana", "jaeger", "loki"]
STORES = [(release, name) for release, name in EACH if name in STORING]


@each
def test_an_image_in_the_settings_replaces_the_default(release: str, name: str) -> None:
    assert container(changed(release), name)["image"] == f"registry.example/{name}:1"


@pytest.mark.parametrize(("addon", "key"), [("prometheus", "reloadImage"), ("loki", "rulesImage")])
def test_the_image_of_the_container_beside_an_addons_can_be_set(addon: str, key: str) -> None:
    objects = addons("1.30", **{addon: {key: "registry.example/beside:1"}})
    assert containers(objects, addon)[1]["image"] == "registry.example/beside:1"


@each_release
def test_prometheus_keeps_its_data_for_the_configured_retention(release: str) -> None:
    assert "--storage.tsdb.retention.time=6h" in container(changed(release), "prometheus")["args"]


def test_jaeger_1_keeps_traces_for_the_configured_retention() -> None:
    assert env(container(changed(), "jaeger"))["BADGER_SPAN_STORE_TTL"] == "12h"


def test_jaeger_2_keeps_traces_for_the_configured_retention() -> None:
    texts = [objects["ConfigMap/jaeger"]["data"]["config.yaml"] for objects in (changed("1.30"), everything("1.30"))]
    stores = [yaml.safe_load(text)["extensions"]["jaeger_storage"]["backends"]["badger_storage"] for text in texts]
    assert [store["badger"].get("ttl") for store in stores] == [{"spans": "12h"}, None]


def test_every_part_of_jaegers_pipeline_is_defined() -> None:
    found = yaml.safe_load(everything("1.30")["ConfigMap/jaeger"]["data"]["config.yaml"])
    pipeline = found["service"]["pipelines"]["traces"]
    assert set(found["service"]["extensions"]) == set(found["extensions"])
    for part in ("receivers", "processors", "exporters"):
        assert set(pipeline[part]) == set(found[part])
    backend = found["exporters"]["jaeger_storage_exporter"]["trace_storage"]
    assert backend in found["extensions"]["jaeger_storage"]["backends"]
    assert found["extensions"]["jaeger_query"]["storage"]["traces"] == backend


def test_jaegers_services_lead_to_ports_that_it_listens_on() -> None:
    objects = everything("1.30")
    text = objects["ConfigMap/jaeger"]["data"]["config.yaml"]
    by_default = {16685, 16686}
    listening = {int(port) for port in re.findall(r"0\.0\.0\.0:(\d+)", text)} | by_default
    services = [objects[f"Service/{name}"]["spec"]["ports"] for name in ("tracing", "zipkin", "jaeger-collector")]
    assert {port["targetPort"] for ports in services for port in ports} <= listening


@pytest.mark.parametrize(("release", "name"), STORES)
def test_persistence_stores_data_in_a_persistent_volume_claim(release: str, name: str) -> None:
    objects = changed(release)
    claim = objects[f"PersistentVolumeClaim/{name}"]["spec"]
    assert (claim["resources"]["requests"]["storage"], claim["storageClassName"]) == ("5Gi", "fast")
    volumes = template(objects, name)["spec"]["volumes"]
    claims = [v["persistentVolumeClaim"] for v in volumes if "persistentVolumeClaim" in v]
    assert claims == [{"claimName": name}]


@pytest.mark.parametrize(("release", "name"), [case for case in STORES if case[1] != "loki"])
def test_with_persistence_the_old_pod_of_a_deployment_ends_before_a_new_one_starts(release: str, name: str) -> None:
    strategy = changed(release)[f"Deployment/{name}"]["spec"]["strategy"]
    assert strategy["rollingUpdate"] == {"maxSurge": 0, "maxUnavailable": 1}


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


@pytest.mark.parametrize(("release", "key"), [("1.10", "url"), ("1.30", "external_url")])
def test_kiali_links_to_the_hosts_of_the_other_addons(release: str, key: str) -> None:
    found = kiali(changed(release))["external_services"]
    assert found["grafana"][key] == "http://grafana.example.com"
    assert found["tracing"][key] == "http://jaeger.example.com"
    assert key not in kiali(everything(release))["external_services"]["tracing"]


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
