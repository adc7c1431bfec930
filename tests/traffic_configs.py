"""Stacks with `mesh:traffic` for tests, and the objects that they compile to."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from mesh.config import loading
from mesh.config.settings import SettingsError
from mesh.config.stack import Stack
from mesh.core.merge import merged
from mesh.traffic.objects import ConfigObject

SAMPLES = Path(__file__).parent / "samples"
EVERYTHING = SAMPLES.parent / "everything.yaml"
VERSIONS = "destination-rule-all"
"""The sample with the subsets that every route to a version needs."""


def sample(name: str) -> dict[str, Any]:
    """The config that corresponds to a sample of Bookinfo, with the subsets that its routes need."""
    piece: dict[str, Any] = yaml.safe_load((SAMPLES / f"{name}.yaml").read_text())
    if not name.startswith("virtual-service"):
        return piece
    return merged(yaml.safe_load((SAMPLES / f"{VERSIONS}.yaml").read_text()), piece)


def load(traffic: dict[str, Any], **keys: Any) -> Stack:
    """A stack with this traffic, in the profile demo and with one injected namespace."""
    config = {"profile": "demo", "injectedNamespaces": {"default": "existing"}, "traffic": traffic, **keys}
    text = {f"mesh:{key}": value if isinstance(value, str) else json.dumps(value) for key, value in config.items()}
    return loading.load(text)


def refusal(traffic: dict[str, Any], **keys: Any) -> str:
    """The error message for the traffic."""
    with pytest.raises(SettingsError) as refused:
        load(traffic, **keys)
    return str(refused.value)


def objects(traffic: dict[str, Any], **keys: Any) -> list[ConfigObject]:
    return list(load(traffic, **keys).traffic)


def everything(**more: Any) -> Stack:
    """The stack of everything.yaml, which sets every key, with further keys."""
    keys = merged(yaml.safe_load(EVERYTHING.read_text()), more)
    return load(keys.pop("traffic"), **keys)


def specs(traffic: dict[str, Any], **keys: Any) -> dict[str, dict[str, Any]]:
    """The specs of the objects that the traffic compiles to, by `kind/name`."""
    return {f"{item.body.kind}/{item.name}": item.body.spec() for item in objects(traffic, **keys)}


def service(**fields: Any) -> dict[str, Any]:
    """Traffic to the service `reviews` with its three versions."""
    return {"services": {"reviews": {"versions": ["v1", "v2", "v3"], **fields}}}


def routes(**fields: Any) -> list[dict[str, Any]]:
    """The HTTP routes of `reviews` with these fields."""
    found: list[dict[str, Any]] = specs(service(**fields))["VirtualService/reviews"]["http"]
    return found


def policy(**fields: Any) -> dict[str, Any]:
    """The traffic policy of `reviews` with these fields."""
    found: dict[str, Any] = specs(service(**fields))["DestinationRule/reviews"]["trafficPolicy"]
    return found
