"""ConfigMap `istio-sidecar-injector`: when to inject, the templates, and the values that they read."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Final

import yaml

VERSION_GUARD: Final = "{{ Template_Version_And_Istio_Version_Mismatched_Check_Installation }}"
"""An istiod of before 1.9 reads this as its only template, and fails with a telling error."""

CHECKSUM: Final = "mesh/injection-checksum"
"""Annotation of pods that are to be restarted when what is injected into them changes."""
MESH_FIELDS: Final = ("defaultConfig", "trustDomain", "enablePrometheusMerge")
"""What the injector and its templates read of MeshConfig."""


def config_map_data(templates: Mapping[str, str], values: Mapping[str, Any]) -> dict[str, str]:
    """The ConfigMap's two texts: `config` (YAML) and `values` (JSON).

    `templates` are the release's; `values` are the installation's, of which `global`, `istio_cni`, `revision` and
    `sidecarInjectorWebhook` are read.
    """
    webhook = values["sidecarInjectorWebhook"]
    config = {
        "policy": values["global"]["proxy"]["autoInject"],
        "alwaysInjectSelector": list(webhook["alwaysInjectSelector"]),
        "neverInjectSelector": list(webhook["neverInjectSelector"]),
        "injectedAnnotations": dict(webhook["injectedAnnotations"]),
        "template": VERSION_GUARD,
        "templates": {**templates, **webhook["templates"]},
        "defaultTemplates": list(webhook["defaultTemplates"]) or ["sidecar"],
    }
    return {
        "config": yaml.dump(config, Dumper=_Readable, sort_keys=False, width=1000),
        "values": json.dumps(values, indent=2, sort_keys=True),
    }


def checksum(templates: Mapping[str, str], values: Mapping[str, Any], mesh: Mapping[str, Any]) -> str:
    """A digest of all that decides how a pod is injected: templates, values and the proxies' part of MeshConfig.

    As annotation `CHECKSUM` of a workload's pods it makes a change of the injection restart them.
    """
    read = {name: mesh.get(name) for name in MESH_FIELDS}
    text = json.dumps([config_map_data(templates, values), read], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


class _Readable(yaml.SafeDumper):
    """Writes texts of several lines as block literals."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Readable.add_representer(str, _text)
