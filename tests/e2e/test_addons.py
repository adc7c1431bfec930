"""Addons of each release on its embedded cluster, with the real engine. Each test continues from the previous one."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests import releases
from tests.e2e.conftest import DEFAULT_RELEASE, NO_CHANGES, SECOND_IS_LONG, Checkout, counts

SECRETS = {"grafanaPassword": "grafana", "kialiSigningKey": "kiali-signing-key"}
"""Keys of the stack's config, and the Secrets that hold their values."""


@pytest.fixture(scope="module")
def said() -> list[str]:
    """The output of all commands."""
    return []


@pytest.fixture(scope="module")
def before(checkout: Checkout) -> set[str]:
    """The objects on the cluster before the installation."""
    checkout.make("sandbox")
    closed(checkout)
    return checkout.objects()


def addons(checkout: Checkout) -> list[str]:
    """The names of all addons of the stack's release."""
    return releases.addons(checkout.as_cloned.settings.release)


def closed(checkout: Checkout, **more: object) -> None:
    """A config with all addons, a control plane, and an ingress gateway through which two addons are reached."""
    hosts = {
        "jaeger": {"host": "jaeger.example.com"},
        "grafana": {"host": {"name": "g.example.com", "certificate": "g"}},
    }
    chosen = {**dict.fromkeys(addons(checkout), True), **hosts, **more}
    checkout.set(profile="default", bookinfo=False, addons=chosen)


def workload(checkout: Checkout, name: str) -> dict[str, Any]:
    """The Deployment of an addon, or its StatefulSet."""
    listed = checkout.kubectl("get", "deployments,statefulsets", "--namespace=istio-system", "--output=json")
    [found] = (item for item in json.loads(listed)["items"] if item["metadata"]["name"] == name)
    return dict(found)


@SECOND_IS_LONG
@pytest.mark.usefixtures("before")
def test_up_generates_passwords_and_every_addon_becomes_ready(checkout: Checkout, said: list[str]) -> None:
    said.append(checkout.make("preview"))
    said.append(checkout.make("up"))
    for key in SECRETS:
        assert f"generated mesh-addons:{key}" in said[-1]
    for name in addons(checkout):
        assert workload(checkout, name)["status"]["readyReplicas"] == 1
    routes = checkout.kubectl("get", "gateways,virtualservices", "--namespace=istio-system", "--output=name")
    assert len(re.findall(r"/addon-(?:jaeger|grafana)$", routes, re.MULTILINE)) == 4


@SECOND_IS_LONG
def test_the_mesh_config_sends_spans_to_jaeger(checkout: Checkout) -> None:
    tracer = checkout.pulumi("stack output tracer").splitlines()[-1]
    mesh = checkout.kubectl("get", "configmap", "istio", "--namespace=istio-system", "--output=jsonpath={.data.mesh}")
    assert collector(yaml.safe_load(mesh)) == tracer
    name, namespace = tracer.partition(":")[0].split(".")
    assert checkout.kubectl("get", "service", name, f"--namespace={namespace}", "--output=name") == f"service/{name}\n"


def collector(mesh: Mapping[str, Any]) -> str:
    """The address to which a mesh config sends spans: that of a provider, or of the proxies' own tracer in 1.10."""
    for provider in mesh.get("extensionProviders", []):
        service = provider["opentelemetry"]["service"].removesuffix(".svc.cluster.local")
        return f"{service}:{provider['opentelemetry']['port']}"
    return str(mesh["defaultConfig"]["tracing"]["zipkin"]["address"])


@SECOND_IS_LONG
def test_a_second_up_changes_nothing(checkout: Checkout, said: list[str]) -> None:
    for target in ("preview", "refresh"):
        said.append(checkout.make(target, NO_CHANGES))
        assert re.fullmatch(r"Resources: \d+ unchanged", counts(said[-1])), target
        assert "generated mesh-addons" not in said[-1]


