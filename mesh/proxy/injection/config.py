"""The data of ConfigMap `istio-sidecar-injector`: injection policy, templates, and the values that they read."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from typing import Any, Final

import yaml

from mesh.core import documents

VERSION_GUARD: Final = "{{ Template_Version_And_Istio_Version_Mismatched_Check_Installation }}"
"""The only template that an istiod before 1.9 reads; it fails with this name as the error."""

CHECKSUM: Final = "mesh/injection-checksum"
"""Pod annotation with the checksum of the injection, so that pods restart when it changes."""

REVISION: Final = "mesh/revision"
"""Pod annotation with the revision that injects, so that pods restart when it changes."""


def config_map_data(templates: Mapping[str, str], values: Mapping[str, Any]) -> dict[str, str]:
    """The data of the ConfigMap: `config` (YAML) and `values` (JSON).

    `templates` are those of the release by name, `values` the injection values of the installation.
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


def decisive(values: Mapping[str, Any], variables: Collection[str]) -> Mapping[str, Any]:
    """The injection values without istiod's environment variables (`pilot.env`) other than `variables`."""
    pilot = values.get("pilot") or {}
    if "env" not in pilot:
        return values
    env = {name: value for name, value in pilot["env"].items() if name in variables}
    return {**values, "pilot": {**pilot, "env": env}}


def checksum(templates: Mapping[str, str], values: Mapping[str, Any], mesh: Mapping[str, Any]) -> str:
    """A digest of everything that decides how a pod is injected: templates, values, and what they read of MeshConfig
    (`mesh`). It is the value of annotation `CHECKSUM`."""
    text = json.dumps([config_map_data(templates, values), mesh], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


class _Readable(documents.Dumper):
    """A YAML dumper that writes multi-line strings as block literals."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Readable.add_representer(str, _text)
