"""The inputs of manual injection: those of one workload, as plain values."""

from __future__ import annotations

import json
import posixpath
from collections.abc import Mapping, Sequence
from typing import Any, Final

from mesh.core import errors
from mesh.core.names import DEFAULT_TRUST_DOMAIN
from mesh.proxy import images, proxyconfig, telemetry
from mesh.proxy.annotations import InjectionError
from mesh.proxy.expr import Form, Node, Value
from mesh.proxy.inputs import ObjectValue
from mesh.proxy.proxy import CONTAINER, USER
from mesh.proxy.text import go_json, go_text

NATIVE_SIDECARS: Final = "ENABLE_NATIVE_SIDECARS"
"""Environment variable of istiod: whether proxies are native sidecars. `auto`, the default, asks the nodes' kubelets,
which are not known here; like istioctl without a cluster, manual injection then assumes `false`."""
PORT_FIELDS: Final = ("name", "hostPort", "containerPort", "protocol", "hostIP")
"""Fields of a container port in the order in which Kubernetes serializes them."""


class WorkloadInputs:
    """The inputs of injection for the pods of a workload.

    `owner` is the workload's manifest and `pod` its pod template, `values` are the injection values, `mesh` is the
    MeshConfig, and `defaults` those of the ProxyConfig. Raises InjectionError for invalid annotations.
    """

    def __init__(
        self,
        owner: Mapping[str, Any],
        pod: Mapping[str, Any],
        values: Mapping[str, Any],
        mesh: Mapping[str, Any],
        defaults: Mapping[str, Any],
        revision: str,
    ) -> None:
        metadata, spec = pod.get("metadata") or {}, pod["spec"]
        self._values = values
        self._labels: Mapping[str, str] = metadata.get("labels") or {}
        self._annotations: Mapping[str, str] = metadata.get("annotations") or {}
        self.config = proxyconfig.effective(defaults, mesh, self._annotations)
        self.revision: Value = revision
        self.trust_domain: Value = mesh.get("trustDomain", DEFAULT_TRUST_DOMAIN)
        self.api_version: Value = owner["apiVersion"]
        self.kind: Value = owner["kind"]
        self.workload: Value = owner["metadata"].get("name", "")
        self.namespace: Value = owner["metadata"].get("namespace", "")
        self.service_account: Value = spec.get("serviceAccountName", "")
        names = [container["name"] for container in spec["containers"] if container["name"] != CONTAINER]
        self.containers: Value = ",".join(names)
        self.only_container: Value = names[0] if len(names) == 1 else ""
        self.first_container: Value = names[0] if names else ""
        self.pod_ports: Value = _ports(spec["containers"])
        self.annotations_json: Value = go_json(dict(sorted(self._annotations.items())))
        self.has_annotations: Value = bool(self._annotations)
        self.proxy_config: Value = go_json(proxyconfig.differences(defaults, self.config))
        self.interception_mode: Value = self.config["interceptionMode"]
        self.concurrency: Value = self.config["concurrency"] or 0
        self.hold_application: Value = bool(self.config["holdApplicationUntilProxyStarts"])
        self.proxy_metadata: ObjectValue = self.config[proxyconfig.METADATA]
        tls = (self.config["tracing"] or {}).get("tlsSettings")
        self.tracer_tls: Value = tls is not None
        self.tracer_ca_directory: Value = posixpath.join(posixpath.dirname((tls or {}).get("caCertificates", "")), "")
        self.native_sidecars: Value = self.environment(NATIVE_SIDECARS, "auto") == "true"
        self.proxy_image: Value = images.proxy(self.setting("global") or {}, self.config, self._annotations)
        self.user: Value = USER
        self.group: Value = USER
        self.inbound_policy: Value = ((mesh.get("inboundTrafficPolicy") or {}).get("mode") or "passthrough").lower()
        self.outbound_port: Value = mesh.get("proxyListenPort") or 0
        self.inbound_port: Value = mesh.get("proxyInboundListenPort") or 0
        self.resource_attributes: Value = telemetry.resource_attributes(
            mesh, self._annotations, self._labels, str(self.namespace), spec["containers"]
        )

    def holds_application(self) -> bool:
        """Whether the pod's other containers wait for the proxy, which then is the first container."""
        return bool(self.hold_application or self.setting("global.proxy.holdApplicationUntilProxyStarts"))

    def setting(self, path: str, form: Form = "text") -> Any:  # noqa: ARG002 - only templates use the form
        found: Any = self._values
        for name in path.split("."):
            found = found.get(name) if isinstance(found, Mapping) else None
        return found

    def label(self, name: str) -> Value:
        return self._labels.get(name, "")

    def annotation(self, name: str, default: object = "") -> Value:
        return self._annotations.get(name, go_text(default))

    def annotated(self, name: str) -> Value:
        return name in self._annotations

    def annotation_object(self, name: str) -> Mapping[str, Any] | None:
        if name not in self._annotations:
            return None
        try:
            found = json.loads(self._annotations[name])
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise InjectionError(f"{name}: expected a JSON object, got {errors.show(self._annotations[name])}")
        return found

    def metadata_variable(self, name: str) -> Value:
        found: Value = self.config[proxyconfig.METADATA].get(name, "")
        return found

    def environment(self, name: str, default: str) -> Value:
        """The variable in the values, from 1.30 on; other variables of istiod's pod are not known."""
        return go_text(self.setting(f"pilot.env.{name}") or default)

    def exclude_port(self, port: Value, ports: Value) -> Value:
        one, listed = str(port).strip(), str(ports).split(",")
        if one in ("", "0") or one in listed:
            return ports
        return ",".join([*filter(None, map(str.strip, listed)), one])

    def append_network(self, networks: Value, name: str) -> Value:
        text = str(networks)
        if not text:
            return name
        if "]" not in text:
            return text if name in map(str.strip, text.split(",")) else f"{text}, {name}"
        try:
            listed = [network.get("name") for network in json.loads(text)]
        except (ValueError, AttributeError):
            return text
        head, _, tail = text.rpartition("]")
        return text if name in listed else f'{head}, {{"name": "{name}"}}]{tail}'

    def with_name(self, name: Value, fields: Any) -> Node:
        return {**fields, "name": name}


def _ports(containers: Sequence[Mapping[str, Any]]) -> str:
    ports = [port for container in containers for port in container.get("ports") or ()]
    written = [go_json({field: port[field] for field in PORT_FIELDS if port.get(field)}) for port in ports]
    return "".join(["[", *(f"\n    {',' if i else ''}{port}" for i, port in enumerate(written)), "\n]"])
