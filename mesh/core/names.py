"""Fixed names of Istio, of Pulumi's Kubernetes provider and of this project: objects, labels, annotations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

ROOT: Final = "istio-system"
"""Istio's namespace, unless `global.istioNamespace` names another."""
DEFAULT_DOMAIN: Final = "cluster.local"
"""Default DNS domain of a cluster."""
DEFAULT_CLUSTER: Final = "Kubernetes"
"""Name by which istiod and proxies know a cluster whose installation sets none."""
DEFAULT_TRUST_DOMAIN: Final = "cluster.local"
"""Trust domain of a mesh whose MeshConfig sets none."""
MESH_CONFIG: Final = "istio"
"""ConfigMap with the mesh configuration (MeshConfig); gateways mount it, too."""
INJECTOR: Final = "istio-sidecar-injector"
"""Name of the ConfigMap with the injection templates, and of the injection webhook."""
EXTRA_CERTIFICATES: Final = "pilot-jwks-extra-cacerts"
"""ConfigMap with an additional root certificate, which istiod trusts when it fetches keys of token issuers."""
CNI: Final = "istio-cni"
"""The CNI plugin: its name in a node's network configuration, its service account and role."""
CNI_NODE: Final = "istio-cni-node"
"""DaemonSet of the CNI plugin, and the label `k8s-app` of its pods."""
CNI_CONFIG: Final = "istio-cni-config"
"""ConfigMap with the configuration of the CNI plugin."""
CNI_TAINTS: Final = "istio-cni-taint-configmap"
"""ConfigMap with the pods that must be ready before a node loses its taint."""
XDS_PORT: Final = 15012
"""Port of istiod for xDS and certificate signing, over TLS."""
ZIPKIN: Final = "zipkin"
ZIPKIN_PORT: Final = 9411
"""Service and port, in Istio's root namespace, to which proxies send spans by default."""

REVISION_LABEL: Final = "istio.io/rev"
TAG_LABEL: Final = "istio.io/tag"
"""Label of the webhook of a revision tag, with the tag."""
NAMESPACE_LABEL: Final = "istio-injection"
INJECTION_LABELS: Final = (NAMESPACE_LABEL, REVISION_LABEL)
"""Labels of a namespace that ask for injection."""
NETWORK_LABEL: Final = "topology.istio.io/network"
"""Label with the network of a pod, or to which a gateway leads."""
INJECT_LABEL: Final = "sidecar.istio.io/inject"
WAYPOINT_LABEL: Final = "istio.io/use-waypoint"
"""Label of a namespace, Service or ServiceEntry with the name of its waypoint; `none` for none."""
MODE_LABEL: Final = "istio.io/dataplane-mode"
"""Label of namespaces and pods that have `ambient` as value in ambient mode."""
AUTO_IMAGE: Final = "auto"
"""Image of a proxy in a pod template that injection replaces by the real one."""
GATEWAY_NAME_LABEL: Final = "gateway.networking.k8s.io/gateway-name"
"""Label of the pods that istiod makes for a Gateway of the Gateway API, with its name."""
GATEWAY_CLASS_LABEL: Final = "gateway.networking.k8s.io/gateway-class-name"
"""Label of the same pods with the Gateway's class."""
DEFAULT_REVISION: Final = "default"
"""Revision of a control plane without a configured one; the names of its objects have no revision suffix."""

OWNER_PROJECT: Final = "mesh/project"
OWNER_STACK: Final = "mesh/stack"
OWNER_ID: Final = "mesh/id"
"""Annotations with the owner of a namespace that a stack has created: Pulumi project, stack, and the id of the stack's
provider."""
DIGEST: Final = "mesh/digest"
"""Annotation with a hash of the object, which changes whenever the object does."""

FIELD_MANAGER: Final = "pulumi.com/patchFieldManager"
"""Annotation with the field manager that the provider uses for server-side apply."""
FORCE: Final = "pulumi.com/patchForce"
"""Annotation: the provider takes fields from other field managers."""
WAIT_FOR: Final = "pulumi.com/waitFor"
"""Annotation with the conditions for which the provider waits before the object counts as ready."""
SKIP_AWAIT: Final = "pulumi.com/skipAwait"
"""Annotation: the provider does not wait for the object."""
DELETION_PROPAGATION: Final = "pulumi.com/deletionPropagationPolicy"
"""Annotation with the deletion propagation policy, such as `background`."""


@dataclass(frozen=True, kw_only=True)
class MeshNames:
    """Names of an installation that are needed to interpret Istio's objects."""

    root: str = ROOT
    """The root namespace: policies in it apply to the whole mesh."""
    home: str = ROOT
    """Istio's own namespace, in which istiod and its ConfigMaps are; the root namespace, unless the mesh has another.
    """
    domain: str = DEFAULT_DOMAIN
    """DNS domain of the cluster: the end of a Service's fully qualified host name."""
    release: str = ""
    """Name of the release, such as `1.10`; empty if it is unknown."""


DEFAULT_NAMES: Final = MeshNames()
"""Istio's defaults, for objects whose installation is unknown."""
EMBEDDED_CLUSTERS: Final[Mapping[str, str]] = {
    "mesh-dev": "cluster",
    "mesh-today": "cluster-today",
}
"""Kubeconfig contexts of the embedded clusters, which this project starts itself, each with the folder of the cluster's
files."""


def revisioned(name: str, revision: str) -> str:
    """The name of an object of which each control plane has its own, such as `istiod-canary`."""
    return name if revision == DEFAULT_REVISION else f"{name}-{revision}"


def field_manager(project: str, stack: str) -> str:
    """The field manager of a stack's objects."""
    return f"{project}-{stack}"
