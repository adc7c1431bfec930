"""Kubelet probes and Prometheus scraping of an injected pod, redirected to the agent in the sidecar.

Both come from outside the mesh, so the application cannot be reached directly.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from mesh.proxy.annotations import BOOLEANS, STATUS_PORT
from mesh.proxy.proxy import CONTAINER
from mesh.proxy.text import go_json

PROBES: Final = {"readinessProbe": "readyz", "livenessProbe": "livez", "startupProbe": "startupz"}
"""By kind of probe, the agent's path below /app-health/<container>/."""
ACTION_FIELDS: Final = ("path", "port", "host", "scheme", "httpHeaders")
"""Fields of an HTTP probe in the order in which Kubernetes serializes them."""
REWRITE: Final = "sidecar.istio.io/rewriteAppHTTPProbers"
REWRITE_SETTING: Final = "sidecarInjectorWebhook.rewriteAppHTTPProbe"
MERGE: Final = "prometheus.istio.io/merge-metrics"
SCRAPING: Final = ("scrape", "path", "port")


def boolean_annotation(annotations: Mapping[str, str], name: str, default: bool) -> bool:
    """The value of a boolean annotation; the default if it is missing or not a boolean."""
    value = annotations.get(name)
    return default if value not in BOOLEANS else value in BOOLEANS[: len(BOOLEANS) // 2]


def merge_metrics(pod: dict[str, Any], proxy: dict[str, Any], port: int) -> None:
    """Points Prometheus at the agent, which merges the application's metrics with the proxy's.

    The agent finds the application's metrics by environment variable `ISTIO_PROMETHEUS_ANNOTATIONS`.
    """
    annotations = pod["metadata"]["annotations"]
    own = {name: annotations.get(f"prometheus.io/{name}", "") for name in SCRAPING}
    if own["port"] == str(port):
        return  # the pod's own annotations point at the agent already
    if any(own.values()):
        proxy["env"].append({"name": "ISTIO_PROMETHEUS_ANNOTATIONS", "value": go_json(own)})
    merged = {"scrape": "true", "path": "/stats/prometheus", "port": str(port)}
    annotations.update({f"prometheus.io/{name}": value for name, value in merged.items()})


def rewrite(pod: dict[str, Any], proxy: dict[str, Any], port: int) -> None:
    """Points kubelet's HTTP probes at the agent, which forwards them: kubelet has no certificate of the mesh.

    The agent finds the original probes in environment variable `ISTIO_KUBE_APP_PROBERS`.
    """
    target = _status_port(pod["metadata"]["annotations"], port)
    originals: dict[str, Any] = {}
    for container in pod["spec"]["containers"]:
        if container["name"] == CONTAINER:
            continue
        for kind, path in PROBES.items():
            probe = container.get(kind) or {}
            if action := probe.get("httpGet"):
                url = f"/app-health/{container['name']}/{path}"
                if original := _original(container, probe, port):
                    originals[url] = original
                scheme = {"scheme": "HTTP"} if action.get("scheme") == "HTTPS" else {}
                container[kind] = {**probe, "httpGet": {**action, "path": url, "port": target, **scheme}}
    if originals:
        value = go_json(dict(sorted(originals.items())))
        proxy["env"].append({"name": "ISTIO_KUBE_APP_PROBERS", "value": value})


def _status_port(annotations: Mapping[str, str], default: int) -> int:
    return int(annotations.get(STATUS_PORT, default))


def _original(container: Mapping[str, Any], probe: Mapping[str, Any], status_port: int) -> dict[str, Any] | None:
    """The probe that the agent forwards; None if the container has no port of that name, or it is the agent's own."""
    names = {port["name"]: port["containerPort"] for port in container.get("ports") or () if port.get("name")}
    port = probe["httpGet"]["port"]
    number = names.get(port) if isinstance(port, str) else port
    if number in (None, status_port):
        return None
    action = {**probe["httpGet"], "port": number}
    timeout = {"timeoutSeconds": probe["timeoutSeconds"]} if probe.get("timeoutSeconds") else {}
    return {"httpGet": {name: action[name] for name in ACTION_FIELDS if action.get(name)}, **timeout}
