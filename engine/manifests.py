"""The Kubernetes objects of the running program as manifests, before the engine receives them.

Pulumi's SDK sends the first resource to the engine only after the program has run to its end. So all objects can be
analyzed at the end of the program, and errors can still stop it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import pulumi
from pulumi import _types  # the SDK's own translation of argument classes into manifest fields

from cluster.state import type_and_name
from engine.outputs import known_value
from mesh import api
from mesh.analysis.objects import Object, Ref
from mesh.core import kinds, pods
from mesh.core.kinds import GroupKind

KINDS: Final = frozenset(
    (
        *pods.TEMPLATES,
        *(kinds.NAMESPACE, kinds.SERVICE),
        *(kinds.CONFIG_MAP, kinds.SECRET, kinds.MUTATING_WEBHOOK, kinds.INGRESS),
        *(kinds.POD_DISRUPTION_BUDGET, kinds.HORIZONTAL_POD_AUTOSCALER),
        *(kind.group_kind() for kind in api.Kind.__subclasses__()),
    )
)
"""The kinds that the analysis reads."""
_KEYS: Final[Mapping[str, str]] = {
    "mesh:istio:Gateway": "mesh:gateways.{name}",
    "mesh:istio:Namespaces": "",  # the settings know the key that declares each namespace
    "mesh:istio:Istiod": "mesh:pilot",
    "mesh:istio:Remote": "mesh:istiodRemote",
    "mesh:istio:Base": "mesh:base",
    "mesh:istio:Cni": "mesh:cni",
    "mesh:ratelimit:RateLimit": "mesh:rateLimit",
    "mesh:addons": "mesh:addons.{name}",
    "mesh:addons:Dashboards": "mesh:addons.existing.grafana.dashboards",
    "mesh:apps": "mesh:apps.{name}",
}
"""The config key of a component, by its type token or the first two parts of the token. If neither is listed, the first
two parts are the key."""


class CreatedObjects:
    """The objects that the program has created so far."""

    def __init__(self) -> None:
        self.objects: list[Object] = []
        self.twice: list[tuple[Ref, str, str]] = []
        """The objects that two parts of the config create, each with the keys of both."""
        self.definitions: list[Mapping[str, Any]] = []
        """The custom resource definitions."""
        self._keys: dict[Ref, str] = {}

    def collect(self, args: pulumi.ResourceTransformationArgs) -> None:
        """A stack transformation that changes nothing. It collects every definition and every object of the kinds in
        `KINDS`."""
        kind = kind_of(args.type_)
        if kind:
            self._note(kind, args)
        if kind == kinds.CUSTOM_RESOURCE_DEFINITION:
            spec = args.props.get("spec")  # Istio's are plain data; copying their schemas would take long
            meta = as_data(args.props.get("metadata"))
            inputs = {"metadata": meta, "spec": spec if isinstance(spec, Mapping) else as_data(spec)}
            self.definitions.append(as_manifest(args.type_, inputs))
        if kind in KINDS:
            whole = {property_name(key): as_data(value) for key, value in args.props.items()}
            manifest = {key: value for key, value in whole.items() if value is not None}
            self.objects.append(Object.read(as_manifest(args.type_, manifest), _config_key(args.opts.parent)))

    def _note(self, kind: GroupKind, args: pulumi.ResourceTransformationArgs) -> None:
        meta, key = as_data(args.props.get("metadata")) or {}, _config_key(args.opts.parent)
        ref = Ref(kind, meta.get("namespace") or "", meta.get("name") or "")
        if ref.name and self._keys.setdefault(ref, key) != key:
            self.twice.append((ref, self._keys[ref], key))


def kind_of(token: str) -> GroupKind | None:
    """The kind of Kubernetes object of a Pulumi type token, also of a `…Patch` resource; None for any other token."""
    return GroupKind.of(as_manifest(token, {})) if token.startswith("kubernetes:") and token.count(":") == 2 else None


def as_manifest(token: str, inputs: Mapping[str, Any]) -> Mapping[str, Any]:
    """The inputs of a Kubernetes resource as a manifest: with `apiVersion` and `kind` from its type token."""
    _, version, kind = token.split(":")
    return {**inputs, "apiVersion": version.removeprefix("core/"), "kind": kind.removesuffix("Patch")}


def config_key(token: str, name: str) -> str:
    """The config key of a component's objects, by the component's type token and name.

    Empty for components of other projects, and if each object has its own key, which `Stack.with_origins` finds."""
    if not token.startswith("mesh:"):
        return ""
    module = token.rpartition(":")[0]
    return _KEYS.get(token, _KEYS.get(module, module)).format(name=name)


def config_key_of(urn: str) -> str:
    """The config key of a component's objects, by the component's URN; empty for an empty URN."""
    return config_key(*type_and_name(urn))


def _config_key(parent: pulumi.Resource | None) -> str:
    if parent is None:
        return ""
    return config_key(parent.pulumi_resource_type, parent.pulumi_resource_name)


def property_name(key: str) -> str:
    """The name of a top-level property in a manifest, from the SDK's snake_case."""
    first, *rest = key.split("_")
    return first + "".join(part.title() for part in rest)


def as_data(value: Any) -> Any:
    """A resource's input as plain data, without values that are only known after an update."""
    value = known_value(value)
    if value is not None and _types.is_input_type(type(value)):
        value = _types.input_type_to_dict(value)
    if isinstance(value, Mapping):
        pairs = ((str(key), as_data(item)) for key, item in value.items())
        return {key: item for key, item in pairs if item is not None}
    if isinstance(value, list | tuple):
        return [as_data(item) for item in value]
    return value
