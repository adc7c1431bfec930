"""ProxyConfig as an object: settings of the proxies beside some workloads. Those of the whole mesh are in
`proxy_config.py`."""

from typing import Annotated, ClassVar

from annotated_types import Ge

from mesh.api.common import PolicySelector
from mesh.api.enforced import Enforced
from mesh.api.model import Kind, Message, Names, optional
from mesh.api.scalars import Int32Value

__all__ = ["ProxyConfig", "ProxyImage"]


class ProxyImage(Message):
    """Which of the proxy's images is used."""

    imageType: str | None = optional("Variant of the image: default, debug or distroless.")


class ProxyConfig(Kind):
    """Settings of the proxies beside some workloads, in place of the mesh's own. Pods get them when they start."""

    names: ClassVar = Names(group="networking.istio.io", plural="proxyconfigs")

    selector: PolicySelector | None = optional(
        "Which workloads; all of the namespace if not set, or of the mesh if it is Istio's root namespace."
    )
    concurrency: Annotated[Int32Value, Ge(0), Enforced(minimum=0)] | None = optional(
        "Threads of a proxy; 0 for one on each core, and as many as its CPU limit if not set."
    )
    environmentVariables: dict[str, Annotated[str, Enforced(maxLength=2048)]] | None = optional(
        "What is added to a proxy's environment."
    )
    image: ProxyImage | None = optional("The proxy's image.")
