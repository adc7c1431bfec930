"""The pod of an Istio 1.10 gateway with a Deployment of its own."""

from __future__ import annotations

from typing import Any

from mesh.releases.release import Installation
from tests.releases import RELEASE

Object = dict[str, Any]
NAME = "istio-ingressgateway"


def gateway(spec: Object | None = None, **values: Any) -> Object:
    """The pod of the ingress gateway; `spec` has its values, `values` those of the mesh, `global_` for `global`."""
    differences = {name.rstrip("_"): value for name, value in values.items()} | {"gateways": {NAME: spec or {}}}
    mesh = Installation(release=RELEASE, values=RELEASE.values("default", differences))
    return RELEASE.gateway_pod(mesh, NAME, mesh.values.gateways[NAME])["spec"]


def env(container: Object) -> dict[str, str]:
    return {variable["name"]: variable.get("value", "") for variable in container["env"]}


def names(parts: list[Object]) -> list[str]:
    return [part["name"] for part in parts]


def test_a_gateway_has_container_ports_for_its_ports_and_for_metrics() -> None:
    ports = [{"name": "http", "port": 80, "targetPort": 8080}, {"name": "dns", "port": 5353, "protocol": "UDP"}]
    [container] = gateway({"ports": ports})["containers"]
    listed = [(port["containerPort"], port["protocol"]) for port in container["ports"]]
    assert listed == [(8080, "TCP"), (5353, "UDP"), (15090, "TCP")]


def test_a_gateway_does_not_run_as_root_and_has_no_capabilities() -> None:
    pod = gateway()
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["containers"][0]["securityContext"] == {
        "privileged": False,
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert env(pod["containers"][0])["ISTIO_META_UNPRIVILEGED_POD"] == "true"


def test_a_gateway_that_runs_as_root_has_no_security_context() -> None:
    pod = gateway({"runAsRoot": True})
    assert "securityContext" not in pod
    assert "securityContext" not in pod["containers"][0]
    assert "ISTIO_META_UNPRIVILEGED_POD" not in env(pod["containers"][0])


def test_a_gateway_of_a_revision_connects_to_the_istiod_of_that_revision() -> None:
    pod = gateway(revision="canary", global_={"istioNamespace": "mesh"})
    assert env(pod["containers"][0])["CA_ADDR"] == "istiod-canary.mesh.svc:15012"
    assert {"name": "istio-canary", "optional": True} in [volume.get("configMap") for volume in pod["volumes"]]


def test_the_address_of_a_custom_certificate_authority_replaces_istiods() -> None:
    assert env(gateway(global_={"caAddress": "ca.example.org:443"})["containers"][0])["CA_ADDR"] == "ca.example.org:443"


def test_an_empty_log_level_is_not_passed() -> None:
    assert not [
        arg
        for arg in gateway(global_={"proxy": {"componentLogLevel": ""}})["containers"][0]["args"]
        if "Component" in arg
    ]
    assert "--proxyComponentLogLevel=misc:error" in gateway()["containers"][0]["args"]


def test_first_party_tokens_need_no_volume() -> None:
    assert "istio-token" in names(gateway()["volumes"])
    assert "istio-token" not in names(gateway(global_={"jwtPolicy": "first-party-jwt"})["volumes"])


def test_the_mesh_id_defaults_to_the_trust_domain() -> None:
    assert env(gateway(meshConfig={"trustDomain": "td"})["containers"][0])["ISTIO_META_MESH_ID"] == "td"
    assert (
        env(gateway(meshConfig={"trustDomain": "td"}, global_={"meshID": "m"})["containers"][0])["ISTIO_META_MESH_ID"]
        == "m"
    )


def test_the_network_in_the_environment_of_a_gateway_wins() -> None:
    [container] = gateway({"env": {"ISTIO_META_NETWORK": "own"}}, global_={"network": "everyone"})["containers"]
    assert [v["value"] for v in container["env"] if v["name"] == "ISTIO_META_NETWORK"] == ["own"]
    assert env(gateway(global_={"network": "everyone"})["containers"][0])["ISTIO_META_NETWORK"] == "everyone"


def test_annotations_of_a_gateway_are_reported_as_json() -> None:
    [container] = gateway({"podAnnotations": {"b": "2", "a": "1"}})["containers"]
    assert env(container)["ISTIO_METAJSON_ANNOTATIONS"] == '{"a":"1","b":"2"}\n'


def test_a_full_image_reference_replaces_hub_and_tag() -> None:
    assert gateway(hub="h", tag="t")["containers"][0]["image"] == "h/proxyv2:t"
    full = "example.org/proxy@sha256:0"
    assert gateway(global_={"proxy": {"image": full}}, hub="h")["containers"][0]["image"] == full


def test_the_image_pull_policy_is_set_only_if_the_values_have_one() -> None:
    assert "imagePullPolicy" not in gateway()["containers"][0]
    assert gateway(global_={"imagePullPolicy": "Always"})["containers"][0]["imagePullPolicy"] == "Always"


def test_each_mount_has_a_volume_and_a_config_map_without_a_path_is_not_mounted() -> None:
    extra, more = ({"name": name, "configMapName": name} for name in ("extra", "more"))
    pod = gateway({"configVolumes": [extra, more | {"mountPath": "/more"}]}, global_={"mountMtlsCerts": True})
    mounted = names(pod["containers"][0]["volumeMounts"])
    assert set(names(pod["volumes"])) - set(mounted) == {"extra"}
    assert set(mounted) <= set(names(pod["volumes"]))
    assert {"ingressgateway-certs", "ingressgateway-ca-certs", "istio-certs", "more"} <= set(mounted)


def test_core_dumps_need_a_privileged_init_container() -> None:
    [container] = gateway(global_={"proxy": {"enableCoreDump": True}})["initContainers"]
    assert container["command"] == ["/bin/sh"]
    assert container["securityContext"] == {
        "privileged": True,
        "runAsUser": 0,
        "runAsGroup": 0,
        "runAsNonRoot": False,
    }
    assert "initContainers" not in gateway()


def test_a_gateway_gets_its_pod_and_owner_from_the_environment() -> None:
    [container] = gateway()["containers"]
    fields = {v["name"]: v["valueFrom"]["fieldRef"]["fieldPath"] for v in container["env"] if "valueFrom" in v}
    assert fields == {
        "NODE_NAME": "spec.nodeName",
        "POD_NAME": "metadata.name",
        "POD_NAMESPACE": "metadata.namespace",
        "INSTANCE_IP": "status.podIP",
        "HOST_IP": "status.hostIP",
        "SERVICE_ACCOUNT": "spec.serviceAccountName",
        "CANONICAL_SERVICE": "metadata.labels['service.istio.io/canonical-name']",
        "CANONICAL_REVISION": "metadata.labels['service.istio.io/canonical-revision']",
    }
    owner = "kubernetes://apis/apps/v1/namespaces/istio-system/deployments/istio-ingressgateway"
    assert env(container)["ISTIO_META_OWNER"] == owner
