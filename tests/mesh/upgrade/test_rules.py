"""Each rule finds what it is about, and leaves alone what is nearest to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from mesh import releases
from mesh.analysis.objects import Object
from mesh.api.model import wire
from mesh.config import loading
from mesh.core.merge import merged
from mesh.releases.release import Installation
from mesh.upgrade import rules, settings
from mesh.upgrade.changes import Change
from mesh.upgrade.subject import Proxy
from mesh.upgrade.upgrade import findings
from tests.mesh.upgrade.samples import KIALI, ONE, SAMPLES, TWO, Sample, peers, rule, tokens
from tests.meshes import Manifest, deployment, manifest_of, routes, service, to

OLD, NEW = releases.get("1.10"), releases.get("1.30")
SHOP = manifest_of("Namespace", "shop", labels={"istio-injection": "enabled"})


def before(values: Mapping[str, Any], profile: str = "default") -> Installation:
    return Installation(release=OLD, values=OLD.values(profile, values))


def changes(
    objects: Sequence[Manifest] = (), values: Mapping[str, Any] | None = None, after: Mapping[str, Any] | None = None
) -> list[Change]:
    """What changes; `after` are values of the newer installation beside those that it takes over."""
    old = before(values or {})
    new = settings.moved(old, NEW)
    if after:
        new = replace(new, values=NEW.values("default", merged(settings.own(old), after)))
    named = {(one["kind"], one["metadata"]["name"], one["metadata"].get("namespace")): one for one in (SHOP, *objects)}
    return findings([Object.read(one) for one in named.values()], old, new)


def places(found: Sequence[Change], name: str) -> list[str]:
    of_rule = [change for change in found if change.name == name]
    return [f"{place.subject} {place.path}".strip() for change in of_rule for place in change.places]


def names(found: Sequence[Change]) -> set[str]:
    return {change.name for change in found}


def ids(sample: Sample) -> str:
    return sample.name


@pytest.mark.parametrize("sample", SAMPLES, ids=ids)
def test_a_rule_finds_what_it_is_about(sample: Sample) -> None:
    found = changes(sample.hit, merged(sample.settings, sample.hit_settings))
    assert any(place.startswith(sample.place) for place in places(found, sample.name)), places(found, sample.name)


@pytest.mark.parametrize("sample", SAMPLES, ids=ids)
def test_a_rule_leaves_alone_what_is_nearest_to_it(sample: Sample) -> None:
    found = changes(sample.miss, merged(sample.settings, sample.miss_settings))
    assert not [place for place in places(found, sample.name) if place.startswith(sample.place)]


def test_each_difference_has_one_rule_and_each_rule_a_sample() -> None:
    general = {"proxy-versions", "gone-filters", "gone-settings", "gone-variables", "gone-annotations"}
    assert rules.BY_NAME.keys() == NEW.differences.changed.keys()
    assert {sample.name for sample in SAMPLES} == rules.BY_NAME.keys() | general | {"refused-objects"}


@pytest.mark.parametrize("name", sorted(n for n, one in NEW.differences.changed.items() if one.variable))
def test_istiods_variable_that_keeps_the_earlier_behavior_leaves_nothing_to_say(name: str) -> None:
    variable = NEW.differences.changed[name].variable
    assert variable
    sample = next(sample for sample in SAMPLES if sample.name == name)
    values = merged(sample.settings, sample.hit_settings)
    assert name in names(changes(sample.hit, values))
    assert name not in names(changes(sample.hit, values, {"pilot": {"env": dict([variable])}}))


def test_the_compatibility_version_keeps_what_was_changed_since() -> None:
    mirror = [routes("cart", to("cart", mirror={"host": "copy"}))]
    assert "mirror-host" in names(changes(mirror, after={"compatibilityVersion": "1.28"}))
    assert "mirror-host" not in names(changes(mirror, after={"compatibilityVersion": "1.27"}))


def test_what_keeps_the_earlier_behavior_is_said() -> None:
    (found,) = [
        one for one in changes([routes("cart", to("cart", mirror={"host": "copy"}))]) if one.name == "mirror-host"
    ]
    assert 'mesh:pilot.env.DISABLE_SHADOW_HOST_SUFFIX: "false", or mesh:compatibilityVersion: "1.27"' in found.kept


def test_one_who_comes_from_a_later_release_hears_only_of_what_came_after() -> None:
    later = Installation(release=replace(NEW, name="1.28"), values=NEW.values("default"))
    now = Installation(release=NEW, values=NEW.values("default"))
    objects = [SHOP, service("cart"), TWO, deployment("kiali", KIALI)]
    found = findings([Object.read(one) for one in objects], later, now)
    assert names(found) == {"debug-endpoints", "distance"}


def test_nothing_changes_from_a_release_to_itself() -> None:
    now = Installation(release=NEW, values=NEW.values("default"))
    assert findings([Object.read(one) for sample in SAMPLES for one in (SHOP, *sample.hit)], now, now) == []


def test_the_control_planes_own_filters_are_nobodys_concern() -> None:
    labels = {"istio.io/rev": "default"}
    own = [
        manifest_of("EnvoyFilter", name, wire(filter), "istio-system", labels=labels)
        for name, filter in OLD.telemetry_filters(before({}))
    ]
    assert own
    assert not {"proxy-versions", "gone-filters"} & names(changes(own))


def test_retries_of_the_whole_mesh_say_what_happens_to_503() -> None:
    objects = [service("cart"), ONE]
    assert "default-retries" in names(changes(objects))
    policy = {"meshConfig": {"defaultHttpRetryPolicy": {"attempts": 2, "retryOn": "503"}}}
    assert "default-retries" not in names(changes(objects, after=policy))


def test_a_narrow_host_that_is_known_to_be_older_wins_already() -> None:
    wide, narrow = (
        routes("wide", to("cart"), hosts=["*.example.com"]),
        routes("narrow", to("cart"), hosts=["a.example.com"]),
    )
    wide["metadata"]["creationTimestamp"] = "2021-08-02T00:00:00Z"
    for day, expected in (("2021-08-01", False), ("2021-08-03", True)):
        narrow["metadata"]["creationTimestamp"] = f"{day}T00:00:00Z"
        assert ("wildcard-hosts" in names(changes([wide, narrow]))) is expected


def test_kubernetes_before_1_33_keeps_sidecars_beside_the_other_containers() -> None:
    old = before({})
    objects = [Object.read(one) for one in (SHOP, ONE)]
    for version, expected in (((1, 32), False), ((1, 33), True)):
        assert ("native-sidecars" in names(findings(objects, old, settings.moved(old, NEW), version))) is expected


@pytest.mark.parametrize(
    ("version", "severity"), [((1, 31), "refused"), ((1, 32), ""), ((1, 36), ""), ((1, 37), "note")]
)
def test_the_clusters_kubernetes_is_looked_at(version: tuple[int, int], severity: str) -> None:
    old = before({})
    found = [one for one in findings([], old, settings.moved(old, NEW), version) if one.name == "kubernetes"]
    assert [str(one.severity) for one in found] == ([severity] if severity else [])


def test_proxies_that_are_too_old_for_the_newer_istiod_are_named_by_namespace_and_image() -> None:
    now = Installation(release=NEW, values=NEW.values("default"))
    earlier = replace(now, release=replace(NEW, name="1.29"))

    def proxy(name: str, version: str) -> Proxy:
        pod = Object.read({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": "shop"}})
        return Proxy(pod, f"proxyv2:{version or 'mine'}", version)

    some = [proxy("a", "1.9.9"), proxy("b", "1.28.0"), proxy("c", "1.28.0"), proxy("d", "1.29.1"), proxy("e", "")]
    found = [one for one in findings([], earlier, now, proxies=some) if one.name == "old-proxies"]
    assert [([str(place) for place in one.places], one.before) for one in found] == [
        (["Pod shop/a"], "proxies in namespace shop have the image proxyv2:1.9.9"),
        (["Pod shop/b", "Pod shop/c"], "proxies in namespace shop have the image proxyv2:1.28.0"),
    ]
    assert {one.after.partition(" with")[0] for one in found} == {"the Istio project supports no proxy before 1.29"}
    assert "restart them once namespace shop is at the newer control plane" in found[0].remedy


def test_a_leap_over_several_releases_is_said_and_a_step_of_one_is_not() -> None:
    now = Installation(release=NEW, values=NEW.values("default"))
    for name, expected in (("1.28", True), ("1.29", False)):
        earlier = replace(now, release=replace(NEW, name=name))
        assert ("distance" in names(findings([], earlier, now))) is expected


def test_a_workload_whose_policy_is_the_namespaces_is_no_news() -> None:
    selector = {"matchLabels": {"app": "cart"}}
    around = peers("default", "DISABLE")
    assert "workload-mtls" not in names(changes([around, peers("cart", "DISABLE", selector=selector)]))
    unset = peers("cart", "UNSET", selector=selector, portLevelMtls={8080: {"mode": "UNSET"}})
    assert "workload-mtls" not in names(changes([around, unset]))
    assert "workload-mtls" in names(changes([around, peers("cart", "STRICT", selector=selector)]))


def test_addresses_of_keys_that_the_newer_control_plane_blocks_are_no_news() -> None:
    blocked = {"pilot": {"env": {"BLOCKED_CIDRS_IN_JWKS_URIS": "169.254.0.0/16"}}}
    policy = tokens(jwksUri="https://id.example.com/keys")
    assert "key-addresses" in names(changes([policy]))
    assert "key-addresses" not in names(changes([policy], after=blocked))


def test_a_port_with_another_mode_than_the_namespace_is_seen() -> None:
    selector = {"matchLabels": {"app": "cart"}}
    port = peers("cart", "UNSET", selector=selector, portLevelMtls={8080: {"mode": "DISABLE"}})
    assert "workload-mtls" in names(changes([port]))


def test_an_autoscaled_deployment_has_several_endpoints() -> None:
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "cart"}
    scaler = manifest_of("HorizontalPodAutoscaler", "cart", {"maxReplicas": 3, "scaleTargetRef": target})
    assert "default-load-balancer" in names(changes([service("cart"), ONE, scaler]))


def test_a_version_that_the_other_release_does_not_serve_is_refused() -> None:
    cart = {**routes("cart", to("cart")), "apiVersion": "networking.istio.io/v1"}
    old, now = before({}), Installation(release=NEW, values=NEW.values("default"))
    back = findings([Object.read(cart)], now, old)
    assert places(back, "refused-objects") == ["VirtualService shop/cart apiVersion"]
    assert "refused-objects" not in names(findings([Object.read(cart)], now, now))


def test_a_profile_that_is_gone_is_refused() -> None:
    url, address = '{"injectionURL": "https://istiod.example.com/inject"}', '{"remotePilotAddress": "192.0.2.7"}'
    for profile, expected in (("external", ["mesh:profile"]), ("remote", [])):
        config = {"mesh:profile": profile, "mesh:istiodRemote": url, "mesh:global": address}
        old = loading.load(config, None).installation
        assert places(findings([], old, settings.moved(old, NEW)), "gone-profile") == expected


def test_a_namespace_that_may_ask_istiod_is_no_news() -> None:
    kiali = [deployment("kiali", KIALI)]
    allowed = {"pilot": {"env": {"DEBUG_ENDPOINT_AUTH_ALLOWED_NAMESPACES": "shop,till"}}}
    assert "debug-endpoints" in names(changes(kiali))
    assert "debug-endpoints" not in names(changes(kiali, after=allowed))


def test_nobody_in_the_mesh_chooses_among_the_pods_of_a_gateway() -> None:
    proxy = [{"name": "istio-proxy", "image": "proxyv2"}]
    ingress = deployment("way", {"app": "way"}, containers=proxy)
    ingress["spec"]["replicas"] = 2
    assert "default-load-balancer" not in names(changes([service("way"), ingress]))


def test_the_number_of_a_sidecars_threads_is_its_cpu_limit() -> None:
    values = {"global": {"proxy": {"resources": {"limits": {"cpu": "3500m"}}}}}
    (found,) = [one for one in changes([ONE], values) if one.name == "sidecar-threads"]
    assert (found.before, found.after.partition(":")[0]) == (
        "a sidecar has 2 worker threads",
        "it has 4 worker threads",
    )


def test_a_variable_that_every_gateway_of_the_old_release_has_is_not_the_users() -> None:
    assert "gone-variables" not in names(changes())


def test_rules_that_say_the_same_of_several_objects_say_it_once() -> None:
    tls = {"tls": {"mode": "SIMPLE"}}
    (found,) = [one for one in changes([rule("a", tls), rule("b", tls)]) if one.name == "server-certificates"]
    assert [place.subject for place in found.places] == ["DestinationRule shop/a", "DestinationRule shop/b"]
