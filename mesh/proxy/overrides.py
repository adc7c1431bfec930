"""What a pod's annotations override of the proxy's containers: image and resources."""

from __future__ import annotations

from typing import Final

from mesh.proxy import proxy
from mesh.proxy.expr import Node, Value, either, when
from mesh.proxy.source import Source

IMAGE: Final = "sidecar.istio.io/proxyImage"
RESOURCES: Final = {
    "requests": {"cpu": "sidecar.istio.io/proxyCPU", "memory": "sidecar.istio.io/proxyMemory"},
    "limits": {"cpu": "sidecar.istio.io/proxyCPULimit", "memory": "sidecar.istio.io/proxyMemoryLimit"},
}


def image(source: Source, container: str) -> Value:
    """The image of a container by the values' name for it (`proxy`, `proxy_init`); the pod may give a full one."""
    named = source.setting(f"global.{container}.image")
    chosen = source.annotation(IMAGE, named)
    return proxy.image(source.setting("global.hub"), named, source.setting("global.tag"), chosen)


def resources(source: Source) -> Node:
    """Requests and limits: the pod's own, and only those, if it gives any of them; else the installation's."""

    own: Node = {
        bound: {unit: when(source.annotated(name), source.annotation(name)) for unit, name in names.items()}
        for bound, names in RESOURCES.items()
    }
    given = either(*[source.annotated(name) for names in RESOURCES.values() for name in names.values()])
    everyone = source.setting("global.proxy.resources", "object")
    return when(given, own, when(everyone, everyone))
