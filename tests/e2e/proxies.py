"""The proxies in the pods of a cluster."""

from __future__ import annotations

import json
from collections.abc import Mapping

from mesh.proxy.proxy import CONTAINER
from tests.e2e.conftest import Checkout


def images(checkout: Checkout, *namespaces: str) -> Mapping[tuple[str, str], str]:
    """The image of each pod's proxy in the namespaces, empty without one, by the pod's name and uid."""
    found: dict[tuple[str, str], str] = {}
    for namespace in namespaces:
        pods = json.loads(checkout.kubectl("get", "pods", f"--namespace={namespace}", "--output=json"))["items"]
        for pod in pods:
            containers = [*pod["spec"]["containers"], *pod["spec"].get("initContainers", ())]
            image = "".join(one["image"] for one in containers if one["name"] == CONTAINER)
            found[pod["metadata"]["name"], pod["metadata"]["uid"]] = image
    return found
