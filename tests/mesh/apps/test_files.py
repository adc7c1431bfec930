"""Objects of files without a stack: namespaces, places, and what is taken for granted."""

import textwrap

import pytest

from mesh.analysis.analyse import analyse
from mesh.analysis.mesh import Mesh
from mesh.analysis.objects import Object
from mesh.apps import files
from mesh.core.names import DEFAULT_NAMES
from mesh.manifests import ManifestError, parse
from tests import meshes
from tests.meshes import manifest_of, routes, service, to

SHOP = """
    apiVersion: v1
    kind: Service
    metadata: {name: cart}
    spec:
      selector: {app: cart}
      ports:
        - {name: http, port: 80}
    ---
    apiVersion: networking.istio.io/v1beta1
    kind: VirtualService
    metadata:
      name: cart
    spec:
      hosts: [cart]
      http:
        - route:
            - destination:
                host: carts
    """


def read(text: str, file: str = "shop.yaml") -> list[Object]:
    return files.objects(parse(textwrap.dedent(text).lstrip(), file))


def test_an_object_without_a_namespace_is_in_the_default_one() -> None:
    assert [str(obj.ref) for obj in read(SHOP)] == ["Service default/cart", "VirtualService default/cart"]


def test_an_object_of_the_cluster_is_in_no_namespace() -> None:
    text = "{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: a, namespace: b}}"
    assert [str(obj.ref) for obj in read(text)] == ["ClusterRole a"]


@pytest.mark.parametrize("spec", ["[]", "{scope: Cluster}", "{scope: Cluster, names: [a]}", "5"])
def test_a_definition_that_is_malformed_defines_no_kind(spec: str) -> None:
    meta = "apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: a}"
    assert [str(obj.ref) for obj in read(f"{{{meta}, spec: {spec}}}")] == ["CustomResourceDefinition a"]


def test_a_finding_has_the_file_and_the_line_of_the_field() -> None:
    found = {finding.code: finding.origin for finding in analyse(read(SHOP), DEFAULT_NAMES)}
    assert found == {"IST0101": "shop.yaml:18", "MESH0105": "shop.yaml:5"}


def test_a_field_beside_the_spec_has_its_line_too() -> None:
    text = """
        apiVersion: v1
        kind: Namespace
        metadata:
          name: shop
          labels:
            istio-injection: enabled
            istio.io/rev: canary
        """
    (found,) = analyse(read(text), DEFAULT_NAMES)
    assert (found.code, found.origin) == ("IST0123", "shop.yaml:5")


def test_two_objects_of_one_name_are_refused_with_both_places() -> None:
    with pytest.raises(ManifestError) as error:
        read("\n---\n".join([textwrap.dedent(SHOP)] * 2))
    assert str(error.value).splitlines() == [
        "shop.yaml:22: Service default/cart is also in shop.yaml:1: leave one of them out, or name one of the files"
        " alone",
        "shop.yaml:30: VirtualService default/cart is also in shop.yaml:9: leave one of them out, or name one of the"
        " files alone",
    ]


def test_files_lie_on_top_of_other_objects() -> None:
    below = [Object.read(service(name, namespace="default")) for name in ("cart", "front")]
    above = read(SHOP)
    assert files.on_top(below, above) == [below[1], *above]


def test_an_ingress_gateway_and_injection_are_taken_for_granted() -> None:
    made = [meshes.gateway("way-in", meshes.server(80), selector="ingressgateway")]
    made += [meshes.deployment("cart", {"app": "cart"}), service("cart"), routes("cart", to("cart"))]
    made += [manifest_of("PeerAuthentication", "default", {"mtls": {"mode": "STRICT"}})]
    objects = list(map(Object.read, made))
    assumed = files.assumed(Mesh(objects, DEFAULT_NAMES))
    assert [str(obj.ref) for obj in assumed] == [
        "Pod istio-system/istio-ingressgateway",
        "Service istio-system/istio-ingressgateway",
        "Namespace shop",
    ]
    assert {finding.code for finding in analyse(objects, DEFAULT_NAMES)} == {"IST0101", "IST0127", "MESH0201"}
    assert analyse([*objects, *assumed], DEFAULT_NAMES) == []


def test_what_files_say_is_not_taken_for_granted() -> None:
    pod = {"containers": [{"name": "istio-proxy", "image": "auto"}]}
    own = manifest_of("Pod", "own", pod, "istio-system", labels={"istio": "ingressgateway"})
    made = [own, manifest_of("Namespace", "shop"), service("cart")]
    assert files.assumed(Mesh(map(Object.read, made), DEFAULT_NAMES)) == []
