"""Kubernetes objects, from the resources that Pulumi sends to the policy pack."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pulumi_policy import StackValidationArgs
from pulumi_policy.proxy import UnknownValueError

from engine import manifests
from mesh.analysis.objects import Object


def read(resource_type: str, props: Mapping[str, Any], origin: str = "") -> Object | None:
    """The object of a Kubernetes resource, without values that are not known before an update.

    None for other resources, for kinds that no policy reads, and while the name is not known."""
    if manifests.kind_of(resource_type) not in manifests.KINDS:
        return None
    manifest = _known(props)
    named = (manifest.get("metadata") or {}).get("name")
    return Object.read(manifests.as_manifest(resource_type, manifest), origin) if named else None


def all_of(args: StackValidationArgs) -> Iterator[tuple[Object, str]]:
    """The objects of a stack, each with its URN."""
    for resource in args.resources:
        parent = resource.parent.urn if resource.parent else ""
        if item := read(resource.resource_type, resource.props, manifests.config_key_of(parent)):
            yield item, resource.urn


def _known(value: Any) -> Any:
    """A value as plain data, without its unknown parts, which raise UnknownValueError when they are read."""
    if isinstance(value, Mapping):
        return {key: _known(value[key]) for key in value if _can_be_read(value, key)}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_known(value[i]) for i in range(len(value)) if _can_be_read(value, i)]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _can_be_read(whole: Any, key: Any) -> bool:
    try:
        whole[key]
    except UnknownValueError:
        return False
    return True
