"""The model of the proxy: as a gateway's own pod, and as values that fold."""

from __future__ import annotations

from typing import Any

import pytest

from mesh import proxy
from mesh.proxy import expr
from mesh.proxy.expr import Expr, Node, wire

Object = dict[str, Any]


def gateway(**args: Any) -> Object:
    return proxy.gateway_pod(proxy.ProxyArgs(name="istio-ingressgateway", **args))


def env(container: Object) -> dict[str, str]:
    return {variable["name"]: variable.get("value", "") for variable in container["env"]}


def names(parts: list[Object]) -> list[str]:
    return [part["name"] for part in parts]


# A gateway's own Deployment


def test_a_gateway_listens_on_its_ports_and_for_prometheus() -> None:
    [container] = gateway(ports=(8080, (5353, "UDP")))["containers"]
    listed = [(port["containerPort"], port["protocol"]) for port in container["ports"]]
    assert listed == [(8080, "TCP"), (5353, "UDP"), (15090, "TCP")]


def test_a_gateway_is_not_root_and_may_nothing() -> None:
    pod = gateway()
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["containers"][0]["securityContext"] == {
        "privileged": False,
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert env(pod["containers"][0])["ISTIO_META_UNPRIVILEGED_POD"] == "true"


def test_a_gateway_as_root_has_no_limits_of_ours() -> None:
    pod = gateway(runAsRoot=True)
    assert "securityContext" not in pod
    assert "securityContext" not in pod["containers"][0]
    assert "ISTIO_META_UNPRIVILEGED_POD" not in env(pod["containers"][0])


def test_a_revision_leads_a_gateway_to_its_own_istiod() -> None:
    pod = gateway(revision="canary", istioNamespace="mesh")
    assert env(pod["containers"][0])["CA_ADDR"] == "istiod-canary.mesh.svc:15012"
    assert {"name": "istio-canary", "optional": True} in [volume.get("configMap") for volume in pod["volumes"]]


def test_a_certificate_authority_of_ones_own_replaces_istiods_address() -> None:
    assert env(gateway(caAddress="ca.example.org:443")["containers"][0])["CA_ADDR"] == "ca.example.org:443"


def test_a_log_level_left_empty_is_not_passed() -> None:
    assert not [arg for arg in gateway(componentLogLevel="")["containers"][0]["args"] if "Component" in arg]
    assert "--proxyComponentLogLevel=misc:error" in gateway()["containers"][0]["args"]


def test_ordinary_service_account_tokens_need_no_volume() -> None:
    assert "istio-token" in names(gateway()["volumes"])
    assert "istio-token" not in names(gateway(jwtPolicy="first-party-jwt")["volumes"])


def test_the_mesh_id_is_the_trust_domain_unless_there_is_one() -> None:
    assert env(gateway(trustDomain="td")["containers"][0])["ISTIO_META_MESH_ID"] == "td"
    assert env(gateway(trustDomain="td", meshID="m")["containers"][0])["ISTIO_META_MESH_ID"] == "m"


def test_a_network_in_a_gateways_own_environment_wins() -> None:
    args = {"network": "everyone", "env": {"ISTIO_META_NETWORK": "own"}}
    [container] = gateway(**args)["containers"]
    assert [v["value"] for v in container["env"] if v["name"] == "ISTIO_META_NETWORK"] == ["own"]
    assert env(gateway(network="everyone")["containers"][0])["ISTIO_META_NETWORK"] == "everyone"


def test_annotations_of_a_gateway_are_reported_as_json() -> None:
    [container] = gateway(podAnnotations={"b": "2", "a": "1"})["containers"]
    assert env(container)["ISTIO_METAJSON_ANNOTATIONS"] == '{"a":"1","b":"2"}\n'


def test_a_full_image_reference_replaces_hub_and_tag() -> None:
    assert gateway(hub="h", tag="t")["containers"][0]["image"] == "h/proxyv2:t"
    assert (
        gateway(image="example.org/proxy@sha256:0", hub="h")["containers"][0]["image"] == "example.org/proxy@sha256:0"
    )


def test_a_pull_policy_is_set_only_where_there_is_one() -> None:
    assert "imagePullPolicy" not in gateway()["containers"][0]
    assert gateway(imagePullPolicy="Always")["containers"][0]["imagePullPolicy"] == "Always"


def test_each_mount_of_a_gateway_has_its_volume_and_a_config_map_may_stay_unmounted() -> None:
    files = proxy.FileVolume(name="extra", source="extra", path="")
    pod = gateway(
        secretVolumes=proxy.certificate_volumes("ingressgateway"),
        configVolumes=(files, proxy.FileVolume(name="more", source="more", path="/more")),
        mountMtlsCerts=True,
    )
    mounted = names(pod["containers"][0]["volumeMounts"])
    assert set(names(pod["volumes"])) - set(mounted) == {"extra"}
    assert set(mounted) <= set(names(pod["volumes"]))
    assert {"ingressgateway-certs", "ingressgateway-ca-certs", "istio-certs", "more"} <= set(mounted)


def test_core_dumps_of_a_gateway_need_a_privileged_init_container() -> None:
    [container] = gateway(enableCoreDump=True)["initContainers"]
    assert container["command"] == ["/bin/sh"]
    assert container["securityContext"] == {
        "privileged": True,
        "runAsUser": 0,
        "runAsGroup": 0,
        "runAsNonRoot": False,
    }
    assert "initContainers" not in gateway()


def test_a_gateway_knows_its_pod_from_the_cluster() -> None:
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


# Values that are known now, or only to the injector


@pytest.mark.parametrize(
    ("function", "args", "known", "text"),
    [
        (expr.join, ("a-", "b", 1, True), "a-b1true", '(printf "a-%v1true" $.x)'),
        (expr.join, ("50%", "b"), "50%b", '(printf "50%%%v" $.x)'),
        (expr.equal, ("a", "b"), False, '(eq "a" $.x)'),
        (expr.differs, ("a", "b"), True, '(ne "a" $.x)'),
        (expr.greater, (2, 1), True, "(gt 2 $.x)"),
        (expr.contains, ("/", "a/b"), True, '(contains "/" $.x)'),
        (expr.either, ("", "b"), "b", '(or "" $.x)'),
        (expr.both, ("a", "b"), "b", '(and "a" $.x)'),
        (expr.value_or, ("", "b"), "b", '(valueOrDefault "" $.x)'),
        (expr.first_of, ("", "b"), "b", '(default $.x "")'),
        (expr.choose, (True, "b", "c"), "b", '(ternary $.x "c" true)'),
    ],
)
def test_a_function_computes_what_is_known_and_writes_down_what_is_not(
    function: Any, args: tuple[Any, ...], known: object, text: str
) -> None:
    assert function(*args) == known
    first, _, *rest = args
    assert function(first, Expr("$.x"), *rest).text == text


def test_a_choice_by_text_asks_whether_the_text_is_empty() -> None:
    chosen = expr.choose(Expr("$.x"), "a", "b")
    assert isinstance(chosen, Expr)
    assert chosen.text == '(ternary "a" "b" (not (not $.x)))'


def test_a_part_is_absent_where_all_of_its_parts_are() -> None:
    model: Node = {"a": {"b": None}, "c": [None, expr.when(False, "x")], "d": {}, "e": [expr.each({}, lambda *_: "x")]}
    assert wire(model) == {"d": {}}


def test_lists_in_a_list_are_spliced_in() -> None:
    assert wire(["a", expr.when(True, ["b", "c"]), expr.each({"k": "v"}, lambda key, value: f"{key}={value}")]) == [
        *("a", "b", "c", "k=v")
    ]


def test_a_model_with_something_unknown_is_no_plain_data() -> None:
    with pytest.raises(TypeError, match="known only to the injector"):
        wire({"a": [Expr("$.x")]})
