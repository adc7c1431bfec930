"""Live proxies with certificates: what pilot reads, command lines of agents, and the files that the kubelet mounts."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cluster.client import Answer
from sandbox import SandboxError
from sandbox.live import agent, capture, kubelet, proxies, registry, sync, translate
from sandbox.live.folder import Folder
from sandbox.live.plan import Identity, Plan
from sandbox.live.programs import Binaries, programs
from sandbox.live.snapshot import Snapshot
from tests.fake_api import FakeApi, status
from tests.sandbox.snapshots import GATEWAY_PORTS, INGRESS, REVIEWS, custom, pod, seen, service
from tests.sandbox.snapshots import PLAN as WITHOUT

PLAN = replace(WITHOUT, identity=Identity("istiod-blue", "east"))
ISTIOD = {
    "metadata": {"name": "istiod-blue", "namespace": "istio-system"},
    "spec": {"clusterIP": "127.77.3.4", "ports": []},
}
TOKENS = "POST /api/v1/namespaces/default/serviceaccounts/bookinfo-reviews/token"
V1 = REVIEWS[0]


def injected(uid: str = "1", **labels: str) -> dict[str, Any]:
    """A ready pod of reviews v1 with a sidecar."""
    made = pod({**V1.labels, "security.istio.io/tlsMode": "istio", **labels})
    named = {**made["metadata"], "name": f"reviews-{uid}", "uid": uid}
    return {**made, "metadata": named, "status": made["status"], "spec": {"serviceAccountName": "bookinfo-reviews"}}


def snapshot(*pods: dict[str, Any], mesh_config: str = "") -> Snapshot:
    services = [service("reviews"), ISTIOD]
    return replace(seen(mesh_config=mesh_config), services=services, pods=pods)


def test_a_plan_with_identity_survives_a_round_trip_through_its_file() -> None:
    assert Plan.of(json.loads(PLAN.text)) == PLAN


def test_objects_about_identity_are_applied_and_none_is_left_out(folder: Folder) -> None:
    mutual = {"host": "reviews", "trafficPolicy": {"tls": {"mode": "ISTIO_MUTUAL"}}}
    callers = {"rules": [{"from": [{"source": {"principals": ["cluster.local/ns/default/sa/page"]}}]}]}
    objects = (
        custom("DestinationRule", mutual),
        custom("AuthorizationPolicy", callers),
        custom("PeerAuthentication", {"mtls": {"mode": "STRICT"}}),
    )
    made = sync.objects(seen(*objects), PLAN, folder)
    specs = {one["kind"]: one["spec"] for one in made}
    assert specs["DestinationRule"] == mutual
    assert specs["AuthorizationPolicy"] == callers
    assert specs["PeerAuthentication"] == {"mtls": {"mode": "STRICT"}}
    assert len([one for one in made if one["kind"] == "PeerAuthentication"]) == 1
    assert translate.left_out(seen(*objects), PLAN) == {}


@pytest.mark.parametrize(
    ("deployed", "made"),
    [
        ("trustDomain: example.org", {"trustDomain": "example.org"}),
        ("enableAutoMtls: false", {"enableAutoMtls": False}),
        ("", {}),
    ],
)
def test_pilot_has_the_mesh_configs_fields_about_certificates(deployed: str, made: dict[str, Any]) -> None:
    found = translate.mesh_config(seen(mesh_config=deployed), PLAN)
    assert {key: found[key] for key in translate.OF_CERTIFICATES if key in found} == made


def test_callers_expect_the_account_of_the_pods_that_an_endpoint_stands_for() -> None:
    [entry] = registry.entries(snapshot(injected()), PLAN)
    [endpoint] = entry["spec"]["endpoints"]
    assert endpoint["serviceAccount"] == "bookinfo-reviews"
    assert endpoint["labels"]["security.istio.io/tlsMode"] == "istio"


def test_callers_use_no_mutual_tls_for_gateways_as_their_pods_are_not_labelled_for_it() -> None:
    edge = {**pod(dict(INGRESS.labels), INGRESS.namespace), "spec": {"serviceAccountName": "edge"}}
    at = replace(seen(service(INGRESS.name, INGRESS.namespace, GATEWAY_PORTS)), pods=[edge])
    [entry] = registry.entries(at, PLAN)
    [endpoint] = entry["spec"]["endpoints"]
    assert endpoint["labels"]["security.istio.io/tlsMode"] == "disabled"


def test_an_envoy_asks_its_agent_for_certificates() -> None:
    clusters = {one["name"]: one for one in proxies.bootstrap(PLAN, V1)["static_resources"]["clusters"]}
    [lb] = clusters["sds-grpc"]["load_assignment"]["endpoints"][0]["lb_endpoints"]
    assert lb["endpoint"]["address"] == {"pipe": {"path": "./var/run/secrets/workload-spiffe-uds/socket"}}
    without = proxies.bootstrap(WITHOUT, V1)["static_resources"]["clusters"]
    assert [one["name"] for one in without] == ["xds-grpc"]


def test_http_is_marked_within_mutual_tls_and_only_there() -> None:
    [one] = capture.http_marks(PLAN)
    assert one["metadata"]["namespace"] == "istio-system", "it is for all proxies"
    assert [patch["match"]["context"] for patch in one["spec"]["configPatches"]] == ["SIDECAR_OUTBOUND", "GATEWAY"]
    assert "istio-http/1.1,istio" in json.dumps(one)
    assert list(capture.http_marks(WITHOUT)) == []


def command(at: Snapshot, folder: Folder) -> dict[str, str]:
    """The environment variables in an agent's command line."""
    words = agent.command(at, PLAN, V1, folder, Path("/bin/agent"), Path("/envoy.json"))
    assert words[:2] == ("/usr/bin/env", "-i")
    return dict(word.split("=", 1) for word in words[2 : words.index("/bin/agent")])


