"""Names that Istio, Kubernetes, Pulumi's provider and this project agree on: labels, annotations, fixed names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

ROOT: Final = "istio-system"
"""Istio's own namespace."""
DEFAULT_DOMAIN: Final = "cluster.local"
"""The DNS domain of a cluster that has no other."""
MESH_CONFIG: Final = "istio"
"""ConfigMap with the mesh-wide configuration; gateways mount it too."""
INJECTOR: Final = "istio-sidecar-injector"
"""ConfigMap with the injection template; also the name of the injection webhook."""
XDS_PORT: Final = 15012
"""istiod's port for discovery and certificates over TLS."""
ZIPKIN: Final = "zipkin"
ZIPKIN_PORT: Final = 9411
"""Service and port of the tracing addon, in Istio's namespace, to which proxies send spans unless told otherwise."""

REVISION_LABEL: Final = "istio.io/rev"
NAMESPACE_LABEL: Final = "istio-injection"
INJECT_LABEL: Final = "sidecar.istio.io/inject"
DEFAULT_REVISION: Final = "default"
"""The revision of a control plane without one, whose objects bear no revision in their names."""

OWNER_PROJECT: Final = "mesh/project"
OWNER_STACK: Final = "mesh/stack"
OWNER_ID: Final = "mesh/id"
"""Annotations that say whose a namespace of ours is: Pulumi project, stack, and the id of the stack's provider."""
DIGEST: Final = "mesh/digest"
"""Annotation that changes with the object."""

FIELD_MANAGER: Final = "pulumi.com/patchFieldManager"
"""Annotation with the name under which the provider applies an object."""
WAIT_FOR: Final = "pulumi.com/waitFor"
"""Annotation with the conditions on which an object counts as ready, so that others may be created."""
SKIP_AWAIT: Final = "pulumi.com/skipAwait"
"""Annotation: the object is ready as the API server returns it."""
DELETION_PROPAGATION: Final = "pulumi.com/deletionPropagationPolicy"
"""Annotation: how an object is deleted."""


@dataclass(frozen=True, kw_only=True)
class MeshNames:
    """Names on which it depends what a mesh's objects mean."""

    root: str = ROOT
    """Istio's own namespace: policies in it are for the whole mesh."""
    domain: str = DEFAULT_DOMAIN
    """DNS domain of the cluster, at the end of every Service's full host name."""


DEFAULT_NAMES: Final = MeshNames()
"""What holds for objects of which nobody knows the settings: Istio's own defaults."""
DEV_CONTEXT: Final = "mesh-dev"
EMBEDDED_CONTEXTS: Final = (DEV_CONTEXT,)
"""Kubeconfig contexts of the clusters that this project itself starts."""
