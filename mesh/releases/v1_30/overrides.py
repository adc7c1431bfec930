"""The image, resources and seccomp profile of an Istio 1.30 proxy's containers."""

from __future__ import annotations

from mesh.proxy.expr import Node, Value, contains, ternary, when, without_nulls
from mesh.proxy.inputs import Inputs
from mesh.proxy.overrides import IMAGE, own_resources


def image(inputs: Inputs, container: str) -> Value:
    """The image of container `proxy` or `proxy_init`: a full reference of the pod's annotation or the values, else the
    installation's proxy."""
    chosen = inputs.annotation(IMAGE, inputs.setting(f"global.{container}.image"))
    return ternary(contains("/", chosen), chosen, inputs.proxy_image)


def resources(inputs: Inputs) -> Node:
    """Requests and limits: those of the pod's annotations if it has any of them, else those of the installation."""
    return own_resources(inputs, setting_without_nulls(inputs, "global.proxy.resources"))


def setting_without_nulls(inputs: Inputs, path: str) -> Node:
    """An object of the values without null fields, with which a profile removes fields of its parent; absent if
    empty."""
    found = inputs.setting(path, "object")
    return when(found, without_nulls(found))


def seccomp_profile(inputs: Inputs, section: str) -> Node:
    """`seccompProfile` of a section of the values; absent if empty."""
    found = inputs.setting(f"{section}.seccompProfile", "object")
    return when(found, found)
