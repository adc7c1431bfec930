"""Kubelet probes and lifecycle hooks of an injected pod, redirected to the agent in the sidecar.

The kubelet is outside the mesh, so it cannot reach the application directly.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from mesh.proxy.annotations import BOOLEANS, STATUS_PORT
from mesh.proxy.proxy import CONTAINER
from mesh.proxy.text import go_json

PROBES: Final = {"readinessProbe": "readyz", "livenessProbe": "livez", "startupProbe": "startupz"}
"""By kind of probe, the agent's path below /app-health/<container>/."""
HOOKS: Final = {"preStop": "prestopz", "postStart": "poststartz"}
"""By lifecycle hook, the agent's path below /app-lifecycle/<container>/."""
ACTION_FIELDS: Final[Mapping[str, tuple[str, ...]]] = {
    "httpGet": ("path", "port", "host", "scheme", "httpHeaders"),
    "tcpSocket": ("port", "host"),
    "grpc": ("port", "service"),
}
"""Fields of a probe's action in the order in which Kubernetes serializes them."""
REWRITE: Final = "sidecar.istio.io/rewriteAppHTTPProbers"
REWRITE_SETTING: Final = "sidecarInjectorWebhook.rewriteAppHTTPProbe"


def boolean_annotation(annotations: Mapping[str, str], name: str, default: bool) -> bool:
    """The value of a boolean annotation; the default if it is missing or not a boolean."""
    value = annotations.get(name)
    return default if value not in BOOLEANS else value in BOOLEANS[: len(BOOLEANS) // 2]


@dataclass(frozen=True, kw_only=True)
class Rewrites:
    """What an injector redirects to the agent, which forwards it: the kubelet has no certificate of the mesh."""

    actions: tuple[str, ...]
    """The actions of probes: `httpGet`, `tcpSocket`, `grpc`."""
    hooks: bool = False
    """Whether lifecycle hooks are also rewritten; they have no `grpc`."""
    init_containers: bool = False
    """Whether those of init containers are also rewritten."""

    def apply(self, pod: dict[str, Any], proxy: dict[str, Any], port: int) -> None:
        """Rewrites the pod's probes and hooks. The agent finds the originals in environment variable
        `ISTIO_KUBE_APP_PROBERS`. Its port is `port`, unless an annotation names another."""
        target = int(pod["metadata"]["annotations"].get(STATUS_PORT, port))
        originals: dict[str, Any] = {}
        for container in self._containers(pod["spec"]):
            for parent, kind, path in self._handlers(container):
                handler = parent[kind]
                action = next((name for name in self._known(path) if handler.get(name)), None)
                if action:
                    if original := _original(container, handler, action, port):
                        originals[path] = original
                    parent[kind] = _redirected(handler, action, path, target)
        if originals:
            value = go_json(dict(sorted(originals.items())))
            proxy["env"].append({"name": "ISTIO_KUBE_APP_PROBERS", "value": value})

    def _containers(self, spec: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        for part in ("initContainers", "containers") if self.init_containers else ("containers",):
            yield from (container for container in spec.get(part) or () if container["name"] != CONTAINER)

    def _handlers(self, container: dict[str, Any]) -> Iterator[tuple[dict[str, Any], str, str]]:
        """What may be rewritten: the mapping that contains it, its key there, and the agent's path for it."""
        name = container["name"]
        yield from (
            (container, kind, f"/app-health/{name}/{path}") for kind, path in PROBES.items() if container.get(kind)
        )
        if self.hooks and (lifecycle := container.get("lifecycle")):
            for kind, path in HOOKS.items():
                if lifecycle.get(kind):
                    yield lifecycle, kind, f"/app-lifecycle/{name}/{path}"

    def _known(self, path: str) -> Iterator[str]:
        return (name for name in self.actions if name != "grpc" or path.startswith("/app-health/"))


def _redirected(handler: Mapping[str, Any], action: str, path: str, port: int) -> dict[str, Any]:
    """The probe or hook with a request to the agent instead of its action."""
    http = handler["httpGet"] if action == "httpGet" else {}
    scheme = {"scheme": "HTTP"} if http.get("scheme") == "HTTPS" else {}
    kept = {name: value for name, value in handler.items() if name != action or action == "httpGet"}
    return {**kept, "httpGet": {**http, "path": path, "port": port, **scheme}}


def _original(
    container: Mapping[str, Any], handler: Mapping[str, Any], action: str, status_port: int
) -> dict[str, Any] | None:
    """The probe that the agent forwards; None if the container has no port of that name, or it is the agent's own."""
    names = {port["name"]: port["containerPort"] for port in container.get("ports") or () if port.get("name")}
    port = handler[action]["port"]
    number = names.get(port) if isinstance(port, str) else port
    if number is None or (action != "grpc" and port == status_port):
        return None
    given = {**handler[action], "port": number}
    fields = {name: given[name] for name in ACTION_FIELDS[action] if given.get(name)}
    if action == "grpc":  # Kubernetes also serializes an empty service
        fields["service"] = given.get("service")
    timeout = {"timeoutSeconds": handler["timeoutSeconds"]} if handler.get("timeoutSeconds") else {}
    return {action: fields, **timeout}
