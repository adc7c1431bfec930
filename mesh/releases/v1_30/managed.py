"""The objects that istiod 1.30 makes of a Gateway of the Gateway API: a gateway, or a waypoint of an ambient mesh.

They are templates only: their data are the Gateway and what istiod computes from it (`TemplateInput` of Istio's
deployment controller). istiod leaves out the last two, autoscaler and budget, unless an overlay of the Gateway's class
or of its `parametersRef` has them.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from mesh.core.names import GATEWAY_CLASS_LABEL, GATEWAY_NAME_LABEL, REVISION_LABEL
from mesh.proxy.expr import Expr, Node, Value, all_of, call, coalesce, each, equal, when
from mesh.proxy.injection.inputs import TemplateInputs
from mesh.releases.v1_30 import managed_pods
from mesh.releases.v1_30.managed_pods import ACCOUNT, DEPLOYMENT, NAMESPACE
from mesh.releases.v1_30.names import NO_AMBIENT

_NAME: Final = Expr("$.Name")
_SERVICE_TYPE: Final = Expr("$.ServiceType")
_LABELS: Final = Expr("$.InfrastructureLabels", "object")
_ANNOTATIONS: Final = call(
    "omit",
    Expr("$.InfrastructureAnnotations"),
    "kubectl.kubernetes.io/last-applied-configuration",
    *(f"gateway.istio.io/{name}" for name in ("name-override", "service-account", "controller-version")),
    form="object",
)
"""The annotations for the objects of a Gateway: those of the Gateway, without those that are about itself."""
_IDENTITY: Final[Mapping[str, Value]] = {
    GATEWAY_NAME_LABEL: _NAME,
    GATEWAY_CLASS_LABEL: Expr("$.GatewayClass"),
}
_MANAGED: Final = "gateway.istio.io/managed"
"""Label with the controller that an object belongs to."""
_CONTROLLER: Final = Expr("$.ControllerLabel")


def kube_gateway(inputs: TemplateInputs) -> list[Node]:
    """The objects of a gateway."""
    labels = {**_IDENTITY, _MANAGED: "istio.io-gateway-controller"}
    return _objects(inputs, managed_pods.gateway(inputs), labels, _canonical(), _ANNOTATIONS)


def waypoint(inputs: TemplateInputs) -> list[Node]:
    """The objects of a waypoint, whose own traffic is not captured."""
    labels = {**_IDENTITY, _MANAGED: _CONTROLLER}
    nearest = _dictionary({"networking.istio.io/traffic-distribution": "PreferClose"})
    uncaptured = _canonical(NO_AMBIENT)
    return _objects(inputs, managed_pods.waypoint(inputs), labels, uncaptured, _merged(nearest, _ANNOTATIONS))


def _objects(
    inputs: TemplateInputs, pod: Node, labels: Mapping[str, Value], defaults: Expr, service_annotations: Expr
) -> list[Node]:
    """`labels` are those of the Deployment and its pods, `defaults` those that the Gateway's own win over."""
    notes = {
        REVISION_LABEL: coalesce(inputs.revision, "default"),
        "prometheus.io/path": "/stats/prometheus",
        "prometheus.io/port": "15020",
        "prometheus.io/scrape": "true",
    }
    metadata: Node = {
        "annotations": _merged(_ANNOTATIONS, _dictionary(notes)),
        "labels": _merged(defaults, _LABELS, _dictionary(labels)),
    }
    deployed: Node = {"selector": _selector(), "template": {"metadata": metadata, "spec": pod}}
    target: Node = {"apiVersion": "apps/v1", "kind": "Deployment", "name": DEPLOYMENT}
    return [
        _object("v1", "ServiceAccount", ACCOUNT),
        _object("apps/v1", "Deployment", DEPLOYMENT, deployed, labels=labels),
        _object("v1", "Service", DEPLOYMENT, _service(), annotations=service_annotations),
        _object("autoscaling/v2", "HorizontalPodAutoscaler", DEPLOYMENT, {"scaleTargetRef": target, "maxReplicas": 1}),
        _object("policy/v1", "PodDisruptionBudget", DEPLOYMENT, {"selector": _selector()}),
    ]


def _object(
    version: str,
    kind: str,
    name: Value,
    spec: Node = None,
    *,
    labels: Mapping[str, Value] = _IDENTITY,
    annotations: Expr = _ANNOTATIONS,
) -> Node:
    """An object that is deleted with the Gateway."""
    owner: Node = {"apiVersion": "gateway.networking.k8s.io/v1", "kind": "Gateway", "name": _NAME, "uid": Expr("$.UID")}
    metadata: Node = {
        "name": name,
        "namespace": NAMESPACE,
        "annotations": annotations,
        "labels": _merged(_LABELS, _dictionary(labels)),
        "ownerReferences": [owner],
    }
    return {"apiVersion": version, "kind": kind, "metadata": metadata, "spec": spec}


def _service() -> Node:
    ports = each(
        Expr("$.Ports"),
        lambda _, __: {
            "name": Expr("$value.Name"),
            "port": Expr("$value.Port", "plain"),
            "protocol": "TCP",
            "appProtocol": Expr("$value.AppProtocol", "plain"),  # a pointer, which only printing follows
        },
    )
    balanced = all_of(Expr("$.Spec.Addresses"), equal(_SERVICE_TYPE, "LoadBalancer"))
    return {
        "ipFamilyPolicy": "PreferDualStack",
        "ports": ports,
        "selector": {GATEWAY_NAME_LABEL: _NAME},
        "loadBalancerIP": when(balanced, Expr("(index $.Spec.Addresses 0).Value")),
        "type": _SERVICE_TYPE,
    }


def _selector() -> Node:
    return {"matchLabels": {GATEWAY_NAME_LABEL: _NAME}}


def _canonical(more: Mapping[str, Value] = MappingProxyType({})) -> Expr:
    """The pods' labels if the Gateway has no others: they are injected with nothing, and one canonical service."""
    return _dictionary(
        {
            "sidecar.istio.io/inject": "false",
            "service.istio.io/canonical-name": DEPLOYMENT,
            "service.istio.io/canonical-revision": "latest",
            **more,
        }
    )


def _dictionary(entries: Mapping[str, Value]) -> Expr:
    return call("strdict", *itertools.chain.from_iterable(entries.items()), form="object")


def _merged(*mappings: Expr) -> Expr:
    """The mappings as one; later ones win."""
    return call("mergeMaps", *mappings, form="object")
