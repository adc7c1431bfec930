"""Reads the processes to run from istiod's Deployments: arguments, environment, account and mounted files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from cluster import client
from cluster.client import Api
from mesh.core.names import REVISION_LABEL, XDS_PORT

Manifest = Mapping[str, Any]

DEPLOYMENTS: Final = "/apis/apps/v1/deployments"
SERVICES: Final = "/api/v1/services"
CONTAINER: Final = "discovery"
"""Name of istiod's container, and the first of its arguments."""
PREFIX: Final = "istiod-"
"""Prefix of the names of istiod's processes."""

WEBHOOK_PORT: Final = 15017
LISTENERS: Final = {
    "httpAddr": 8080,
    "grpcAddr": 15010,
    "secureGRPCAddr": XDS_PORT,
    "monitoringAddr": 15014,
    "httpsAddr": WEBHOOK_PORT,
}
"""The ports of istiod's pod, by the flag of `pilot-discovery` that sets the address."""

_WITHOUT: Final = ("--ctrlz_port=0", "--shutdownDuration=0s")
"""Flags that turn off the debug interface on a fixed port, and the wait for open connections at the end."""

_KUBECONFIG: Final = "KUBECONFIG"
"""Environment variable with the kubeconfig of another cluster, for an istiod that runs outside of its cluster."""


@dataclass(frozen=True)
class Istiod:
    """A control plane that is to run."""

    revision: str
    namespace: str
    name: str
    """Name of its Deployment and of its Service."""
    account: str
    """Name of its service account."""
    address: str
    """The address on which it listens: that of its Service, a loopback address."""
    arguments: Sequence[str]
    """Its command line, without the program."""
    environment: Mapping[str, str]
    mounts: Mapping[str, str]
    """The API path of the mounted ConfigMap or Secret, by folder."""
    template: Manifest
    """The pod template of its Deployment."""

    @property
    def process(self) -> str:
        """Name of its process."""
        return f"{PREFIX}{self.revision}"


def wanted(api: Api) -> list[Istiod]:
    """The control planes that are to run, one for each revision. They are the Deployments that have replicas, are not
    being deleted, and have a Service. Raises ClusterError if the API server does not answer."""
    services = {_key(service): service for service in client.items(api, SERVICES)}
    found = (
        _istiod(deployment, container, services[_key(deployment)]["spec"]["clusterIP"])
        for deployment in client.items(api, DEPLOYMENTS)
        if deployment["spec"].get("replicas", 1)
        and "deletionTimestamp" not in deployment["metadata"]
        and _key(deployment) in services
        and (container := _container(deployment))
    )
    return [*{istiod.revision: istiod for istiod in found}.values()]


def _container(deployment: Manifest) -> Manifest | None:
    """istiod's container in a Deployment; None if it is not istiod's."""
    template = deployment["spec"]["template"]
    labels = template["metadata"].get("labels") or {}
    if labels.get("app") != "istiod" or REVISION_LABEL not in labels:
        return None
    return next((one for one in template["spec"]["containers"] if one["name"] == CONTAINER), None)


def _key(found: Manifest) -> tuple[str, str]:
    return found["metadata"]["namespace"], found["metadata"]["name"]


def _istiod(deployment: Manifest, container: Manifest, address: str) -> Istiod:
    namespace, name = _key(deployment)
    template = deployment["spec"]["template"]
    pod = template["spec"]
    facts = {
        # A restarted process keeps this identity, which leader elections use.
        "metadata.name": name,
        "metadata.namespace": namespace,
        "spec.serviceAccountName": pod.get("serviceAccountName", "default"),
        "status.podIP": address,
    }
    listen = (f"--{flag}={address}:{port}" for flag, port in LISTENERS.items())
    return Istiod(
        revision=template["metadata"]["labels"][REVISION_LABEL],
        namespace=namespace,
        name=name,
        account=facts["spec.serviceAccountName"],
        address=address,
        arguments=(*container.get("args", [CONTAINER]), *listen, *_WITHOUT),
        environment=dict(_environment(container, facts)),
        mounts=dict(_mounts(container, pod, namespace)),
        template=template,
    )


def _environment(container: Manifest, facts: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """The variables that have a value, or refer to a known field of the pod."""
    for variable in container.get("env") or []:
        source = variable.get("valueFrom", {}).get("fieldRef", {}).get("fieldPath", "")
        value = facts.get(source) if "valueFrom" in variable else variable.get("value", "")
        if value is not None and variable["name"] != _KUBECONFIG:
            yield variable["name"], value


def _mounts(container: Manifest, pod: Manifest, namespace: str) -> Iterator[tuple[str, str]]:
    volumes = {volume["name"]: volume for volume in pod.get("volumes") or []}
    for mount in container.get("volumeMounts") or []:
        volume = volumes[mount["name"]]
        if "secret" in volume:
            yield mount["mountPath"], f"/api/v1/namespaces/{namespace}/secrets/{volume['secret']['secretName']}"
        elif "configMap" in volume:
            yield mount["mountPath"], f"/api/v1/namespaces/{namespace}/configmaps/{volume['configMap']['name']}"
