"""Objects of Istio's API that are checked against the stack's release."""

from typing import Any

import pytest

from mesh.analysis.analyse import analyse
from mesh.analysis.objects import Object
from mesh.core.names import MeshNames

TO = [{"destination": {"host": "reviews"}}]


def thing(kind: str, version: str, **spec: Any) -> dict[str, Any]:
    return {"apiVersion": version, "kind": kind, "metadata": {"name": "a", "namespace": "shop"}, "spec": spec}


def invalid(release: str, *manifests: dict[str, Any]) -> list[str]:
    """The findings that objects are not valid in a release."""
    found = analyse([Object.read(manifest) for manifest in manifests], MeshNames(release=release))
    return [f"{one.path}: {one.text}" for one in found if one.code == "IST0106"]


def routes(version: str, **route: Any) -> dict[str, Any]:
    return thing("VirtualService", f"networking.istio.io/{version}", hosts=["reviews"], http=[route])


def test_a_version_that_the_release_does_not_serve_is_found() -> None:
    assert invalid("1.10", routes("v1", route=TO)) == [
        ": Istio 1.10 does not serve networking.istio.io/v1 of VirtualService: write networking.istio.io/v1alpha3 or"
        " networking.istio.io/v1beta1"
    ]
    assert invalid("1.30", routes("v1", route=TO), routes("v1beta1", route=TO)) == []


def test_a_kind_that_the_release_lacks_is_found_and_its_fields_are_not() -> None:
    plugin = thing("WasmPlugin", "extensions.istio.io/v1alpha1", url="oci://a/b", phase="AUTHN")
    assert invalid("1.10", plugin) == [": Istio 1.10 has no kind WasmPlugin; 1.30 has it"]
    assert invalid("1.30", plugin) == []


@pytest.mark.parametrize(
    ("manifest", "line"),
    [
        (routes("v1beta1", directResponse={"status": 404}), "http[0].directResponse: Istio 1.10 has no such field"),
        (
            thing(
                "DestinationRule",
                "networking.istio.io/v1beta1",
                host="reviews",
                trafficPolicy={"loadBalancer": {"simple": "LEAST_REQUEST"}},
            ),
            'trafficPolicy.loadBalancer.simple: Istio 1.10 has no value "LEAST_REQUEST" here',
        ),
    ],
)
def test_a_field_or_value_that_the_release_lacks_is_found_with_the_releases_that_have_it(
    manifest: dict[str, Any], line: str
) -> None:
    assert invalid("1.10", manifest) == [f"{line}; 1.30 has it"]
    assert invalid("1.30", manifest) == []


def test_an_object_is_found_invalid_in_the_release_alone_that_refuses_it() -> None:
    halves = routes("v1beta1", route=[{"destination": {"host": host}, "weight": 1} for host in ("reviews", "cart")])
    assert invalid("1.10", halves) == ["http[0].route: the weights of several destinations must add up to 100, not 2"]
    assert invalid("1.30", halves) == []


def test_an_object_that_no_release_accepts_is_found_in_each() -> None:
    for release in ("1.10", "1.30"):
        assert invalid(release, routes("v1beta1")) == ["http[0]: needs route, redirect or delegate"]


OUT = {"hosts": ["*.example.com"], "ports": [{"number": 80, "name": "http", "protocol": "HTTP"}]}
DYNAMIC = {**OUT, "resolution": "DYNAMIC_DNS", "location": "MESH_INTERNAL"}


def described(manifest: dict[str, Any], **metadata: Any) -> dict[str, Any]:
    return {**manifest, "metadata": {**manifest["metadata"], **metadata}}


def entry(**spec: Any) -> dict[str, Any]:
    return thing("ServiceEntry", "networking.istio.io/v1beta1", **spec)


def authorities(name: str) -> dict[str, Any]:
    port = {"port": {"number": 80}, "tls": {"mode": "SIMPLE", "credentialName": name}}
    policy = {"portLevelSettings": [port]}
    return thing("DestinationRule", "networking.istio.io/v1beta1", host="a.b", trafficPolicy=policy)


TRIED = {"annotations": {"istio.io/dry-run": "true"}}
DENYING = thing("AuthorizationPolicy", "security.istio.io/v1beta1", action="DENY", rules=[{}])
PLACE = "trafficPolicy.portLevelSettings[0].tls.credentialName"


@pytest.mark.parametrize(
    ("manifest", "of_1_10", "of_1_30"),
    [
        (described(DENYING, **TRIED), [], []),
        (
            described(DENYING, annotations={"istio.io/dry-run": "yes"}),
            *[['metadata.annotations["istio.io/dry-run"]: "yes" is neither true nor false']] * 2,
        ),
        (
            described(entry(**OUT), **TRIED),
            *[
                [
                    'metadata.annotations["istio.io/dry-run"]: is for AuthorizationPolicies only, not for ServiceEntry:'
                    " leave it out"
                ]
            ]
            * 2,
        ),
        (entry(**OUT, exportTo=[".", "cart"]), [], []),
        (
            entry(**OUT, exportTo=["shop", "."]),
            *[['exportTo: "." is shop, the object\'s own namespace: name it once']] * 2,
        ),
        (
            described(entry(**OUT), annotations={"internal.istio.io/parents": "a"}),
            [],
            [
                'metadata.annotations["internal.istio.io/parents"]: is for objects that istiod creates itself: leave it'
                " out"
            ],
        ),
        (authorities("configmap://shop/a"), [], []),
        (
            authorities("configmap://a"),
            [],
            [f'{PLACE}: "configmap://a" is not a ConfigMap of the rule\'s own namespace: write "configmap://shop/a"'],
        ),
        (
            authorities("configmap://cart/a"),
            [],
            [
                f'{PLACE}: "configmap://cart/a" is not a ConfigMap of the rule\'s own namespace: write'
                ' "configmap://shop/a"'
            ],
        ),
    ],
)
def test_an_object_is_found_invalid_because_of_its_metadata(
    manifest: dict[str, Any], of_1_10: list[str], of_1_30: list[str]
) -> None:
    assert [invalid(release, manifest) for release in ("1.10", "1.30")] == [of_1_10, of_1_30]


def test_names_that_are_looked_up_on_demand_have_no_waypoint() -> None:
    labelled = described(entry(**DYNAMIC), labels={"istio.io/use-waypoint": "way"})
    assert invalid("1.30", labelled) == [
        "location: MESH_INTERNAL with resolution DYNAMIC_DNS has no waypoint: drop the label istio.io/use-waypoint"
    ]
    assert invalid("1.30", described(entry(**DYNAMIC), labels={"istio.io/use-waypoint": "None"})) == []


def test_a_gateway_has_a_name_without_dots() -> None:
    servers = [{"port": {"number": 80, "name": "http", "protocol": "HTTP"}, "hosts": ["*"]}]
    named = described(thing("Gateway", "networking.istio.io/v1beta1", servers=servers), name="a.b")
    assert invalid("1.30", named) == ['metadata.name: "a.b" must not have dots, nor over 63 characters']


def test_of_an_unknown_release_the_default_one_is_meant() -> None:
    assert invalid("", routes("v1", route=TO)) == invalid("1.10", routes("v1", route=TO))
