"""The inputs of injection: what the injector knows of the installation and of the pod."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from mesh.proxy.expr import Expr, Form, Node, Value

Mapped = Expr | Mapping[str, Any] | None
"""An object with text keys."""


class Source(Protocol):
    """What the injector knows of the installation and of the pod."""

    revision: Value
    """The control plane's revision; empty for the default one."""
    trust_domain: Value
    api_version: Value
    """apiVersion and kind of the workload that the pod belongs to."""
    kind: Value
    workload: Value
    """The workload's name."""
    namespace: Value
    service_account: Value
    """The pod's service account; empty for the namespace's default."""
    containers: Value
    """Names of the pod's containers without the proxy, joined by commas."""
    only_container: Value
    """The name of the pod's container, if it has exactly one (beside the proxy)."""
    pod_ports: Value
    """The containers' ports as Istio writes them: a JSON list, one port a line."""
    annotations_json: Value
    """The pod's annotations as a JSON object."""
    annotated_at_all: Value
    """Whether the pod has any annotation."""
    proxy_config: Value
    """The proxy's configuration as JSON, without what is the default."""
    interception_mode: Value
    concurrency: Value
    hold_application: Value
    proxy_metadata: Mapped
    tracer_tls: Value
    """Whether the tracer is reached over TLS."""
    tracer_ca_directory: Value
    """Where the tracer's certificate authority is, with a trailing slash."""

    def setting(self, path: str, form: Form = "text") -> Any:
        """One of the installation's values by its path, e.g. `global.proxy.logLevel`."""

    def label(self, name: str) -> Value:
        """A label of the pod; empty if it has none of that name."""

    def annotation(self, name: str, default: object = "") -> Value:
        """An annotation of the pod as text."""

    def annotated(self, name: str) -> Value:
        """Whether the pod has the annotation."""

    def annotation_object(self, name: str) -> Mapped:
        """An annotation that holds a JSON object."""

    def environment(self, name: str, default: str) -> Value:
        """An environment variable of istiod."""

    def excluding(self, port: Value, ports: Value) -> Value:
        """Comma-separated ports, and the one port unless it is 0, empty or there already."""

    def network_list(self, networks: Value, name: str) -> Value:
        """A list of pod networks (Multus), and the one named."""

    def named(self, name: Value, fields: Value) -> Node:
        """An object's fields, and its name."""
