"""What is installed and running, as the cluster tells it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from commands import guard
from components import cluster, gateways, istiod, webhooks
from components.cluster import Survey, Target
from components.sidecar.proxy import CONTAINER

Object = Mapping[str, Any]
ROLES: Final = ("ingressgateway", "egressgateway")


def show(stack: str) -> int:
    """Prints the state of the mesh that the stack is for; 1 if there is none."""
    target = cluster.target(guard.chosen(stack).context)
    found = cluster.survey(target)
    print(f"cluster   {target.context}, {target.server}, Kubernetes {'.'.join(map(str, found.version))}")
    root, mark = next(((n, a) for n, a in found.namespaces.items() if cluster.PROJECT in a), ("", {}))
    if not root:
        print(f"mesh      none; `make up STACK={stack}` installs it")
        return 1
    print(f"mesh      namespace {root}, of project {mark[cluster.PROJECT]}, stack {mark.get(cluster.STACK)}")
    deployments = _items(target, f"/apis/apps/v1/namespaces/{root}/deployments")
    services = {s["metadata"]["name"]: s for s in _items(target, f"/api/v1/namespaces/{root}/services")}
    for line in _table([*_workloads(deployments, services, found)]):
        print(line)
    for line in _sidecars(target, root):
        print(line)
    return 0


def _items(target: Target, path: str) -> Sequence[Object]:
    items: Sequence[Object] = cluster.get(target, path)["items"]
    return items


def _workloads(deployments: Sequence[Object], services: Mapping[str, Object], found: Survey) -> Iterator[list[str]]:
    for deployment in deployments:
        meta, spec, status = deployment["metadata"], deployment["spec"], deployment.get("status", {})
        name = meta["name"]
        image = spec["template"]["spec"]["containers"][0]["image"]
        ready = f"{status.get('readyReplicas', 0)}/{spec.get('replicas', 1)} ready"
        service = services.get(name)
        yield [name, ready, image, _way(service, found) if service and _is_gateway(meta) else ""]


def _is_gateway(meta: Object) -> bool:
    return meta.get("labels", {}).get("istio") in ROLES


def _way(service: Object, found: Survey) -> str:
    """How the gateway is reached."""
    spec = service["spec"]
    ingress = service.get("status", {}).get("loadBalancer", {}).get("ingress") or []
    facts = gateways.facts(
        spec["type"],
        {port["name"]: port.get("nodePort") for port in spec["ports"]},
        [point.get("ip") or point.get("hostname") for point in ingress],
    )
    ports = ", ".join(f"{name} {port}" for name, port in facts.get("nodePorts", {}).items())
    where = facts.get("addresses") or ([found.node] if ports and found.node else [])
    return "  ".join(filter(None, (facts["type"], ", ".join(where), ports)))


def _sidecars(target: Target, root: str) -> Iterator[str]:
    """Of the pods in injected namespaces: how many run the sidecar that istiod would inject now."""
    document = cluster.get(target, f"/api/v1/namespaces/{root}/configmaps/{istiod.INJECTOR}")["data"]["values"]
    values = json.loads(document)["global"]
    current = f"{values['hub']}/{values['proxy']['image']}:{values['tag']}"
    labelled = f"/api/v1/namespaces?labelSelector={webhooks.NAMESPACE_LABEL}%3Denabled"
    for namespace in _items(target, labelled):
        name = namespace["metadata"]["name"]
        images = {pod["metadata"]["name"]: _proxy(pod) for pod in _items(target, f"/api/v1/namespaces/{name}/pods")}
        without = sorted(pod for pod, image in images.items() if image is None)
        old = sorted(pod for pod, image in images.items() if image not in (None, current))
        good = len(images) - len(without) - len(old)
        yield f"sidecars  namespace {name}: {len(images)} pods, {good} with {current}"
        yield from (f"          old: {pod} runs {images[pod]}; restart it" for pod in old)
        yield from (f"          without a sidecar: {pod}" for pod in without)


def _proxy(pod: Object) -> str | None:
    """The image of the pod's sidecar."""
    return next((c["image"] for c in pod["spec"]["containers"] if c["name"] == CONTAINER), None)


def _table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield ("          " + "  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True))).rstrip()
