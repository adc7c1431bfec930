"""Which cluster a stack is for, and what stands there.

Everything is read before the first resource is registered: through `kubectl`, which knows every way to log in to a
cluster, and from the state that the stack's last update recorded.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import sandbox
from components import api, errors

PROJECT: Final = "mesh/project"
STACK: Final = "mesh/stack"
ID: Final = "mesh/id"
"""Annotations that say whose a namespace of ours is: Pulumi project, stack, and the id of the stack's provider."""
FIELD_MANAGER: Final = "pulumi.com/patchFieldManager"
"""Annotation with the name under which the provider applies an object."""

ADOPT: Final = "MESH_ADOPT"
"""Environment variable by which `make adopt` tells the program what it is about."""

TIMEOUT: Final = 10
"""Seconds that the API server has for an answer."""

_PATHS: Final = {
    "version": "/version",
    "namespaces": "/api/v1/namespaces",
    "nodes": "/api/v1/nodes?limit=1",
    "injectors": "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations",
    "groups": "/apis",
}
_DEFINITIONS: Final = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"


class ClusterError(Exception):
    """The cluster cannot or must not be used; the text says why and what to do."""


class Unreachable(ClusterError):
    """The cluster gave no answer."""


@dataclass(frozen=True)
class Target:
    """A context of a kubeconfig."""

    context: str
    server: str
    kubeconfig: Path | None = None
    """A kubeconfig file other than the user's own."""


@dataclass(frozen=True)
class Survey:
    """What stands on a cluster."""

    target: Target
    uid: str
    """The cluster's identity: the uid of its namespace kube-system, the same as long as its data lives."""
    version: tuple[int, int]
    namespaces: Mapping[str, Mapping[str, str]]
    """The annotations of each namespace."""
    istio: str | None
    """What says that a control plane of Istio is installed, or None."""
    node: str | None
    """Address of the first node: external if it has one, otherwise internal."""
    injectors: frozenset[str] = frozenset()
    """Names of the webhooks that change pods."""
    definitions: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """The annotations of each definition of Istio's API, by name."""


@dataclass(frozen=True)
class Recorded:
    """What the stack's state holds from earlier updates."""

    resources: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Outputs by `type::name`."""

    @property
    def provider(self) -> Mapping[str, Any]:
        return self.resources.get("pulumi:providers:kubernetes::cluster", {})

    @property
    def outputs(self) -> Mapping[str, Any]:
        """The stack's outputs."""
        return next((v for k, v in self.resources.items() if k.startswith("pulumi:pulumi:Stack::")), {})

    def has_namespace(self, name: str) -> bool:
        return f"kubernetes:core/v1:Namespace::{name}" in self.resources

    def has_injector(self, name: str) -> bool:
        return f"kubernetes:admissionregistration.k8s.io/v1:MutatingWebhookConfiguration::{name}" in self.resources

    def owner_id(self, namespace: str) -> str | None:
        """The id that `namespace` was marked with."""
        outputs = self.resources.get(f"kubernetes:core/v1:Namespace::{namespace}", {})
        annotations: Mapping[str, str] = outputs.get("metadata", {}).get("annotations", {})
        return annotations.get(ID)


def offline() -> bool:
    """Whether the user does not want a cluster to be asked: previews against the recorded state, and rendering."""
    return bool(os.environ.get("MESH_OFFLINE"))


def adopting() -> bool:
    """Whether an Istio without a mark is about to be taken over: `make adopt` has compared it with the stack."""
    return bool(os.environ.get(ADOPT))


def target(context: str | None) -> Target:
    """The named context; ClusterError if none is named or there is no such context."""
    kubeconfig = sandbox.kubeconfig() if context == sandbox.CONTEXT else None
    if offline():
        return Target(context or "(none)", "not asked", kubeconfig)
    if kubeconfig and not kubeconfig.exists():
        return Target(sandbox.CONTEXT, "not started", kubeconfig)
    config = json.loads(_kubectl(["config", "view", "-o", "json"], kubeconfig))
    contexts = {c["name"]: c["context"] for c in config.get("contexts") or []}
    if not context:
        have = ", ".join(contexts) or "none"
        raise ClusterError(
            "no cluster is named: set mesh:context in the stack's file, or CONTEXT= on the command line."
            f" Contexts of the kubeconfig: {have}"
        )
    if context not in contexts:
        raise ClusterError(errors.choice("mesh:context", context, contexts))
    servers = {c["name"]: c["cluster"].get("server", "") for c in config.get("clusters") or []}
    return Target(context, servers.get(contexts[context].get("cluster", ""), "unknown"), kubeconfig)


