"""Workloads whose injected forms are compared with Istio's."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from mesh.proxy import inject
from mesh.releases.release import Installation, Release
from tests.parity import forms
from tests.parity.forms import Form, Forms

Object = dict[str, Any]
STATUS: Final = "sidecar.istio.io/status"
TRAFFIC: Final = "traffic.sidecar.istio.io"


def _workload(name: str, kind: str = "Deployment", **pod: Any) -> Object:
    """A workload with one container; `pod` has further fields of its pods, and their annotations."""
    labels = {"app": name, "version": "v1"}
    notes = pod.pop("annotations", None)
    container = {"name": "app", "image": "example.org/app:1", "ports": [{"name": "http", "containerPort": 9080}]}
    template = {
        "metadata": {"labels": labels, **({"annotations": notes} if notes else {})},
        "spec": {"containers": [container], **pod},
    }
    own: Object = {} if kind == "Job" else {"selector": {"matchLabels": labels}}
    group = "batch" if kind == "Job" else "apps"
    where = {"name": name, "namespace": "default"}
    return {"apiVersion": f"{group}/v1", "kind": kind, "metadata": where, "spec": {**own, "template": template}}


def _probed() -> Object:
    found = _workload("probes")
    found["spec"]["template"]["spec"]["containers"][0] |= {
        "livenessProbe": {"httpGet": {"path": "/healthz", "port": 9080}},
        "readinessProbe": {"httpGet": {"path": "/ready", "port": "http"}},
    }
    return found


def _three_containers() -> Object:
    found = _workload("multi", serviceAccountName="multi")
    pod = found["spec"]["template"]["spec"]
    del pod["containers"][0]["ports"][0]["name"]
    pod["containers"].append({"name": "log", "image": "example.org/log:1"})
    pod["initContainers"] = [{"name": "setup", "image": "example.org/setup:1"}]
    return found


def _database() -> Object:
    found = _workload("db", "StatefulSet")
    found["spec"]["serviceName"] = "db"
    return found


WORKLOADS: Final[Mapping[str, Object]] = {
    "plain": _workload("plain"),
    "excluded-ports-and-ranges": _workload(
        "ports",
        annotations={
            f"{TRAFFIC}/excludeInboundPorts": "8081",
            f"{TRAFFIC}/excludeOutboundPorts": "3306,6379",
            f"{TRAFFIC}/excludeOutboundIPRanges": "169.254.169.254/32",
            f"{TRAFFIC}/includeOutboundIPRanges": "10.0.0.0/8",
        },
    ),
    "hold-application": _workload(
        "hold", annotations={"proxy.istio.io/config": "holdApplicationUntilProxyStarts: true\nconcurrency: 4\n"}
    ),
    "job": _workload("job", "Job", restartPolicy="Never"),
    "log-levels": _workload(
        "logs",
        annotations={"sidecar.istio.io/logLevel": "debug", "sidecar.istio.io/componentLogLevel": "http:trace"},
    ),
    "not-injected-by-annotation": _workload("optout", annotations={"sidecar.istio.io/inject": "false"}),
    "not-injected-host-network": _workload("hostnet", hostNetwork=True),
    "probes-rewritten": _probed(),
    "sidecar-resources": _workload(
        "resources",
        annotations={
            f"sidecar.istio.io/proxy{name}": value
            for name, value in {"CPU": "50m", "CPULimit": "1", "Memory": "64Mi", "MemoryLimit": "512Mi"}.items()
        },
    ),
    "statefulset": _database(),
    "tproxy": _workload("tproxy", annotations={"sidecar.istio.io/interceptionMode": "TPROXY"}),
    "two-containers-with-init": _three_containers(),
}
"""Workloads by the name of their case."""


def injected(release: Release, profile: str, workload: Mapping[str, Any]) -> Object:
    """The workload with the sidecar of a release's profile."""
    mesh = Installation(release=release, values=release.values(profile, {"hub": "docker.io/istio"}))
    values, config = release.injection_values(mesh), release.mesh_config(mesh)
    return inject(workload, release.injector, release.proxy_config, values, config)


def form(workload: Mapping[str, Any], injected: Mapping[str, Any]) -> Forms:
    """The forms of a workload before and after injection."""
    return {"workload": forms.of_manifest(workload, istios=True), "injected": _injected(injected)}


def _injected(workload: Mapping[str, Any]) -> Form:
    """With texts of JSON as data, and with the order of the containers, which start one after the other."""
    pod = workload["spec"]["template"]
    notes = {k: _data(v) for k, v in (pod["metadata"].get("annotations") or {}).items()}
    spec = {**pod["spec"]}
    for group in ("containers", "initContainers"):
        spec[group] = [
            {**c, "env": [{**v, "value": _data(v.get("value"))} for v in c.get("env") or []]}
            for c in spec.get(group) or []
        ]
    template = {"metadata": {**pod["metadata"], "annotations": notes}, "spec": spec}
    whole = {**workload, "spec": {**workload["spec"], "template": template}}
    order = [c["name"] for group in ("initContainers", "containers") for c in spec[group]]
    return {**forms.of_manifest(whole, istios=True), "order": order}


def _data(text: Any) -> Any:
    """The data in a text of JSON, without what is empty; another text as it is."""
    if not (isinstance(text, str) and text.strip().startswith(("{", "["))):
        return text
    try:
        found = json.loads(text)
    except ValueError:
        return text
    return {k: v for k, v in found.items() if v not in (None, "", {}, [])} if isinstance(found, dict) else found
