"""What Istio's own tool makes of the IstioOperators in tests/samples/operators, as digests.

`python -m tests.parity.operators 1.10 ISTIOCTL…` writes those of a release, with the command of an istioctl that
has its charts (for 1.30, a newer one with `--manifests`). Only what differs from a sample's profile is there.
"""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

from commands import overlaying, render
from mesh import releases
from mesh.core import kinds
from mesh.core.kinds import GroupKind
from mesh.imports import importing, reading
from mesh.imports.importing import Imported
from tests.parity import forms, lock
from tests.parity.forms import Digests, Forms

SAMPLES: Final = Path(__file__).parents[1] / "samples" / "operators"
_ARCHITECTURE: Final = "kubernetes.io/arch"
_TOLD: Final = "ISTIO_METAJSON_ANNOTATIONS"
_OF_CHARTS: Final = tuple(f"app.kubernetes.io/{name}" for name in ("instance", "name", "part-of", "version"))
"""Labels with names and versions of charts, which `helm template` of Istio's own charts has otherwise."""
_FOR_TOOLS: Final = "values"
"""The ConfigMap in which newer charts note the values that they were given."""


def samples(release: str) -> list[Path]:
    """The samples of a release."""
    return [path for path in sorted(SAMPLES.glob("*.yaml")) if imported(path).release.name == release]


@cache
def imported(path: Path) -> Imported:
    """A sample as a stack."""
    return overlaying.patched(importing.imported(reading.read(str(path), SAMPLES)))


def file(release: str) -> Path:
    """The lock file of the samples of a release."""
    return lock.FOLDER / f"operators-{releases.get(release).version}.lock.json"


def expected(path: Path) -> Digests:
    """The digests of what Istio's own tool makes of a sample."""
    made = imported(path)
    recorded = lock.read(file(made.release.name))[path.stem]
    whole = {**_of_profile(made), **recorded}
    return {name: parts for name, parts in whole.items() if parts}


def _of_profile(made: Imported) -> Digests:
    """The digests of the profile of a sample, if they are known; without objects that the samples change often."""
    return {
        name: parts
        for name, parts in lock.read(lock.file(made.release)).get(f"profiles/{made.profile}", {}).items()
        if name.split()[0] not in ("Deployment", "ValidatingWebhookConfiguration")
    }


def ours(path: Path) -> Forms:
    """The forms of the objects of a sample's stack."""
    config = {f"mesh:{key}": v if isinstance(v, str) else json.dumps(v) for key, v in imported(path).config.items()}
    return _forms(list(render.manifests(render.record("x", config))), istios=False)


def _forms(manifests: Sequence[Mapping[str, Any]], istios: bool) -> Forms:
    compared = [_without_wanted(m) for m in manifests if not _left_out(m)]
    return forms.of_manifests(compared, istios=istios)


def _left_out(manifest: Mapping[str, Any]) -> bool:
    definition = str(manifest["kind"]) == kinds.CUSTOM_RESOURCE_DEFINITION.name
    name = str(manifest["metadata"]["name"])
    return definition or (manifest["kind"] == "ConfigMap" and name.split("-")[0] == _FOR_TOOLS)


def _without_wanted(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """An object without what docs/differences.md calls wanted where settings are not the profile's own."""
    found: dict[str, Any] = copy.deepcopy(dict(manifest))
    if GroupKind.of(found) == kinds.VALIDATING_WEBHOOK:
        for webhook in found["webhooks"]:
            webhook["clientConfig"].get("service", {})["name"] = "istiod"
    for port in found["spec"]["ports"] if GroupKind.of(found) == kinds.SERVICE else ():
        port.pop("nodePort", None)  # the forms of Istio's objects have none, since a cluster assigns them
    if GroupKind.of(found) in (kinds.DEPLOYMENT, kinds.DAEMON_SET):
        template = found["spec"]["template"]
        for label in _OF_CHARTS:
            (template["metadata"].get("labels") or {}).pop(label, None)
        for container in template["spec"]["containers"]:
            container["env"] = [one for one in container.get("env") or [] if one["name"] != _TOLD]
        affinity = (template["spec"].get("affinity") or {}).get("nodeAffinity") or {}
        for part in [key for key, value in affinity.items() if set(_asked(value)) == {_ARCHITECTURE}]:
            del affinity[part]
    for label in (*_OF_CHARTS, "helm.sh/chart"):
        (found["metadata"].get("labels") or {}).pop(label, None)
    return found


def _asked(affinity: Any) -> Iterator[str]:
    """The labels that a node affinity asks for."""
    for inner in affinity.values() if isinstance(affinity, Mapping) else affinity if isinstance(affinity, list) else ():
        if isinstance(inner, Mapping) and "operator" in inner:
            yield inner["key"]
        else:
            yield from _asked(inner)


def _recorded(path: Path, command: Sequence[str]) -> dict[str, Mapping[str, str]]:
    asked = [*command, "manifest", "generate", "-f", str(path)]
    text = subprocess.run(asked, capture_output=True, text=True, check=True).stdout
    found = forms.digests(_forms([m for m in yaml.safe_load_all(text) if m], istios=True))
    usual = _of_profile(imported(path))
    gone: dict[str, Mapping[str, str]] = {name: {} for name in usual if name not in found}
    return {name: parts for name, parts in found.items() if usual.get(name) != parts} | gone


def main(release: str, *command: str) -> int:
    """Writes the lock file of a release."""
    sets = {path.stem: _recorded(path, command) for path in samples(release)}
    file(release).write_text(json.dumps(sets, indent=1, sort_keys=True) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
