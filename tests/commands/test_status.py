"""`make status` without a mesh of this project, or without an answer of the cluster."""

import json
from contextlib import nullcontext
from dataclasses import replace

import pytest

from cluster import sidecars, survey
from cluster.client import Answer
from cluster.errors import ClusterError, Unreachable
from cluster.survey import Definition, Survey
from cluster.target import Target
from commands import stackfiles, status
from mesh.core import names
from tests.cluster.standing import OLD, REV, cluster, deployment, injector, namespace, pod, proxy, service
from tests.fake_api import SURVEY, TARGET, listing

EMBEDDED = Target("mesh-dev", "https://here")
HELM = "injection webhook istio-sidecar-injector, installed by Helm as release mesh"
DEFINED = "gateways.networking.istio.io"


def said(found: Survey, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], stack: str = "dev") -> str:
    """The output for a cluster without a mesh of this project."""
    monkeypatch.delenv("CONTEXT", raising=False)
    monkeypatch.setattr(Target, "named", lambda _: found.target)
    monkeypatch.setattr(survey, "take", lambda _: found)
    assert status.show(stack) == 1
    return capsys.readouterr().out.partition("\n")[2]


def test_an_empty_cluster_is_shown_with_the_command_that_installs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert said(SURVEY, monkeypatch, capsys) == "mesh      none; `make up STACK=dev` installs it\n"


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (replace(SURVEY, istio=HELM), HELM),
        (replace(SURVEY, definitions={DEFINED: Definition({})}), f"{DEFINED} is defined"),
    ],
)
def test_another_istio_is_shown_with_the_commands_that_compare_and_take_over(
    found: Survey, words: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = said(found, monkeypatch, capsys)
    assert f"another Istio: {words}\n" in text
    assert "`make parity STACK=dev`" in text
    assert "`make adopt STACK=dev`" in text
    assert "make up" not in text, "which is refused"


def test_kept_definitions_of_this_project_are_not_another_istio(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    left = replace(SURVEY, definitions={DEFINED: Definition({names.OWNER_PROJECT: "mesh", names.OWNER_STACK: "dev"})})
    assert "`make up STACK=dev` installs it" in said(left, monkeypatch, capsys)


def test_a_further_revision_is_not_told_to_take_over_another_istio(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    guest = {**stackfiles.config("dev"), "mesh:revision": "canary", "mesh:base": '{"enabled": false}'}
    monkeypatch.setattr(stackfiles, "config", lambda _: guest)
    text = said(replace(SURVEY, istio=HELM), monkeypatch, capsys)
    assert text == "mesh      none; `make up STACK=dev` installs it\n"


@pytest.mark.parametrize(
    ("target", "words"),
    [(EMBEDDED, "connection refused; `make sandbox` starts it"), (TARGET, "connection refused")],
)
def test_only_for_the_embedded_cluster_make_sandbox_is_suggested(
    target: Target, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def take(_: Target) -> Survey:
        raise Unreachable("connection refused")

    monkeypatch.delenv("CONTEXT", raising=False)
    monkeypatch.setattr(Target, "named", lambda _: target)
    monkeypatch.setattr(survey, "take", take)
    with pytest.raises(ClusterError) as error:
        status.show("dev")
    assert str(error.value) == words


def test_make_sandbox_is_not_suggested_offline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MESH_OFFLINE", "1")
    assert status.hint("dev", EMBEDDED) == ""


@pytest.mark.parametrize(
    ("field", "how", "image"),
    [
        ("containers", {}, "proxyv2"),
        ("initContainers", {"restartPolicy": "Always"}, "proxyv2"),
        ("initContainers", {}, None),
    ],
    ids=["a container", "a native sidecar", "an init container that ends"],
)
def test_a_sidecar_is_a_running_container(field: str, how: dict[str, str], image: str | None) -> None:
    meta = {"name": "cart", "namespace": "shop"}
    pod = {"metadata": meta, "spec": {"containers": [], field: [{"name": "istio-proxy", "image": "proxyv2", **how}]}}
    assert [one.image for one in sidecars.among([pod])] == ([image] if image else [])


def test_without_a_mesh_json_has_the_next_commands_and_nothing_else_is_printed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("CONTEXT", raising=False)
    monkeypatch.setattr(Target, "named", lambda _: TARGET)
    monkeypatch.setattr(survey, "take", lambda _: SURVEY)
    assert status.show("dev", as_json=True) == 1
    assert json.loads(capsys.readouterr().out) == {
        "cluster": {"context": "here", "server": "https://here", "kubernetes": "1.33"},
        "mesh": None,
        "next": ["none; `make up STACK=dev` installs it"],
    }


def test_the_whole_status_is_read_with_few_requests_and_is_the_same_as_json(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One control plane, a gateway with a node port, an addon, and a namespace with an old sidecar."""
    gateway = deployment("istio-system", "istio-ingressgateway", "docker.io/istio/proxyv2:1.10.3", {REV: "default"})
    gateway["spec"]["template"]["spec"]["containers"] = [proxy("istiod", "docker.io/istio/proxyv2:1.10.3", "router")]
    istiod = deployment("istio-system", "istiod", "docker.io/istio/pilot:1.10.3", {"app": "istiod", REV: "default"})
    grafana = deployment("istio-system", "grafana", "grafana/grafana:7.4.3")
    hook = injector("istio-sidecar-injector", "istiod", (OLD, "enabled"))
    pods = pod("default", "cart", proxy("istiod", "docker.io/istio/proxyv2:1.10.1"))
    values = {"global": {"hub": "docker.io/istio", "tag": "1.10.3", "proxy": {"image": "proxyv2"}}}
    ways = {"spec": {"type": "NodePort", "ports": [{"name": "http2", "nodePort": 31102}]}}
    there = {"metadata": {"name": "istio-ingressgateway", "namespace": "istio-system"}, **ways}
    api = cluster(istiod, gateway, grafana, service(), hook, namespace("default", **{OLD: "enabled"}), pods)
    root = "/namespaces/istio-system"
    api.answers |= {
        f"GET /apis/apps/v1{root}/deployments": listing(istiod, gateway, grafana),
        f"GET /api/v1{root}/services": listing(there),
        f"GET /api/v1{root}/configmaps/istio-sidecar-injector": Answer(200, {"data": {"values": json.dumps(values)}}),
    }
    mark = {"istio-system": {names.OWNER_PROJECT: "mesh", names.OWNER_STACK: "dev"}}
    monkeypatch.delenv("CONTEXT", raising=False)
    monkeypatch.setattr(Target, "named", lambda _: TARGET)
    monkeypatch.setattr(survey, "take", lambda _: replace(SURVEY, namespaces=mark))
    monkeypatch.setattr("cluster.proxy.connect", lambda _: nullcontext(api))
    assert status.show("dev") == 0
    assert capsys.readouterr().out.splitlines() == [
        "cluster   here, https://here, Kubernetes 1.33",
        "mesh      namespace istio-system, of project mesh, stack dev",
        "          istiod   1/1 ready  docker.io/istio/pilot:1.10.3",
        "          grafana  1/1 ready  grafana/grafana:7.4.3",
        "control   default  1.10.3  1/1 ready  end of life 2022-01-07",
        "gateways  istio-ingressgateway  1/1 ready  docker.io/istio/proxyv2:1.10.3  NodePort  10.0.0.1  http2 31102",
        "sidecars  namespace default: 1 pod, 0 with docker.io/istio/proxyv2:1.10.3",
        "          old: cart-5f6d8-x runs docker.io/istio/proxyv2:1.10.1; restart it",
    ]
    assert len(api.asked) == 8
    assert status.show("dev", as_json=True) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["gateways"][0]["service"]["nodePorts"] == {"http2": 31102}
    assert found["namespaces"][0]["old"] == {"docker.io/istio/proxyv2:1.10.1": ["cart-5f6d8-x"]}
