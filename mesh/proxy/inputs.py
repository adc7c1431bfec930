"""The inputs of injection, from which a release's model of the proxy is evaluated."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from mesh.proxy.expr import Expr, Form, Node, Value

ObjectValue = Expr | Mapping[str, Any] | None
"""A value that is a JSON object."""


class Inputs(Protocol):
    """What the injector knows about the installation and the pod.

    `TemplateInputs` gives template expressions, `WorkloadInputs` the plain values of one workload.
    """

    revision: Value
    """The control plane's revision; empty for the default revision."""
    trust_domain: Value
    """The trust domain of the MeshConfig."""
    api_version: Value
    """`apiVersion` of the workload that owns the pod."""
    kind: Value
    """Its kind, such as `Deployment`."""
    workload: Value
    """Its name."""
    namespace: Value
    """Its namespace."""
    service_account: Value
    """The pod's service account; empty for the namespace's default account."""
    containers: Value
    """Names of the pod's containers, without the proxy, separated by commas."""
    only_container: Value
    """Name of the pod's container if it has exactly one besides the proxy; else empty."""
    first_container: Value
    """Name of the pod's first container besides the proxy; only for pods that have one."""
    pod_ports: Value
    """The ports of the pod's containers in Istio's format: a JSON list with one port a line."""
    annotations_json: Value
    """The pod's annotations as a JSON object."""
    has_annotations: Value
    """Whether the pod has annotations."""
    proxy_config: Value
    """The pod's ProxyConfig as JSON, without default values."""
    interception_mode: Value
    """`interceptionMode` of the ProxyConfig."""
    concurrency: Value
    """`concurrency` of the ProxyConfig; 0 means one worker thread for each CPU."""
    hold_application: Value
    """`holdApplicationUntilProxyStarts` of the ProxyConfig."""
    proxy_metadata: ObjectValue
    """`proxyMetadata` of the ProxyConfig: environment variables by name."""
    tracer_tls: Value
    """Whether proxies connect to the tracer over TLS."""
    tracer_ca_directory: Value
    """Folder of the tracer's CA certificate, with a trailing slash."""
    native_sidecars: Value
    """Whether istiod makes proxies native sidecars, unless the pod says otherwise."""
    proxy_image: Value
    """The image reference of the installation's proxy, of the type that the pod, its ProxyConfig or the values name."""
    user: Value
    """The user id of the proxy."""
    group: Value
    """The group id of the proxy."""
    inbound_policy: Value
    """How proxies forward inbound traffic, `inboundTrafficPolicy` of the MeshConfig: `localhost` or `passthrough`."""
    outbound_port: Value
    """`proxyListenPort` of the MeshConfig: Envoy's port for redirected outbound traffic."""
    inbound_port: Value
    """`proxyInboundListenPort` of the MeshConfig: Envoy's port for redirected inbound traffic."""
    resource_attributes: Value
    """The pod's attributes in OpenTelemetry's terms, `name=value` and comma-separated; empty if no provider of the
    MeshConfig wants them."""

    def setting(self, path: str, form: Form = "text") -> Any:
        """A value of the installation by its path, e.g. `global.proxy.logLevel`."""

    def label(self, name: str) -> Value:
        """A label of the pod; empty if the pod does not have it."""

    def annotation(self, name: str, default: object = "") -> Value:
        """An annotation of the pod; the default, as text, if the pod does not have it."""

    def annotated(self, name: str) -> Value:
        """Whether the pod has the annotation."""

    def annotation_object(self, name: str) -> ObjectValue:
        """The JSON object that an annotation holds."""

    def metadata_variable(self, name: str) -> Value:
        """One variable of `proxyMetadata`; empty if it is not set."""

    def environment(self, name: str, default: str) -> Value:
        """An environment variable of istiod."""

    def exclude_port(self, port: Value, ports: Value) -> Value:
        """`ports` (comma-separated) with `port` appended, unless it is 0, empty or among them."""

    def append_network(self, networks: Value, name: str) -> Value:
        """`networks`, a Multus list of pod networks, with network `name` appended."""

    def with_name(self, name: Value, fields: Value) -> Node:
        """The fields of an object with its `name` added."""