@SECOND_IS_LONG
def test_passwords_are_stored_and_printed_nowhere_unencrypted(checkout: Checkout, said: list[str]) -> None:
    said.append(checkout.make("status"))
    closed(checkout, grafana={"image": "an image that the API server refuses "})
    checkout.set(timeout=20)
    said.append(checkout.make("up", "ARGS=--diff", code=2))
    assert "must not have leading or trailing whitespace" in said[-1]
    closed(checkout)
    checkout.set(timeout=None)
    said.append(checkout.make("up", "ARGS=--diff --skip-preview"))
    said.append(checkout.make("render", "OUT=../rendered"))
    written = [checkout.root.parent / "rendered", checkout.root, checkout.home / "state", checkout.home / "project"]
    files = {file: file.read_bytes() for folder in written for file in plain_files(folder)}
    assert any(b"mesh-addons:grafanaPassword" in content for content in files.values())
    for key, name in SECRETS.items():
        value = held(checkout, name)
        assert len(value) == 32
        get = f'config get mesh-addons:{key} --config-file "$STACK_FILE"'
        assert checkout.pulumi(get).splitlines()[-1] == value, "the cluster has another one than the config"
        for form in (value, base64.b64encode(value.encode()).decode()):
            assert [text for text in said if form in text] == []
            assert [file for file, content in files.items() if form.encode() in content] == []


def plain_files(folder: Path) -> list[Path]:
    return [f for f in folder.rglob("*") if f.is_file() and ".venv" not in f.parts]


def held(checkout: Checkout, secret: str) -> str:
    """The only value of a Secret."""
    text = checkout.kubectl("get", "secret", secret, "--namespace=istio-system", "--output=json")
    (encoded,) = json.loads(text)["data"].values()
    return base64.b64decode(encoded).decode()


@SECOND_IS_LONG
def test_pods_meet_pod_securitys_baseline(checkout: Checkout) -> None:
    label = {"pod-security.kubernetes.io/enforce": "baseline"}
    checkout.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "guarded", "labels": label}})
    bad = {"name": "bad", "spec": {"hostNetwork": True, "containers": [{"name": "a", "image": "a"}]}}
    assert "violates PodSecurity" in tried(checkout, bad["name"], bad["spec"], code=1)  # the judge is there
    for name in addons(checkout):
        pod = workload(checkout, name)["spec"]["template"]["spec"]
        accounts = ("serviceAccount", "serviceAccountName")
        tried(checkout, name, {key: value for key, value in pod.items() if key not in accounts})
    checkout.kubectl("delete", "namespace", "guarded")


def tried(checkout: Checkout, name: object, spec: object, code: int = 0) -> str:
    """The API server's answer to the creation of a pod in a dry run."""
    file = checkout.root.parent / "pod.json"
    metadata = {"name": name, "namespace": "guarded"}
    file.write_text(json.dumps({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}))
    return checkout.kubectl("create", "--dry-run=server", "--filename", str(file), code=code)


@DEFAULT_RELEASE
def test_dashboard_refuses_the_embedded_cluster(checkout: Checkout) -> None:
    text = checkout.make("dashboard", "NAME=grafana", code=None)
    assert "pods of an embedded cluster are simulated" in text


@DEFAULT_RELEASE
def test_pulumi_up_without_the_passwords_is_refused_before_any_change(checkout: Checkout) -> None:
    copy = checkout.root.parent / f"Pulumi.{checkout.stack}.yaml"
    kept = (checkout.home / "project" / copy.name).read_text()
    copy.write_text(re.sub(r"  mesh-addons:\w+:\n    secure: .*\n", "", kept))
    text = checkout.pulumi(f"up --yes --skip-preview --config-file {copy}", code=None)
    assert "mesh-addons:grafanaPassword is not in the stack's config: `make up` generates it" in text
    assert "unchanged" in counts(checkout.make("up", NO_CHANGES))


@DEFAULT_RELEASE
def test_insecure_demo_can_be_turned_on_and_off_again(checkout: Checkout) -> None:
    closed(checkout, insecureDemo=True)
    assert "Use it on a laptop only" in checkout.make("up")
    closed(checkout)
    assert "laptop" not in checkout.make("up")
    checkout.make("preview", "ARGS=--refresh --expect-no-changes")
    checkout.reset_files()


@SECOND_IS_LONG
def test_the_api_server_accepts_adding_a_volume_to_an_existing_addon(checkout: Checkout) -> None:
    closed(checkout, prometheus={"persistence": {"size": "5Gi"}})
    text = checkout.make("preview")
    checkout.reset_files()
    assert "PersistentVolumeClaim" in text
    assert re.search(r"\+ 1 to create\s+~ 1 to update", text)


@SECOND_IS_LONG
def test_down_leaves_nothing_behind(checkout: Checkout, before: set[str]) -> None:
    checkout.make("down")
    assert checkout.objects() == before


@SECOND_IS_LONG
def test_the_work_tree_stays_clean(checkout: Checkout) -> None:
    assert checkout.run("git", "status", "--porcelain") == ""
