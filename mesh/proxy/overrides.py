"""The image and resources of the proxy's containers, which a pod's annotations can override."""

from __future__ import annotations

from typing import Final

from mesh.proxy import proxy
from mesh.proxy.expr import Node, Value, any_of, when
from mesh.proxy.inputs import Inputs

IMAGE: Final = "sidecar.istio.io/proxyImage"
RESOURCES: Final = {
    "requests": {"cpu": "sidecar.istio.io/proxyCPU", "memory": "sidecar.istio.io/proxyMemory"},
    "limits": {"cpu": "sidecar.istio.io/proxyCPULimit", "memory": "sidecar.istio.io/proxyMemoryLimit"},
}


def image(inputs: Inputs, container: str) -> Value:
    """The image of container `proxy` or `proxy_init`; the pod's annotation wins over the installation's values."""
    named = inputs.setting(f"global.{container}.image")
    chosen = inputs.annotation(IMAGE, named)
    return proxy.image_reference(inputs.setting("global.hub"), named, inputs.setting("global.tag"), chosen)


def resources(inputs: Inputs) -> Node:
    """Requests and limits: those of the pod's annotations if it has any of them, else those of the installation."""
    everyone = inputs.setting("global.proxy.resources", "object")
    return own_resources(inputs, when(everyone, everyone))


def own_resources(inputs: Inputs, everyone: Node) -> Node:
    """Requests and limits: those of the pod's annotations if it has any of them, else `everyone`."""
    own: Node = {
        bound: {unit: when(inputs.annotated(name), inputs.annotation(name)) for unit, name in names.items()}
        for bound, names in RESOURCES.items()
    }
    given = any_of(*[inputs.annotated(name) for names in RESOURCES.values() for name in names.values()])
    return when(given, own, everyone)
