"""The policies, in a mesh that complies with all of them and in meshes that violate one."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from commands import policy, stackfiles
from mesh import releases
from mesh.analysis import violations
from mesh.analysis.mesh import Mesh
from mesh.analysis.objects import Object
from mesh.analysis.policies import POLICIES, UNUSED_SUPPRESSION, access, release
from mesh.config import loading
from mesh.config.settings import SettingsError
from mesh.core.names import DEFAULT_NAMES
from tests import meshes
from tests.releases import RELEASE

LIMITS = {"limits": {"cpu": "1", "memory": "1Gi"}}
DIGEST = "app@sha256:" + "0" * 64
RELEASES = [releases.get(name) for name in releases.NAMES]
ALL = {"mesh:policies": '{"all": "advisory"}'}


def pod(**more: Any) -> dict[str, Any]:
    return {"name": "app", "image": DIGEST, "resources": LIMITS, **more}


def front(**container: Any) -> meshes.Manifest:
    """A workload of the good mesh, with other settings of its container."""
    return meshes.deployment("front", {"app": "front", "version": "v1"}, containers=[pod(**container)])


def kept() -> list[meshes.Manifest]:
    """The good mesh, with digests and limits."""
    objects = meshes.valid_mesh()
    for thing in objects:
        if thing["kind"] == "Deployment":
            for container in thing["spec"]["template"]["spec"]["containers"]:
                container.update(image=DIGEST, resources=LIMITS)
    return objects


def found(*changes: meshes.Manifest, **config: str) -> list[tuple[str, str]]:
    """Codes and objects of what is said of the mesh with these objects in it."""
    named = {(thing["kind"], thing["metadata"]["name"]): thing for thing in [*kept(), *changes]}
    settings = loading.load({**ALL, **{f"mesh:{key}": value for key, value in config.items()}}).settings
    mesh = Mesh([Object.read(manifest) for manifest in named.values()], settings.mesh_names)
    violated = violations.find(mesh, RELEASE, settings.policies, settings.analysis.suppress)
    return [(finding.code, str(finding.ref)) for finding in violated]


def access_policy(action: str, **operation: list[str]) -> Object:
    spec = {"action": action, "rules": [{"to": [{"operation": operation}]}]}
    return Object.read(meshes.manifest_of("AuthorizationPolicy", "front", spec))


def config_map(name: str, text: str) -> meshes.Manifest:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "c", "namespace": "shop"},
        "data": {name: text},
    }


def grafana(enabled: str) -> meshes.Manifest:
    return front(env=[{"name": "GF_AUTH_ANONYMOUS_ENABLED", "value": enabled}])


FRONT = "Deployment shop/front"


def test_a_mesh_that_complies_with_every_policy_has_no_violations() -> None:
    assert found() == []


def test_an_image_with_only_a_tag_is_a_violation() -> None:
    assert found(front(image="app:1.0")) == [("MESH0302", FRONT)]


def test_an_image_that_the_injector_sets_is_no_violation() -> None:
    assert found(front(image="auto")) == []


def test_a_container_without_a_memory_limit_is_a_violation() -> None:
    assert found(front(resources={"limits": {"cpu": "1"}})) == [("MESH0305", FRONT)]


@pytest.mark.parametrize(("enabled", "expected"), [("true", [("MESH0301", FRONT)]), ("false", [])])
def test_anonymous_access_to_grafana_is_a_violation(enabled: str, expected: list[tuple[str, str]]) -> None:
    assert found(grafana(enabled)) == expected


@pytest.mark.parametrize(
    ("name", "text", "count"),
    [
        ("grafana.ini", "[auth.anonymous]\nenabled = true\norg_role = Admin\n", 1),
        ("grafana.ini", "[auth.anonymous]\nenabled = false\n", 0),
        ("other.ini", "not = in a section", 0),
        ("config.yaml", "auth: {strategy: anonymous}", 1),
        ("config.yaml", "auth: {strategy: token}  # not anonymous", 0),
        ("config.yaml", "auth: [anonymous", 0),
    ],
)
def test_a_config_file_that_allows_anonymous_access_is_a_violation(name: str, text: str, count: int) -> None:
    assert found(config_map(name, text)) == [("MESH0301", "ConfigMap shop/c")] * count


@pytest.mark.parametrize("mode", ["PERMISSIVE", "DISABLE"])
def test_every_workload_that_accepts_plain_text_is_a_violation(mode: str) -> None:
    peers = meshes.manifest_of("PeerAuthentication", "default", {"mtls": {"mode": mode}})
    names = ("cart-v1", "cart-v2", "front")
    assert found(peers) == [("MESH0303", f"Deployment shop/{name}") for name in names]


def test_a_single_port_that_accepts_plain_text_is_a_violation() -> None:
    spec = {
        "selector": {"matchLabels": {"app": "front"}},
        "mtls": {"mode": "STRICT"},
        "portLevelMtls": {"9090": {"mode": "DISABLE"}, "8080": {"mode": "STRICT"}},
    }
    assert found(meshes.manifest_of("PeerAuthentication", "front", spec)) == [("MESH0303", FRONT)]


def ingress(kind: str) -> meshes.Manifest:
    return meshes.service("ingress", None, "istio-system", selector={"istio": "ingress"}, type=kind)


@pytest.mark.parametrize("kind", ["LoadBalancer", "NodePort"])
@pytest.mark.parametrize("host", ["*", "shop/*", "*.example.com"])
def test_a_wildcard_host_at_an_exposed_gateway_is_a_violation(kind: str, host: str) -> None:
    way_in = meshes.gateway("way-in", meshes.server(80, [host]))
    assert found(ingress(kind), way_in) == [("MESH0304", "Gateway shop/way-in")]


def test_a_wildcard_host_at_a_gateway_inside_the_cluster_is_no_violation() -> None:
    assert found(ingress("ClusterIP"), meshes.gateway("way-in", meshes.server(80, ["*"]))) == []


def test_a_wildcard_host_of_a_tcp_server_is_no_violation() -> None:
    assert found(ingress("NodePort"), meshes.gateway("way-in", meshes.server(31400, ["*"], "TCP"))) == []


@pytest.mark.parametrize(
    ("action", "operation", "fields"),
    [
        ("DENY", {"paths": ["/admin"]}, ["paths"]),
        ("DENY", {"paths": ["*/admin"]}, ["paths"]),
        ("DENY", {"paths": ["/admin*"]}, []),
        ("ALLOW", {"notPaths": ["/admin"]}, ["notPaths"]),
        ("ALLOW", {"paths": ["/shop"]}, []),
        ("DENY", {"notPaths": ["/shop"]}, []),
        ("DENY", {"hosts": ["a.example.com", "a.example.com:*"]}, ["hosts", "hosts"]),
        ("DENY", {"hosts": ["a.example.com"]}, ["hosts", "hosts"]),
        ("DENY", {"hosts": ["127.0.0.1", "127.0.0.1:*"]}, []),
        ("ALLOW", {"notHosts": ["*.example.com"]}, ["notHosts"]),
        ("ALLOW", {"hosts": ["a.example.com", "a.example.com:*"]}, []),
        ("ALLOW", {"hosts": ["a.example.com"]}, ["hosts"]),
        ("AUDIT", {"hosts": ["a.example.com"], "paths": ["/admin"]}, []),
        ("DENY", {"methods": ["POST"]}, []),
    ],
)
def test_rules_that_requests_can_bypass_are_violations(
    action: str, operation: dict[str, Any], fields: list[str]
) -> None:
    paths = [finding.path for finding in access.bypassed(access_policy(action, **operation), RELEASE)]
    assert paths == [f"rules[0].to[0].operation.{field}" for field in fields]


def test_rules_are_no_violations_in_a_release_with_the_fix() -> None:
    mended = replace(RELEASE, bulletins=())
    assert (
        list(access.bypassed(access_policy("DENY", paths=["/admin"], hosts=["A.example", "A.example:*"]), mended)) == []
    )


@pytest.mark.parametrize("bulletins", [release.bulletins for release in RELEASES])
def test_hosts_without_a_port_are_a_fault_in_every_release(bulletins: tuple[str, ...]) -> None:
    policy = access_policy("ALLOW", hosts=["127.0.0.1"])
    [found] = access.bypassed(policy, replace(RELEASE, bulletins=bulletins))
    assert found.text == "127.0.0.1 does not match 127.0.0.1 with a port: add 127.0.0.1:*"


@pytest.mark.parametrize(
    ("action", "operation", "texts"),
    [
        ("DENY", {"paths": ["/admin"]}, ["/admin does not match /admin;x, which some servers take for /admin"]),
        ("ALLOW", {"notPaths": ["*/admin"]}, ["*/admin does not match /admin;x, which some servers take for /admin"]),
        ("DENY", {"paths": ["/a*"]}, ["/a* does not match /x/..;y/a, which some servers take for /a"]),
        ("DENY", {"paths": ["*"]}, []),
        ("ALLOW", {"paths": ["/shop"]}, []),
        ("AUDIT", {"paths": ["/admin"]}, []),
    ],
)
def test_parameters_of_a_path_bypass_rules_that_deny_by_paths(
    action: str, operation: dict[str, Any], texts: list[str]
) -> None:
    since = replace(RELEASE, bulletins=("ISTIO-SECURITY-2026-006",))
    found = [
        finding.text.partition(" (CVE-2026-")[0]
        for finding in access.bypassed(access_policy(action, **operation), since)
    ]
    assert found == texts


def test_every_bulletin_of_a_release_is_known() -> None:
    assert {bulletin for release in RELEASES for bulletin in release.bulletins} == access.CHECKS.keys()


LAST_DAYS = [(one.name, one.end_of_life, 0) for one in RELEASES] + [
    (one.name, str(date.fromisoformat(one.end_of_life) + timedelta(1)), 1) for one in RELEASES
]


@pytest.mark.parametrize(("name", "today", "count"), LAST_DAYS)
def test_a_release_is_a_violation_from_the_day_after_its_end_of_life(name: str, today: str, count: int) -> None:
    proxy = meshes.deployment(
        "gateway", {"app": "gateway"}, containers=[pod(image="docker.io/istio/proxyv2:x@sha256:0")]
    )
    mesh = Mesh([Object.read(proxy)], DEFAULT_NAMES)
    found = release.past_end_of_life(mesh, releases.get(name), today=date.fromisoformat(today))
    assert len(list(found)) == count


def test_a_stack_without_istio_does_not_violate_end_of_life() -> None:
    assert list(release.past_end_of_life(Mesh([], DEFAULT_NAMES), RELEASE, today=date(2030, 1, 1))) == []


def entry(code: str, where: str) -> str:
    return f'{{"suppress": [{{"code": "{code}", "object": "{where}", "reason": "for a test"}}]}}'


def test_a_suppressed_violation_is_not_reported() -> None:
    assert found(front(image="app:1.0"), analysis=entry("MESH0302", "Deployment shop/*")) == []


def test_an_unused_suppression_is_a_violation() -> None:
    assert found(analysis=entry("MESH0302", FRONT)) == [("MESH0001", "Stack config")]


def test_an_unused_suppression_of_an_analysis_code_is_ignored() -> None:
    assert found(analysis=entry("IST0118", "Service shop/front")) == []


def test_a_disabled_policy_has_no_violations_and_needs_no_suppressions() -> None:
    off = '{"all": "advisory", "image-without-digest": "disabled"}'
    assert found(front(image="app:1.0"), policies=off, analysis=entry("MESH0302", FRONT)) == []


def test_image_digests_are_not_required_by_default() -> None:
    assert found(front(image="app:1.0"), policies="{}") == []


def test_an_unknown_policy_is_refused_with_a_suggestion() -> None:
    with pytest.raises(SettingsError, match='did you mean "missing-limits"'):
        loading.load({"mesh:policies": '{"missing-limit": "mandatory"}'})


def test_every_policy_has_one_check_except_the_one_about_suppressions() -> None:
    looked_for = {code for code, one in POLICIES.items() if bool(one.check_object) != bool(one.check_mesh)}
    assert looked_for | {UNUSED_SUPPRESSION.code} == set(POLICIES)


@pytest.mark.slow
@pytest.mark.parametrize("stack", ["hardened", "today", "production"])
def test_a_shipped_stack_has_no_violations_that_it_does_not_suppress(stack: str) -> None:
    """But that of the end of life, which comes to every release by itself."""
    assert [found for found in policy.findings(stack) if found.code != release.END_OF_LIFE.code] == []


@pytest.mark.slow
@pytest.mark.parametrize("stack", ["hardened", "production"])
def test_a_stack_with_mandatory_policies_fails_without_its_suppressions(
    stack: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    config = {**stackfiles.config(stack), "mesh:analysis": "{}"}
    monkeypatch.setattr(stackfiles, "config", lambda _: config)
    assert policy.run(stack) == 1
    assert "error: MESH0302 Deployment istio-system/istiod" in capsys.readouterr().out


def test_a_stack_with_advisory_policies_does_not_fail(capsys: pytest.CaptureFixture[str]) -> None:
    assert policy.run("demo") == 0
    assert "warning: MESH0304 Gateway default/bookinfo-gateway" in capsys.readouterr().out
