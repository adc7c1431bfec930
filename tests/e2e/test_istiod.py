"""The real istiod on the embedded cluster of a stack of 1.30: it follows the stack, recovers, and does not stand in the
way of `down`. Each test continues from the previous one."""

from __future__ import annotations

import json
import signal
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from cluster.client import Request, ask_all
from mesh import api, releases
from mesh.analysis.objects import Object
from mesh.analysis.rules import schema
from sandbox.api import Endpoints
from sandbox.network import network
from sandbox.paths import Layout
from sandbox.process import Process
from tests.e2e import deviations
from tests.e2e.conftest import Checkout, with_stacks
from tests.e2e.live import soon
from tests.edges import nearly_valid
from tests.generate import SEED, drawn

pytestmark = with_stacks("today")

EACH = 70
"""Objects of each kind that are drawn."""
SAID = {
    (False, False): "accepted by both",
    (True, True): "refused by both",
    (True, False): "refused on the cluster alone",
    (False, True): "refused by the analysis alone",
}
"""What becomes of an object, by whether the cluster refuses it and whether the analysis does."""
NONSENSE = {
    "apiVersion": "networking.istio.io/v1",
    "kind": "VirtualService",
    "metadata": {"name": "nonsense", "namespace": "default"},
    "spec": {"hosts": ["a.example.com"], "http": [{"route": [{"destination": {"host": "a"}, "weight": -3}]}]},
}


def istiod(checkout: Checkout) -> Process:
    return Process("istiod-default", Layout(checkout.context, checkout.cluster))


def containers(checkout: Checkout, pod: str) -> list[str]:
    """Names of the containers of a new pod in the injected namespace."""
    checkout.kubectl("run", pod, "--image=app", "--namespace=default")
    return checkout.kubectl(
        *("get", "pod", pod, "--namespace=default"),
        "--output=jsonpath={.spec.initContainers[*].name} {.spec.containers[*].name}",
    ).split()


def apply(checkout: Checkout, manifest: dict[str, Any]) -> str:
    """What the API server says of an object that it is asked to create."""
    file = checkout.root.parent / "applied.yaml"
    file.write_text(json.dumps(manifest))
    return checkout.kubectl("apply", "--dry-run=server", "--filename", str(file), code=None)


def ask(checkout: Checkout, manifests: Sequence[dict[str, Any]]) -> list[str]:
    """Why the API server, and istiod behind it, refuse to create each object; empty if they do not."""
    layout = Layout(checkout.context, checkout.cluster)
    kinds = {kind.__name__: kind.names.plural for kind in api.kinds()}
    paths = [f"/apis/{one['apiVersion']}/namespaces/default/{kinds[one['kind']]}?dryRun=All" for one in manifests]
    requests = [Request("POST", path, body) for path, body in zip(paths, manifests, strict=True)]
    answers = ask_all(Endpoints(layout, network(layout, checkout.env)).api, requests)
    return ["" if answer.ok else answer.message for answer in answers]


@pytest.mark.usefixtures("before")
def test_pods_are_injected_and_objects_validated_by_istiod_itself(checkout: Checkout) -> None:
    checkout.small(injectedNamespaces={"default": "existing"})
    checkout.make("up")
    assert containers(checkout, "first")[:2] == ["istio-init", "istio-proxy"]
    assert "weight -3 < 0" in apply(checkout, NONSENSE)


def test_what_the_api_server_or_istiod_refuses_the_analysis_refuses_before(
    checkout: Checkout, record_property: Callable[[str, object], None]
) -> None:
    release = releases.get(checkout.as_cloned.settings.release)
    kinds = [kind for kind in api.kinds() if release.api.of(kind)]
    manifests = [one for kind in kinds for one in drawn(nearly_valid(kind, release), EACH)]
    told: Counter[str] = Counter()
    differences = []
    for manifest, message in zip(manifests, ask(checkout, manifests), strict=True):
        found = [f"{one.path}: {one.text}" for one in schema.refusals(Object.read(manifest), release.name)]
        told[SAID[bool(message), bool(found)]] += 1
        if message and not found and not deviations.is_left_to_others(message):
            differences.append(f"{message}\n{manifest}")
        if not message:
            differences += [f"{one}\n{manifest}" for one in found if not deviations.is_stricter(one)]
    assert not differences, "\n".join(differences)
    assert min(told[SAID[both, both]] for both in (True, False)) > 300
    counted = ", ".join(f"{count} {what}" for what, count in sorted(told.items()))
    record_property("told", f"{len(manifests)} objects, seed {SEED}: {counted}")


def test_a_killed_istiod_is_there_again(checkout: Checkout) -> None:
    first = istiod(checkout).pid
    istiod(checkout).signal(signal.SIGKILL)
    soon(lambda: istiod(checkout).pid != first, 30)
    soon(lambda: "weight -3 < 0" in apply(checkout, NONSENSE), 30)
    assert "istio-proxy" in containers(checkout, "second")


def test_istiod_runs_with_what_its_deployment_says(checkout: Checkout) -> None:
    checkout.small(injectedNamespaces={"default": "existing"}, pilot={"env": {"PILOT_TRACE_SAMPLING": "7"}})
    checkout.make("up")
    soon(lambda: "PILOT_TRACE_SAMPLING=7" in istiod(checkout).command, 30)


def test_a_stopped_cluster_comes_back_with_its_istiod(checkout: Checkout) -> None:
    checkout.make("sandbox-stop")
    assert not istiod(checkout).known
    checkout.make("sandbox")
    assert "istio-proxy" in containers(checkout, "third")


def test_an_istiod_that_is_scaled_to_none_does_not_run_and_down_needs_none(
    checkout: Checkout, before: set[str]
) -> None:
    checkout.kubectl("delete", "pods", "--all", "--namespace=default")
    checkout.kubectl("scale", "deployment/istiod", "--namespace=istio-system", "--replicas=0")
    soon(lambda: not istiod(checkout).known, 30)
    assert "nothing listens at 127." in apply(checkout, NONSENSE)
    checkout.make("down")
    checkout.reset_files()
    assert checkout.objects() == before
