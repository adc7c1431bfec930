"""The fields of Kubernetes' types that settings have are those of the provider's own types."""

from __future__ import annotations

import inspect
import sys
import typing
from collections.abc import Awaitable, Iterator, Mapping, Sequence
from typing import Any

import pulumi
from pulumi_kubernetes.apps.v1 import DeploymentStrategyArgs
from pulumi_kubernetes.autoscaling.v2 import HorizontalPodAutoscalerSpecArgs
from pulumi_kubernetes.core import v1
from pulumi_kubernetes.policy.v1 import PodDisruptionBudgetSpecArgs

from mesh.core.kubernetes_fields import FIELDS

ROOTS = (
    DeploymentStrategyArgs,
    HorizontalPodAutoscalerSpecArgs,
    PodDisruptionBudgetSpecArgs,
    *(v1.ContainerArgs, v1.VolumeArgs, v1.PodSecurityContextArgs, v1.TopologySpreadConstraintArgs),
    *(v1.ServiceSpecArgs, v1.PodDNSConfigArgs),
)


def theirs() -> dict[str, dict[str, tuple[str, bool]]]:
    """The fields of the provider's types that settings lead to: their types, and whether each is needed."""
    found: dict[str, dict[str, tuple[str, bool]]] = {}
    left: list[type] = list(ROOTS)
    while left:
        kind = left.pop()
        if (name := kind.__name__.removesuffix("Args")) not in found:
            fields = dict(_fields(kind, left))
            found[name] = fields
    return found


def _fields(kind: type, left: list[type]) -> Iterator[tuple[str, tuple[str, bool]]]:
    module, signature = sys.modules[kind.__module__], inspect.signature(kind)
    for name, field in inspect.getmembers(kind, lambda member: isinstance(member, property)):
        needed = signature.parameters[name].default is inspect.Parameter.empty
        wire = getattr(field.fget, "_pulumi_name", name)
        yield wire, (_named(field.fget.__annotations__["return"], vars(module), left), needed)


def _named(kind: Any, names: Mapping[str, Any], left: list[type]) -> str:
    """The name of a type, without the forms in which Pulumi also takes a value."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is typing.Union:
        return "|".join(sorted({_named(one, names, left) for one in arguments} - {""}))
    if origin in (Awaitable, pulumi.Output) or kind is type(None):
        return ""
    if origin in (Sequence, list):
        return f"{_named(arguments[0], names, left)}[]"
    if origin in (Mapping, dict):
        return f"{_named(arguments[1], names, left)}{{}}"
    text = kind.__forward_arg__ if isinstance(kind, typing.ForwardRef) else getattr(kind, "__name__", str(kind))
    if "Output" in text or text.endswith("ArgsDict"):
        return ""
    if text.endswith("Args"):
        left.append(eval(text, {"pulumi": pulumi, **names}))
    return text.rpartition(".")[2].removesuffix("Args")


def ours() -> dict[str, dict[str, tuple[str, bool]]]:
    found: dict[str, dict[str, tuple[str, bool]]] = {}
    for name, text in FIELDS.items():
        pairs = [part.split(":") for part in text.split()]
        plain = {field: kind.replace("quantity", "str") for field, kind in pairs}
        found[name] = {field.rstrip("!"): (kind, field.endswith("!")) for field, kind in plain.items()}
    return found


def test_the_fields_of_settings_are_those_of_the_providers_types() -> None:
    provided = theirs()
    provided["ServiceSpec"]["type"] = ("str", False)  # an enumeration or a text
    assert ours() == provided
