"""The objects that the running program has made, as manifests, before any of them is registered.

Pulumi runs a program to its end before it sends the first resource to the engine; so at the end of the program
everything is known that it will ask for, and what is wrong can stop it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import pulumi
from pulumi import _types  # how Pulumi itself turns arguments into wire names

from cluster.state import type_and_name
from engine.outputs import known_value
from mesh.analysis.objects import Object
from mesh.core import kinds
from mesh.core.kinds import GroupKind

KINDS: Final = frozenset(
    (
        *(kinds.NAMESPACE, kinds.SERVICE, kinds.POD, kinds.DEPLOYMENT, kinds.STATEFUL_SET, kinds.DAEMON_SET, kinds.JOB),
        *(kinds.CONFIG_MAP, kinds.SECRET, kinds.MUTATING_WEBHOOK, kinds.VIRTUAL_SERVICE, kinds.DESTINATION_RULE),
        *(kinds.GATEWAY, kinds.SERVICE_ENTRY, kinds.SIDECAR, kinds.ENVOY_FILTER, kinds.AUTHORIZATION_POLICY),
        *(kinds.PEER_AUTHENTICATION, kinds.REQUEST_AUTHENTICATION, kinds.WORKLOAD_ENTRY),
    )
)
"""Kinds of objects that analysis looks at."""
_KEYS: Final[Mapping[str, str]] = {
    "mesh:istio:Gateway": "mesh:gateways.{name}",
    "mesh:istio:Namespaces": "",  # the stack's settings say by which key a namespace is declared
    "mesh:istio:Istiod": "mesh:pilot",
    "mesh:istio:Remote": "mesh:istiodRemote",
    "mesh:istio:Base": "mesh:base",
    "mesh:istio:Cni": "mesh:cni",
    "mesh:ratelimit:RateLimit": "mesh:rateLimit",
    "mesh:addons": "mesh:addons.{name}",
}
"""The key of the stack's config that a component comes from, by its token or the token's first two parts, where those
two are not that key."""


class CreatedObjects:
    """The objects that the program has made so far."""

    def __init__(self) -> None:
        self.objects: list[Object] = []

    def collect(self, args: pulumi.ResourceTransformationArgs) -> None:
        """A transformation of the stack that changes nothing, and sees every resource."""
        if kind_of(args.type_) in KINDS:
            whole = {_types_name(key): as_data(value) for key, value in args.props.items()}
            manifest = {key: value for key, value in whole.items() if value is not None}
            self.objects.append(Object.read(typed(args.type_, manifest), _origin(args.opts.parent)))


def kind_of(token: str) -> GroupKind | None:
    """The kind of the objects that a resource's type token stands for, also where only some of their fields are the
    stack's; None if they are none of Kubernetes'."""
    return GroupKind.of(typed(token, {})) if token.startswith("kubernetes:") and token.count(":") == 2 else None


def typed(token: str, inputs: Mapping[str, Any]) -> Mapping[str, Any]:
    """The inputs of a resource of Kubernetes as a manifest: with the API version and the kind that its token says."""
    _, version, kind = token.split(":")
    return {**inputs, "apiVersion": version.removeprefix("core/"), "kind": kind.removesuffix("Patch")}


def origin(token: str, name: str) -> str:
    """The config key from which a component's objects come, by its token and name; empty if it is none of ours, or if
    each comes from a key of its own. `Stack.with_origins` then knows more."""
    if not token.startswith("mesh:"):
        return ""
    module = token.rpartition(":")[0]
    return _KEYS.get(token, _KEYS.get(module, module)).format(name=name)


def origin_of(urn: str) -> str:
    """The same by the component's URN; empty for none."""
    return origin(*type_and_name(urn))


def _origin(parent: pulumi.Resource | None) -> str:
    if parent is None:
        return ""
    return origin(parent.pulumi_resource_type, parent.pulumi_resource_name)


def _types_name(key: str) -> str:
    """A top-level property in wire names."""
    first, *rest = key.split("_")
    return first + "".join(part.title() for part in rest)


def as_data(value: Any) -> Any:
    """An input of a resource as data; without what only the cluster can tell."""
    value = known_value(value)
    if value is not None and _types.is_input_type(type(value)):
        value = _types.input_type_to_dict(value)
    if isinstance(value, Mapping):
        pairs = ((str(key), as_data(item)) for key, item in value.items())
        return {key: item for key, item in pairs if item is not None}
    if isinstance(value, list | tuple):
        return [as_data(item) for item in value]
    return value
