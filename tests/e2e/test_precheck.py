"""`make precheck` on the embedded cluster: its findings, and whether `up` then behaves as predicted."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.e2e.conftest import Checkout

LIMITED = "limited"
SERVICE = (
    "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {type: NodePort, ports: [{port: 80, nodePort: %d}]}"
)
WEBHOOK = """
apiVersion: admissionregistration.k8s.io/v1
kind: MutatingWebhookConfiguration
metadata: {name: other-agent}
webhooks:
- name: agent.example.com
  clientConfig: {service: {name: agent, namespace: kube-system}}
  rules: [{apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [pods]}]
  sideEffects: None
  admissionReviewVersions: [v1]
"""
NODE = """
apiVersion: v1
kind: Node
metadata: {name: arm-node, labels: {kubernetes.io/arch: arm64}}
status: {allocatable: {cpu: "4", memory: 8Gi, pods: "10"}}
"""


@pytest.fixture(scope="module")
def own(checkout: Checkout, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checkout]:
    """The checkout with a cluster of this module's own, which is not cleaned up."""
    made = replace(checkout, home=tmp_path_factory.mktemp("precheck") / "home")
    made.make("sandbox")
    yield made
    made.run(str(made.root / ".venv/bin/python"), "-m", "sandbox", "reset")


@pytest.fixture(scope="module")
def limited(own: Checkout) -> str:
    """The kubeconfig of a user with a ServiceAccount and no permissions."""
    own.kubectl("create", "serviceaccount", "jo")
    config = json.loads((own.cluster / "kubeconfig").read_text())
    config["users"] = [{"name": "jo", "user": {"token": own.kubectl("create", "token", "jo").strip()}}]
    cluster = config["clusters"][0]["name"]
    config["contexts"] = [{"name": LIMITED, "context": {"cluster": cluster, "user": "jo"}}]
    file = own.home / "limited"
    file.write_text(json.dumps({**config, "current-context": LIMITED}))
    return str(file)


def precheck(own: Checkout, stack: str = "dev", code: int = 0, config: str = "", context: str = "") -> str:
    """The output of precheck, which must exit with `code`. It runs without make, whose exit codes are only 0 and 2."""
    command = (str(own.root / ".venv/bin/python"), "-m", "commands", "precheck", stack)
    text = own.run(*command, code=code, KUBECONFIG=config, CONTEXT=context)
    assert "Traceback" not in text
    return text


def found(text: str) -> dict[str, str]:
    """The level of each check."""
    return dict(re.findall(r"^(\w+(?: \w+)?) +(ok|warning|error)  ", text, re.MULTILINE))


def apply(own: Checkout, manifest: str, name: str) -> Path:
    file = own.home / f"{name}.yaml"
    file.write_text(manifest)
    own.kubectl("apply", "--filename", str(file))
    return file


def test_a_new_cluster_is_ok_in_every_line_and_not_changed(own: Checkout) -> None:
    before = own.objects()
    text = own.make("precheck")
    assert re.match(r"cluster: context mesh-dev, server https://127\.0\.0\.1:\d+\n", text)
    assert set(found(text).values()) == {"ok"}
    assert text.endswith("9 ok, 0 warnings, 0 errors; next: make up\n")
    assert own.objects() == before


def test_each_problem_of_a_cluster_is_found(own: Checkout) -> None:
    files = [apply(own, text, name) for name, text in {"web": SERVICE % 31102, "agent": WEBHOOK, "arm": NODE}.items()]
    own.kubectl("label", "namespace", "default", "pod-security.kubernetes.io/enforce=baseline", "istio-injection=off")
    text = precheck(own, code=1)
    own.kubectl("label", "namespace", "default", "pod-security.kubernetes.io/enforce-", "istio-injection-")
    for file in files:
        own.kubectl("delete", "--filename", str(file))
    levels = found(text)
    assert {name for name, level in levels.items() if level == "error"} == {"objects", "pod security", "node ports"}
    assert {name for name, level in levels.items() if level == "warning"} == {"webhooks", "nodes"}
    assert '.metadata.labels.istio-injection is set by another field manager: conflict with "kubectl-label"' in text
    # The webhook refuses the pod before PodSecurity does, so it is judged by the label.
    assert 'namespace default: pod-security.kubernetes.io/enforce is "baseline", which refuses istio-init' in text
    assert "31102 is the node port of Service default/web" in text
    assert "other-agent, webhook agent.example.com: mutating, failurePolicy Fail, on pods in" in text
    assert "images are for amd64 only: arm-node" in text


