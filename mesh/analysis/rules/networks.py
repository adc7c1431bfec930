"""Checks the networks of the mesh (MeshNetworks): istiod has access to the clusters that they name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import yaml

from mesh.analysis import codes
from mesh.analysis.findings import Finding
from mesh.analysis.mesh import Mesh
from mesh.core import errors, kinds
from mesh.core.names import DEFAULT_CLUSTER

_REMOTE: Final = "istio/multiCluster"
"""Label of a Secret with a kubeconfig for each cluster, by the cluster's name."""
_OWN: Final = (DEFAULT_CLUSTER, "kubernetes")


def registries(mesh: Mesh) -> Iterator[Finding]:
    """Each cluster that a network names is istiod's own, or has a secret to reach it."""
    thing = mesh.config_map
    if not thing:
        return
    remote = (secret for secret in mesh.of(kinds.SECRET) if secret.labels.get(_REMOTE) == "true")
    fields = ("data", "stringData")
    known = {*_OWN, *(name for secret in remote for field in fields for name in secret.body.get(field) or ())}
    for name, said in _from(thing.body["data"].get("meshNetworks") or ""):
        if said not in known:
            text = f"network {name}: cluster {errors.not_one_of(said, sorted(known))}: add the secret to reach it"
            yield codes.UNKNOWN_REGISTRY.at(thing, "data.meshNetworks", text)


def _from(text: str) -> Iterator[tuple[str, str]]:
    """The networks of a MeshNetworks in YAML, each with a cluster that it names."""
    try:
        read: Any = yaml.load(text, Loader=yaml.CSafeLoader)
    except yaml.YAMLError:
        return
    networks = read.get("networks") if isinstance(read, dict) else None
    for name, network in networks.items() if isinstance(networks, dict) else ():
        endpoints = network.get("endpoints") if isinstance(network, dict) else None
        for endpoint in endpoints if isinstance(endpoints, list) else ():
            if isinstance(endpoint, dict) and isinstance(endpoint.get("fromRegistry"), str):
                yield str(name), endpoint["fromRegistry"]


RULES: Final = (registries,)
