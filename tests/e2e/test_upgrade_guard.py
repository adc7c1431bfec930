"""What an update must not take from namespaces of others and from objects that are stored: tags, control planes,
versions of definitions. Each test continues from the previous one."""

from __future__ import annotations

import json
import re
from typing import Any, Final

from tests.e2e.conftest import Checkout

NEW: Final = "1-30-3"
ENTRY: Final = {NEW: {"release": "1.30", "profile": "minimal"}}
TAGS: Final = {"stable": "default", "canary": NEW}
SHOP: Final = {
    "apiVersion": "v1",
    "kind": "Namespace",
    "metadata": {"name": "shop", "labels": {"istio.io/rev": "canary"}},
}


def label(checkout: Checkout, value: str) -> None:
    checkout.kubectl("label", "namespace", "shop", f"istio.io/rev={value}", "--overwrite")


def refused(checkout: Checkout) -> str:
    """What an update says that touches nothing."""
    before = checkout.objects()
    text = checkout.make("up", code=None)
    assert "`make up FORCE=1` continues anyway" in text
    assert checkout.objects() == before
    return text


def status(checkout: Checkout) -> dict[str, Any]:
    text = checkout.make("status", "JSON=1")
    found: dict[str, Any] = json.loads(text[text.index("{\n") :])
    return found


def test_the_status_names_control_planes_tags_and_who_asks_by_them(checkout: Checkout) -> None:
    checkout.small(controlPlanes=ENTRY, revisionTags=TAGS, injectedNamespaces=None)
    checkout.make("up")
    checkout.apply(SHOP)
    found = status(checkout)
    assert [(one["revision"], one["version"], one["ready"]) for one in found["control_planes"]] == [
        ("default", "1.10.3", 1),
        (NEW, "1.30.3", 1),
    ]
    assert found["tags"] == TAGS
    shop = next(one for one in found["namespaces"] if one["name"] == "shop")
    assert (shop["label"], shop["tag"], shop["revision"]) == ("istio.io/rev=canary", "canary", NEW)
    assert "namespace shop, by tag canary (1-30-3): 0 pods" in checkout.make("status")


def test_a_tag_does_not_go_while_a_namespace_of_others_names_it(checkout: Checkout) -> None:
    checkout.set(revisionTags={"stable": "default"})
    said = "tag canary would be removed, while 1 namespace asks for sidecars by istio.io/rev=canary: shop."
    assert said in refused(checkout)
    offline = checkout.run(*checkout.command("preview"), MESH_OFFLINE="1")
    assert "it is not known who still uses what the update changes: " in offline
    assert "no webhook answers the label istio.io/rev=canary any more" in offline


def test_it_goes_when_the_namespace_names_another(checkout: Checkout) -> None:
    label(checkout, NEW)
    checkout.make("up")


def test_a_control_plane_does_not_go_while_a_namespace_of_others_names_it(checkout: Checkout) -> None:
    checkout.set(controlPlanes=None, base={"release": "1.30"})
    text = refused(checkout)
    assert f"revision {NEW} would be removed, while 1 namespace asks for sidecars by istio.io/rev={NEW}: shop." in text
    assert "REVISION is one of default, stable" in text
    label(checkout, "stable")
    checkout.make("up")
    assert [one["revision"] for one in status(checkout)["control_planes"]] == ["default"]


def test_definitions_do_not_go_down(checkout: Checkout) -> None:
    checkout.set(base=None)
    text = refused(checkout)
    assert "the definitions of Istio's API on the cluster are those of Istio 1.30" in text
    assert re.search(r"\w+\.istio\.io (serves|has objects stored as) v1", text)
    assert '`mesh:base: { release: "1.30" }` keeps them' in text


def test_a_teardown_names_the_namespaces_of_others_that_would_lose_their_injector(checkout: Checkout) -> None:
    checkout.set(base={"release": "1.30"})
    text = checkout.make("down", code=None)
    assert "tag stable would be removed, while 1 namespace asks for sidecars by istio.io/rev=stable: shop." in text
    checkout.kubectl("label", "namespace", "shop", "istio.io/rev-")
    checkout.make("down")