def test_an_agent_asks_the_istiod_of_its_control_plane_as_its_workloads_account(folder: Folder) -> None:
    given = command(snapshot(injected()), folder)
    assert json.loads(given["PROXY_CONFIG"])["discoveryAddress"] == "127.77.3.4:15012"
    assert given["ISTIOD_SAN"] == "istiod-blue.istio-system.svc"
    assert given["SERVICE_ACCOUNT"] == "bookinfo-reviews"
    assert given["ISTIO_META_CLUSTER_ID"] == "east"
    assert given["TRUST_DOMAIN"] == "cluster.local"


def test_an_agent_has_the_mesh_configs_settings_of_certificates_and_no_others(folder: Folder) -> None:
    metadata = {"SECRET_TTL": "1m", "ISTIO_META_DNS_CAPTURE": "true", "CA_ADDR": "elsewhere:1"}
    config = json.dumps({"trustDomain": "example.org", "defaultConfig": {"proxyMetadata": metadata}})
    given = command(snapshot(injected(), mesh_config=config), folder)
    assert (given["SECRET_TTL"], given["TRUST_DOMAIN"]) == ("1m", "example.org")
    assert not {"ISTIO_META_DNS_CAPTURE", "CA_ADDR"} & given.keys()


def test_without_istiods_service_it_is_said_where_certificates_should_come_from(folder: Folder) -> None:
    with pytest.raises(SandboxError, match="no Service istiod-blue in namespace istio-system"):
        command(replace(snapshot(), services=[]), folder)


def test_a_proxy_without_a_pod_waits_for_its_certificate_and_nobody_waits_for_it(folder: Folder) -> None:
    built = Binaries(Path("/bin/pilot"), Path("/bin/envoy"), Path("/bin/agent"))
    made = {one.name: one for one in programs(snapshot(injected()), PLAN, folder, built)}
    assert made["live-proxy-reviews-v1"].health == "/ready"
    assert made["live-proxy-reviews-v2"].health is None
    folder.tidy(one.command for one in made.values())
    assert len(list(folder.root.glob("reviews-*.json"))) == 3, "the bootstrap configurations are still there"