def test_what_pod_security_refuses_is_said_in_its_words(own: Checkout) -> None:
    own.kubectl("label", "namespace", "default", "pod-security.kubernetes.io/enforce=baseline")
    text = precheck(own, code=1)
    own.kubectl("label", "namespace", "default", "pod-security.kubernetes.io/enforce-")
    assert {name for name, level in found(text).items() if level == "error"} == {"pod security"}
    assert 'namespace default: violates PodSecurity "baseline:latest"' in text


def test_a_cluster_that_cannot_be_asked_is_one_error_message(own: Checkout, limited: str, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    broken.write_text("contexts: [")
    assert "error loading config file" in precheck(own, "demo", 2, str(broken), "a")
    text = precheck(own, "demo", 2, limited, "limted")
    assert f'did you mean "{LIMITED}"?' in text
    broken.write_text(Path(limited).read_text().replace("https://127.0.0.1:", "https://127.0.0.1:1"))
    assert "the cluster does not answer" in precheck(own, "demo", 2, str(broken), LIMITED)
    own.set("demo", profile="demmo")
    assert 'did you mean "demo"?' in precheck(own, "demo", 2, limited, LIMITED)
    own.reset_files()


def granted(own: Checkout, text: str) -> None:
    """Grants the user the permissions that precheck lists; those in a missing namespace are granted on the cluster."""
    lines = re.findall(r"kubectl auth can-i (\w+) (\S+)(?: --namespace (\S+))? --context \S+(?:  # also (.*))?", text)
    rules: dict[str, list[dict[str, list[str]]]] = {}
    for verb, what, namespace, also in lines:
        resource, _, name = what.partition("/")
        plural, _, group = resource.partition(".")
        verbs = [verb, *filter(None, also.split(", "))]
        rule = {
            "apiGroups": [group],
            "resources": [plural],
            "verbs": verbs,
            **({"resourceNames": [name]} if name else {}),
        }
        rules.setdefault(namespace if namespace == "default" else "", []).append(rule)
    roles = {"apiGroups": ["rbac.authorization.k8s.io"], "resources": ["roles", "clusterroles"]}
    rules[""].append({**roles, "verbs": ["escalate", "bind"]})
    items = []
    for namespace, given in rules.items():
        kind, meta = ("Role", {"namespace": namespace}) if namespace else ("ClusterRole", {})
        head = {"apiVersion": "rbac.authorization.k8s.io/v1", "metadata": {"name": "installer", **meta}}
        subject = {"kind": "ServiceAccount", "name": "jo", "namespace": "default"}
        reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": "installer"}
        items.append({**head, "kind": kind, "rules": given})
        items.append({**head, "kind": f"{kind}Binding", "roleRef": reference, "subjects": [subject]})
    apply(own, json.dumps({"apiVersion": "v1", "kind": "List", "items": items}), "rights")


def elsewhere(own: Checkout, config: str) -> str:
    """A value of KUBECONFIG with several files, the last of which is a copy of this one."""
    other, copy = own.home / "other", own.home / "copy"
    other.write_text(json.dumps({"apiVersion": "v1", "kind": "Config"}))
    copy.write_text(Path(config).read_text())
    return f"{other}:{copy}"


def test_a_user_with_the_listed_permissions_can_install(own: Checkout, limited: str) -> None:
    own.set("demo", bookinfo=False)
    text = precheck(own, "demo", 1, limited, LIMITED)
    assert "system:serviceaccount:default:jo lacks" in text
    assert "kubectl auth can-i create deployments.apps --namespace istio-system --context limited" in text
    granted(own, text)
    levels = found(precheck(own, "demo", 0, limited, LIMITED))
    assert levels["permissions"] == levels["objects"] == levels["owner"] == "ok"
    own.run("make", "--silent", "up", "STACK=demo", KUBECONFIG=limited, CONTEXT=LIMITED)
    text = precheck(own, "demo", 0, limited, LIMITED)
    preview = ("make", "--silent", "preview", "STACK=demo", "ARGS=--expect-no-changes")
    own.run(*preview, KUBECONFIG=elsewhere(own, limited), CONTEXT=LIMITED)
    own.reset_files()
    assert "the mesh on this cluster is this stack's own" in text
    assert "Service istio-system/istio-ingressgateway has an address" in text


def test_the_mesh_of_another_stack_is_an_error(own: Checkout) -> None:
    text = precheck(own, code=1)
    assert found(text)["owner"] == "error"
    assert "already has the mesh of project mesh, stack demo" in text


def test_a_stopped_cluster_is_reported_with_the_command_that_starts_it(own: Checkout) -> None:
    own.make("sandbox-stop")
    assert "`make sandbox` starts it" in precheck(own, code=2)
