"""The inputs of injection as Go template expressions over the data that Istio's injector passes to a template."""

from __future__ import annotations

from typing import Final

from mesh.proxy.expr import Expr, Form, Value, call
from mesh.proxy.inputs import ObjectValue
from mesh.proxy.proxy import CONTAINER

PRELUDE: Final = (
    '{{- $names := list }}{{- $ports := "" }}',
    "{{- range $.Spec.Containers }}",
    f'{{{{- if ne .Name "{CONTAINER}" }}}}{{{{ $names = append $names .Name }}}}{{{{ end }}}}',
    "{{- range .Ports }}",
    '{{- $ports = printf "%s\\n    %s%s" $ports (ternary "," "" (ne $ports "")) (structToJSON .) }}',
    "{{- end }}",
    "{{- end }}",
)
"""Lines at the start of a template that collect the names and ports of the pod's containers in two variables, which the
expressions below read."""


class TemplateInputs:
    """The inputs of injection as expressions. `$` is the injector's data, also inside `range`."""

    revision: Value = Expr("$.Revision")
    trust_domain: Value = Expr("$.MeshConfig.TrustDomain")
    api_version: Value = Expr("$.TypeMeta.APIVersion")
    kind: Value = Expr("$.TypeMeta.Kind")
    workload: Value = Expr("$.DeploymentMeta.Name")
    namespace: Value = Expr("$.DeploymentMeta.Namespace")
    service_account: Value = Expr("$.Spec.ServiceAccountName")
    containers: Value = Expr('(join "," $names)')
    only_container: Value = Expr('(ternary (first $names) "" (eq (len $names) 1))')
    first_container: Value = Expr("(first $names)")
    pod_ports: Value = Expr('(printf "[%s\\n]" $ports)')
    annotations_json: Value = Expr("(toJSON $.ObjectMeta.Annotations)")
    has_annotations: Value = Expr("$.ObjectMeta.Annotations")
    proxy_config: Value = Expr("(protoToJSON $.ProxyConfig)")
    interception_mode: Value = Expr("$.ProxyConfig.InterceptionMode")
    concurrency: Value = Expr("$.ProxyConfig.Concurrency.GetValue", "plain")
    hold_application: Value = Expr("$.ProxyConfig.HoldApplicationUntilProxyStarts.GetValue", "flag")
    proxy_metadata: ObjectValue = Expr("$.ProxyConfig.ProxyMetadata", "object")
    tracer_tls: Value = Expr("$.ProxyConfig.GetTracing.GetTlsSettings", "object")
    tracer_ca_directory: Value = Expr("(directory $.ProxyConfig.GetTracing.GetTlsSettings.GetCaCertificates)")
    native_sidecars: Value = Expr("$.NativeSidecars", "flag")
    proxy_image: Value = Expr("$.ProxyImage")
    user: Value = Expr("$.ProxyUID", "plain")
    group: Value = Expr("$.ProxyGID", "plain")
    inbound_policy: Value = Expr("$.InboundTrafficPolicyMode")
    outbound_port: Value = Expr("$.MeshConfig.ProxyListenPort", "plain")
    inbound_port: Value = Expr("$.MeshConfig.ProxyInboundListenPort", "plain")
    resource_attributes: Value = Expr(
        "(otelResourceAttributes $.MeshConfig $.ObjectMeta.Annotations $.ObjectMeta.Labels"
        " $.DeploymentMeta.Namespace $.Spec.Containers)"
    )

    def setting(self, path: str, form: Form = "text") -> Expr:
        return Expr(f"$.Values.{path}", form)

    def label(self, name: str) -> Value:
        return call("index", Expr("$.ObjectMeta.Labels"), name)

    def annotation(self, name: str, default: object = "") -> Value:
        return call("annotation", Expr("$.ObjectMeta"), name, default)

    def annotated(self, name: str) -> Value:
        return call("isset", Expr("$.ObjectMeta.Annotations"), name, form="flag")

    def annotation_object(self, name: str) -> Expr:
        return call("fromJSON", self.annotation(name), form="object")

    def metadata_variable(self, name: str) -> Value:
        return call("index", self.proxy_metadata, name)

    def environment(self, name: str, default: str) -> Value:
        return call("env", name, default)

    def exclude_port(self, port: Value, ports: Value) -> Value:
        return call("excludeInboundPort", port, ports)

    def append_network(self, networks: Value, name: str) -> Value:
        return call("appendMultusNetwork", networks, name)

    def with_name(self, name: Value, fields: Value) -> Expr:
        return call("set", fields, "name", name, form="object")
