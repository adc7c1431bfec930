"""Installations as stacks: what is read off their objects."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any

import pytest

from cluster import proxy
from cluster.client import Answer, Request
from cluster.target import Target
from commands import installed, render
from commands.stackfiles import CommandError
from mesh.imports import pruning
from tests.fake_api import TARGET

pytestmark = pytest.mark.slow

CONFIG: dict[str, Any] = {
    "profile": "demo",
    "revision": "canary",
    "meshConfig": {"accessLogEncoding": "JSON"},
    "pilot": {"env": {"PILOT_PUSH_THROTTLE": "50"}, "nodeSelector": {"pool": "system"}},
    "gateways": {
        "istio-egressgateway": {"enabled": False},
        "edge": {"labels": {"app": "istio-ingressgateway"}, "autoscaleMin": 2, "serviceAnnotations": {"a": "b"}},
    },
    "global": {"network": "west", "logAsJson": True},
}


def objects(config: dict[str, Any]) -> list[Any]:
    return list(render.manifests(render.record("x", pruning.texts(config))))


def test_an_installation_is_found_again_as_a_stack() -> None:
    found = installed.imported(objects(CONFIG), "mine")
    assert found.left == []
    assert pruning.settings_of(found.config) == pruning.settings_of(CONFIG)


def test_what_no_setting_explains_becomes_patches() -> None:
    listed = objects({"profile": "minimal"})
    istiod = next(one for one in listed if one["kind"] == "Deployment")
    pod = istiod["spec"]["template"]["spec"]
    pod["hostNetwork"] = True
    pod["containers"][0]["terminationMessagePolicy"] = "FallbackToLogsOnError"
    pod["containers"][0]["resources"]["requests"]["ephemeral-storage"] = "1Gi"
    del pod["containers"][0]["readinessProbe"]
    found = installed.imported(listed, "mine")
    assert found.left == []
    (patch,) = found.config["patches"]
    assert patch["object"] == "Deployment istio-system/istiod"
    (container,) = patch["merge"]["spec"]["template"]["spec"].pop("containers")
    assert patch["merge"]["spec"]["template"]["spec"] == {"hostNetwork": True}
    assert container.keys() == {"name", "readinessProbe", "terminationMessagePolicy"}
    assert container["readinessProbe"] is None


def test_what_cannot_be_patched_is_listed() -> None:
    listed = objects({"profile": "minimal"})
    istiod = next(one for one in listed if one["kind"] == "Deployment")
    istiod["spec"]["template"]["spec"]["hostNetwork"] = True
    istiod["spec"]["selector"]["matchLabels"]["team"] = "a"
    (left, _) = installed.imported(listed, "mine").left
    assert (left.path, left.why) == (
        "Deployment istio-system/istiod",
        "spec.selector.matchLabels.team differs from the stack",
    )


@pytest.mark.parametrize(
    ("image", "said"),
    [
        ("docker.io/istio/pilot:1.17.2", r"mine is Istio 1.17.2, which is not supported: the releases are 1.10, 1.30"),
        ("docker.io/istio/pilot:mine", r"mine: there is no istiod whose image or labels name its release"),
    ],
)
def test_an_installation_of_an_unknown_release_is_refused(image: str, said: str) -> None:
    listed = objects({"profile": "minimal"})
    istiod = next(one for one in listed if one["kind"] == "Deployment")
    istiod["spec"]["template"]["spec"]["containers"][0]["image"] = image
    with pytest.raises(CommandError, match=said):
        installed.imported([istiod], "mine")


class Standing:
    """An API server on which these objects stand."""

    def __init__(self, objects: Sequence[Any]) -> None:
        self.resources: dict[str, dict[str, Any]] = {}
        self.collections: dict[str, list[Any]] = {}
        for one in objects:
            version, kind, meta = one["apiVersion"], one["kind"], one["metadata"]
            root = f"/apis/{version}" if "/" in version else f"/api/{version}"
            plural, place = PLURALS.get(kind, f"{kind.lower()}s"), meta.get("namespace")
            inside = f"{root}/namespaces/{place}" if place else root
            served = {"kind": kind, "name": plural, "namespaced": bool(place)}
            self.resources.setdefault(root, {})[kind] = served
            for at in {root, inside}:
                self.collections.setdefault(f"{at}/{plural}", []).append(one)

    def ask(self, request: Request) -> Answer:
        path = request.path.partition("?")[0]
        if path in self.resources:
            return Answer(200, {"resources": [*self.resources[path].values()]})
        if path in self.collections:
            return Answer(200, {"items": self.collections[path]})
        collection, _, name = path.rpartition("/")
        found = [one for one in self.collections.get(collection, ()) if one["metadata"]["name"] == name]
        return Answer(200, found[0]) if found else Answer(404)


PLURALS = {"NetworkPolicy": "networkpolicies"}


def test_what_stands_on_a_cluster_is_found_in_every_namespace(monkeypatch: pytest.MonkeyPatch) -> None:
    config: dict[str, Any] = {
        "profile": "default",
        "gateways": {"edge": {"namespace": "edge", "autoscaleMax": 9}},
        "cni": {"enabled": True, "namespace": "kube-system"},
        "namespaces": {"edge": "existing", "kube-system": "existing"},
    }
    canary = next(one for one in objects({"profile": "minimal", "revision": "canary"}) if one["kind"] == "Deployment")
    monkeypatch.setattr(Target, "named", lambda _: TARGET)
    monkeypatch.setattr(proxy, "connect", lambda _: nullcontext(Standing([*objects(config), canary])))
    found = installed.of_context("here")
    assert pruning.settings_of(found.config) == pruning.settings_of(config)
    (left,) = found.left
    assert (left.path, left.why) == (
        "Deployment istio-system/istiod-canary",
        "belongs to a further control plane: see mesh:controlPlanes",
    )