def survey(at: Target) -> Survey:
    """Asks the cluster. Unreachable if it does not answer; ClusterError if it refuses to."""
    if offline():
        raise Unreachable("MESH_OFFLINE is set")
    if at.kubeconfig and not at.kubeconfig.exists():
        raise Unreachable("the embedded cluster has not been started")
    with ThreadPoolExecutor(len(_PATHS)) as pool:
        jobs = {what: pool.submit(get, at, path) for what, path in _PATHS.items()}
    answers = {what: job.result() for what, job in jobs.items()}
    version = answers["version"]
    namespaces = {n["metadata"]["name"]: n["metadata"].get("annotations") or {} for n in answers["namespaces"]["items"]}
    uid = next(n["metadata"]["uid"] for n in answers["namespaces"]["items"] if n["metadata"]["name"] == "kube-system")
    return Survey(
        at,
        uid,
        (int(version["major"]), int(re.sub(r"\D", "", version["minor"]))),
        namespaces,
        _istio(answers),
        _address(answers["nodes"]["items"]),
        frozenset(webhook["metadata"]["name"] for webhook in answers["injectors"]["items"]),
        _definitions(at, answers),
    )


def _istio(answers: Mapping[str, Any]) -> str | None:
    for webhook in answers["injectors"]["items"]:
        meta = webhook["metadata"]
        if any(map(is_istiod, webhook.get("webhooks", []))):
            return f"injection webhook {meta['name']}, {_installer(meta)}"
    return None


def is_istiod(webhook: Mapping[str, Any]) -> bool:
    """Whether it is an istiod that answers an admission webhook."""
    name: str = webhook["clientConfig"].get("service", {}).get("name", "")
    return name.startswith("istiod")


def _definitions(at: Target, answers: Mapping[str, Any]) -> Mapping[str, Mapping[str, str]]:
    """Those that a stack would bring; a killed run leaves any of them."""
    if not any(group["name"].endswith(".istio.io") for group in answers["groups"]["groups"]):
        return {}
    ours = {definition["metadata"]["name"] for definition in api.definitions()}
    every = get(at, _DEFINITIONS)["items"]  # one request: `kubectl get` would make one for each name
    return {
        d["metadata"]["name"]: d["metadata"].get("annotations") or {} for d in every if d["metadata"]["name"] in ours
    }


def _installer(meta: Mapping[str, Any]) -> str:
    labels, annotations = meta.get("labels") or {}, meta.get("annotations") or {}
    if "meta.helm.sh/release-name" in annotations:
        return f"installed by Helm as release {annotations['meta.helm.sh/release-name']}"
    if any("operator.istio.io" in label for label in labels):
        return "installed by istioctl or the Istio operator"
    return "installed by other means"


def _address(nodes: Iterable[Mapping[str, Any]]) -> str | None:
    for node in nodes:
        found = {a["type"]: a["address"] for a in node.get("status", {}).get("addresses", [])}
        return found.get("ExternalIP") or found.get("InternalIP")
    return None


def get(at: Target, path: str) -> Any:
    """The answer of the API server to a GET of `path`, as data. ClusterError if it does not come."""
    try:
        return json.loads(output(at, "get", "--raw", path))
    except ValueError:
        raise ClusterError(f"{at.server} answers, but not as a Kubernetes API server does") from None


def output(at: Target, *args: str) -> str:
    """The output of a kubectl command. Unreachable without an answer; ClusterError if the cluster refuses."""
    return _kubectl(["--context", at.context, *args], at.kubeconfig)


def kubectl(at: Target) -> list[str]:
    """The beginning of a kubectl command for the cluster."""
    return ["kubectl", *_file(at.kubeconfig), "--context", at.context]


def _file(kubeconfig: Path | None) -> list[str]:
    return ["--kubeconfig", str(kubeconfig)] if kubeconfig else []


def _kubectl(args: list[str], kubeconfig: Path | None) -> str:
    command = ["kubectl", *_file(kubeconfig), f"--request-timeout={TIMEOUT}s", *args]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT * 2, check=False)
    except FileNotFoundError:
        raise ClusterError("kubectl is not on PATH: install it, or run `make toolchain`") from None
    except subprocess.TimeoutExpired:
        raise Unreachable(f"no answer within {TIMEOUT * 2} s") from None
    if done.returncode == 0:
        return done.stdout
    said = done.stderr.strip().splitlines()[-1:] or ["kubectl failed without a word"]
    if "Error from server" in said[0] or "must be logged in" in said[0] or "provide credentials" in said[0]:
        raise ClusterError(f"the cluster refuses: {said[0]}")
    raise Unreachable(said[0])
