"""Installations as stacks: what is read off their objects."""

from __future__ import annotations

from typing import Any

import pytest

from commands import installed, render
from commands.stackfiles import CommandError
from mesh.imports import pruning

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
        "spec.selector.matchLabels.team is not as in the stack",
    )


@pytest.mark.parametrize(
    ("image", "said"),
    [
        ("docker.io/istio/pilot:1.17.2", r"mine is Istio 1.17.2, and the releases here are 1.10, 1.30"),
        ("docker.io/istio/pilot:mine", r"mine: there is no istiod whose image says of which release it is"),
    ],
)
def test_an_installation_of_an_unknown_release_is_refused(image: str, said: str) -> None:
    listed = objects({"profile": "minimal"})
    istiod = next(one for one in listed if one["kind"] == "Deployment")
    istiod["spec"]["template"]["spec"]["containers"][0]["image"] = image
    with pytest.raises(CommandError, match=said):
        installed.imported([istiod], "mine")
