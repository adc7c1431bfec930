"""Applies `mesh:patches` to the inputs of resources, in the one place that every object passes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import pulumi
from pulumi import _types  # the SDK's own translation of argument classes into manifest fields

from engine import kubernetes_types, manifests
from mesh.analysis.objects import Ref
from mesh.config.stack import Stack
from mesh.patches.patching import Patching

_WRITTEN_BY_PEOPLE: Final = ("mesh:apps:App", "mesh:objects:Objects")
"""Components whose objects come from files of the project, or from the config."""

_IDENTITY: Final = ("apiVersion", "kind")


class PatchedObjects:
    """The patches of the running program's stack."""

    def __init__(self, stack: Stack) -> None:
        versions = stack.installation.newest.api
        patches = stack.settings.patches
        self._patching = Patching(patches, lambda body: kubernetes_types.of_object(body, versions))
        self._any = bool(patches)

    def apply(self, args: pulumi.ResourceTransformationArgs) -> pulumi.ResourceTransformationResult | None:
        """A stack transformation: the inputs of an object with its patches applied; None if it has none.

        Values that are only known after an update are not changed."""
        if not self._any or manifests.kind_of(args.type_) is None or args.type_.endswith("Patch"):
            return None
        known = manifests.as_data(args.props.get("metadata")) or {}
        if not known.get("name"):
            return None
        body = manifests.as_manifest(args.type_, {"metadata": known})
        if (parent := args.opts.parent) and parent.pulumi_resource_type in _WRITTEN_BY_PEOPLE:
            origin = manifests.config_key(parent.pulumi_resource_type, parent.pulumi_resource_name)
            self._patching.elsewhere(Ref.of(body), origin)
            return None
        before = {**_inputs(args.props), **body, "metadata": _with(_plain(args.props["metadata"]), known)}
        after = self._patching.applied(before)
        return None if after is before else pulumi.ResourceTransformationResult(_props(args, after), args.opts)

    def problems(self) -> list[str]:
        """The problems of the patches. Called at the end of the program, before the engine receives any object."""
        return self._patching.problems()


def _inputs(props: Mapping[str, Any]) -> dict[str, Any]:
    """The inputs of a resource as the fields of a manifest."""
    fields = {manifests.property_name(name): _plain(value) for name, value in props.items()}
    return {name: value for name, value in fields.items() if value is not None}


def _props(args: pulumi.ResourceTransformationArgs, after: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a manifest as the inputs of its resource."""
    names = {manifests.property_name(name): name for name in args.props}
    changed = {names.get(field, field): value for field, value in after.items() if field not in _IDENTITY}
    metadata = _with(after["metadata"], _plain(args.props["metadata"]))
    kept = {name: value for field, name in names.items() if field in _IDENTITY and (value := args.props[name])}
    return {**dict.fromkeys(args.props), **changed, "metadata": metadata, **kept}


def _with(metadata: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """Metadata with the name and namespace of `other`: either outputs, or their known values."""
    return {**metadata, **{key: other[key] for key in ("name", "namespace") if other.get(key) is not None}}


def _plain(value: Any) -> Any:
    """An input as plain data, in which outputs remain outputs."""
    if value is not None and _types.is_input_type(type(value)):
        value = _types.input_type_to_dict(value)
    if isinstance(value, Mapping):
        pairs = ((str(key), _plain(item)) for key, item in value.items())
        return {key: item for key, item in pairs if item is not None}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value