def test_an_envoy_ends_with_its_agent_even_if_that_is_killed(folder: Folder) -> None:
    folder.envoy.write_text(agent.envoy(Path("/bin/sleep")))
    folder.envoy.chmod(0o700)
    start = (
        f"import subprocess, time; print(subprocess.Popen(['{folder.envoy}', '60']).pid, flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", start], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout
        child = int(parent.stdout.readline())
        deadline = time.monotonic() + 5
        while Path(f"/proc/{child}/comm").read_text() != "sleep\n":
            assert time.monotonic() < deadline
            time.sleep(0.01)
        parent.kill()
    while _runs(child):
        assert time.monotonic() < deadline, "it outlives its parent"
        time.sleep(0.01)


def _runs(number: int) -> bool:
    try:
        return Path(f"/proc/{number}/stat").read_text().split()[2] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def token(uid: str, issued: float, lifetime: float = 1000) -> Answer:
    """The API server's answer with a token for a pod."""
    claims = {"iat": issued, "exp": issued + lifetime, "kubernetes.io": {"pod": {"uid": uid}}}
    payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return Answer(201, {"status": {"token": f"head.{payload}.{uid}"}})


def mounted(api: FakeApi, folder: Folder, *pods: dict[str, Any]) -> str:
    """The token of reviews v1 after the kubelet's part; empty if there is none."""
    kubelet.mount(api, snapshot(*pods), PLAN, folder)
    file = folder.pod(V1.name) / kubelet.TOKEN
    return file.read_text() if file.exists() else ""


def test_a_token_is_for_istiod_and_bound_to_the_pod(folder: Folder) -> None:
    api = FakeApi({TOKENS: token("1", time.time())})
    assert mounted(api, folder, injected("1")).endswith(".1")
    [asked] = [one.body for one in api.asked if one.method == "POST"]
    assert asked
    assert asked["spec"]["audiences"] == ["istio-ca"]
    assert asked["spec"]["boundObjectRef"]["uid"] == "1"
    assert (folder.pod(V1.name) / kubelet.TOKEN).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(("age", "renewed"), [(0, False), (790, False), (810, True)])
def test_a_token_is_renewed_after_four_fifths_of_its_lifetime(folder: Folder, age: int, renewed: bool) -> None:
    api = FakeApi({TOKENS: token("1", time.time() - age)})
    mounted(api, folder, injected("1"))
    mounted(api, folder, injected("1"))
    assert len([one for one in api.asked if one.method == "POST"]) == 1 + renewed


def test_another_pod_gets_another_token_and_without_pods_there_is_none(folder: Folder) -> None:
    api = FakeApi({TOKENS: token("1", time.time())})
    assert mounted(api, folder, injected("1")).endswith(".1")
    api.answers[TOKENS] = token("2", time.time())
    assert mounted(api, folder, injected("2"), injected("1")).endswith(".1")
    assert mounted(api, folder, injected("2")).endswith(".2")
    assert mounted(api, folder) == ""


def test_a_token_that_is_refused_is_said_and_costs_no_other_proxy_its_own(
    folder: Folder, capsys: pytest.CaptureFixture[str]
) -> None:
    second = injected("2")
    second["metadata"]["ownerReferences"][0]["name"] = "reviews-v2-5d8f"
    second["spec"] = {"serviceAccountName": "other"}
    api = FakeApi({TOKENS: status(404, "no account"), TOKENS.replace("bookinfo-reviews", "other"): token("2", 0)})
    assert mounted(api, folder, injected("1"), second) == ""
    assert "no token for reviews-1" in capsys.readouterr().out
    assert (folder.pod("reviews-v2") / kubelet.TOKEN).exists()


def test_istiods_root_certificate_is_mounted_and_no_agent_listens_for_probes(folder: Folder) -> None:
    path = "GET /api/v1/namespaces/default/configmaps/istio-ca-root-cert"
    mounted(FakeApi({path: Answer(200, {"data": {"root-cert.pem": "PEM"}})}), folder)
    assert (folder.pod(V1.name) / kubelet.ROOT).read_text() == "PEM"
    assert (folder.pod(V1.name) / kubelet.ANNOTATIONS).read_text() == 'status.sidecar.istio.io/port="0"\n'


def test_without_identity_nothing_is_mounted(folder: Folder) -> None:
    kubelet.mount(FakeApi(), snapshot(injected()), WITHOUT, folder)
    assert not (folder.root / "pods").exists()
