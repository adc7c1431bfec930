"""`make import` of an IstioOperator and of the Istio on a cluster, then `make preview` and `make adopt`. Each test
continues from the previous one."""

from __future__ import annotations

import json
import re
from typing import Any

import yaml

from mesh import releases
from tests.e2e.conftest import SECOND_IS_LONG, Checkout, counts

pytestmark = SECOND_IS_LONG
TEAM = "STACK=team"
ROOT = "--namespace=istio-system"
BY_HAND = {"spec": {"template": {"spec": {"enableServiceLinks": False}}}}
"""A field of istiod's pods that no setting of either release has."""


def operator(release: str) -> dict[str, Any]:
    """What a team has in its repository."""
    return {
        "apiVersion": "install.istio.io/v1alpha1",
        "kind": "IstioOperator",
        "spec": {
            "profile": "default",
            "tag": releases.get(release).version,
            "meshConfig": {"accessLogFile": "/dev/stdout", "outboundTrafficPolicy": {"mode": "REGISTRY_ONLY"}},
            "components": {
                "pilot": {"k8s": {"resources": {"requests": {"cpu": "50m"}}}},
                "ingressGateways": [
                    {
                        "name": "istio-ingressgateway",
                        "enabled": True,
                        "k8s": {"serviceAnnotations": {"service.beta.kubernetes.io/aws-load-balancer-type": "nlb"}},
                    },
                    {"name": "internal", "enabled": True, "label": {"app": "internal", "istio": "internal"}},
                ],
            },
        },
    }


def written(checkout: Checkout) -> dict[str, Any]:
    """The config of the imported stack."""
    content = yaml.safe_load((checkout.root / "stacks" / "Pulumi.team.yaml").read_text())
    found: dict[str, Any] = content["config"]
    return found


def test_a_team_s_operator_becomes_a_stack(checkout: Checkout, before: set[str]) -> None:
    assert before
    (checkout.root / "operator.yaml").write_text(yaml.safe_dump(operator(checkout.as_cloned.settings.release)))
    text = checkout.run("make", "--silent", "import", "FROM=operator.yaml", TEAM)
    assert "everything was carried over" in text
    assert written(checkout)["mesh:meshConfig"]["outboundTrafficPolicy"] == {"mode": "REGISTRY_ONLY"}


def test_what_stands_with_a_change_by_hand_differs_from_it(checkout: Checkout) -> None:
    checkout.install(checkout.rendered("team"))
    checkout.kubectl("patch", "deployment/istiod", ROOT, f"--patch={json.dumps(BY_HAND)}")
    checkout.kubectl("wait", "--for=condition=Available", "deployment", "--all", ROOT, "--timeout=60s")
    text = checkout.run("make", "parity", TEAM, f"CONTEXT={checkout.context}", code=2)
    assert "spec.template.spec.enableServiceLinks: " in text
    assert "1 difference; " in text


def test_the_cluster_is_imported_with_it(checkout: Checkout) -> None:
    source = f"FROM=context:{checkout.context}"
    assert "stacks/Pulumi.team.yaml exists" in checkout.run("make", "import", source, TEAM, code=None)
    earlier = written(checkout)
    text = checkout.run("make", "--silent", "import", source, TEAM, "FORCE=1")
    assert "everything was carried over" in text
    found = written(checkout)
    assert found.pop("mesh:patches") == [{"object": "Deployment istio-system/istiod", "merge": BY_HAND}]
    assert found == earlier, (found, earlier)
    assert "no difference; " in checkout.run("make", "parity", TEAM, f"CONTEXT={checkout.context}")


def test_a_preview_goes_on_and_says_what_has_to_come_first(checkout: Checkout) -> None:
    text = checkout.run("make", "preview", TEAM, f"CONTEXT={checkout.context}")
    assert "warning: mesh-" in text
    assert "already has an Istio that this stack did not install" in text
    assert "`make adopt` takes it over" in text
    assert re.search(r"\+ \d+ to create", text), text
    refused = checkout.run("make", "up", TEAM, f"CONTEXT={checkout.context}", code=None)
    assert "error: mesh-" in refused
    assert "already has an Istio that this stack did not install" in refused


def test_a_preview_goes_on_where_values_differ(checkout: Checkout) -> None:
    file = checkout.root / "stacks" / "Pulumi.team.yaml"
    content = file.read_text()
    file.write_text(content.replace("REGISTRY_ONLY", "ALLOW_ANY"))
    text = checkout.run("make", "preview", TEAM, f"CONTEXT={checkout.context}")
    assert re.search(r"\+ \d+ to create", text), text
    file.write_text(content)


def test_it_is_adopted_without_a_change(checkout: Checkout, before: set[str]) -> None:
    specs = ("get", "deployments", ROOT, "--output=jsonpath={.items[*].spec}")
    present = checkout.kubectl(*specs)
    assert "adopted: " in checkout.run("make", "adopt", TEAM, f"CONTEXT={checkout.context}")
    assert checkout.kubectl(*specs) == present
    flags = "ARGS=--refresh --expect-no-changes"
    found = counts(checkout.run("make", "preview", TEAM, f"CONTEXT={checkout.context}", flags))
    assert re.fullmatch(r"Resources: \d+ unchanged", found), found
    checkout.run("make", "down", TEAM, f"CONTEXT={checkout.context}")
    assert checkout.objects() == before
