"""The form in which an object is compared with Istio's: equal for two manifests without an unintended difference."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from commands.parity import defaults
from commands.parity.intended import DEFAULT_TAG, UNUSED
from commands.parity.normal import Amount, normal
from mesh.analysis.objects import Ref
from mesh.core import diff, kinds
from mesh.core.diff import ABSENT
from mesh.core.kinds import GroupKind

Form = Mapping[str, Any]
"""Plain data by part, such as `data.mesh` or `spec.template.spec.containers[discovery]`."""
Forms = Mapping[str, Form]
"""Forms by the name of the object, such as `Deployment istio-system/istiod`."""
Digests = Mapping[str, Mapping[str, str]]
"""Digests of the parts of objects."""

NEWER: Final[Mapping[str, str]] = {
    "policy/v1beta1": "policy/v1",
    "autoscaling/v2beta1": "autoscaling/v2",
    "autoscaling/v2beta2": "autoscaling/v2",
}
"""Versions of APIs that no current Kubernetes serves."""
_SPLIT: Final = frozenset(("data", "metadata", "spec", "template", "containers", "initContainers", "versions"))
"""Fields that are not compared as a whole, but each of their own fields, or each item with a name."""
_IN_NAME: Final = ("kind", "metadata.name", "metadata.namespace")
_MAY_BE_ADDED: Final = ("metadata.annotations", "metadata.labels", "uid")
"""Parts that an object may have where Istio's has none."""
_SIZE: Final = 16
"""Hexadecimal digits of a digest."""


def of_manifests(manifests: Sequence[Mapping[str, Any]], istios: bool) -> dict[str, Form]:
    """The forms of manifests. `istios`: they are Istio's, whose fields that others own on a cluster do not count."""
    found = {Ref.of(manifest): manifest for manifest in manifests}
    scaled = {
        (ref.namespace, manifest["spec"]["scaleTargetRef"]["name"])
        for ref, manifest in found.items()
        if ref.kind == kinds.HORIZONTAL_POD_AUTOSCALER
    }
    return {
        str(ref): of_manifest(manifest, istios, (ref.namespace, ref.name) in scaled)
        for ref, manifest in found.items()
        if not _left_out(ref, manifest)
    }


def _left_out(ref: Ref, manifest: Mapping[str, Any]) -> bool:
    operator = "install.istio.io" in (ref.kind.group, (manifest.get("spec") or {}).get("group"))
    return operator or ref.kind == kinds.NAMESPACE or ref.name in DEFAULT_TAG


def of_manifest(manifest: Mapping[str, Any], istios: bool, scaled: bool = False) -> Form:
    """The form of a manifest; `scaled`: it has an autoscaler."""
    others = defaults.OTHERS if scaled else defaults.OTHERS - {defaults.SCALED}
    found = _without(normal(manifest), (GroupKind.of(manifest).name,), others if istios else frozenset())
    found["apiVersion"] = NEWER.get(found["apiVersion"], found["apiVersion"])
    config = found.get("data", {}).get("config")
    if isinstance(config, dict) and (templates := config.get("templates")):
        config["templates"] = sorted(set(templates) - UNUSED)
        config.pop("template", None)  # only warns proxies of another release
    return named(parts(found))


def named(form: Form) -> Form:
    """The form without what the name of the object tells."""
    return {part: value for part, value in form.items() if part not in _IN_NAME}


def _without(value: Any, path: diff.Path, ignored: frozenset[str]) -> Any:
    """The value without defaults, empty mappings and fields at the ignored paths; each number in one format."""
    if isinstance(value, Amount):
        return str(value.number.normalize())
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, list):
        return [_without(item, path, ignored) for item in value]
    if not isinstance(value, Mapping):
        return value
    found = {}
    for key, inner in value.items():
        at = path if key.startswith("[") else (*path, key)
        kept = ABSENT if ".".join(at) in ignored | defaults.ASSIGNED else _without(inner, at, ignored)
        if kept is not ABSENT and kept not in ({}, defaults.default(at)):
            found[key] = kept
    return found


def parts(value: Mapping[str, Any], at: str = "") -> Form:
    """A value by part."""
    found: dict[str, Any] = {}
    for key, inner in value.items():
        path = f"{at}{key}" if not at or key.startswith("[") else f"{at}.{key}"
        found |= parts(inner, path) if key in _SPLIT and isinstance(inner, Mapping) else {path: inner}
    return found


def digests(forms: Forms) -> dict[str, dict[str, str]]:
    """The digests of forms, sorted."""
    return {
        name: {part: _digest(value) for part, value in sorted(form.items())} for name, form in sorted(forms.items())
    }


def _digest(value: Any) -> str:
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:_SIZE]


def differences(theirs: Digests, ours: Forms, shown: Forms | None = None) -> Iterator[str]:
    """The parts whose digests differ. `shown` holds Istio's own forms, if they are known: then the fields."""
    here = digests(ours)
    for name in sorted({*theirs, *here}):
        if name not in here or name not in theirs:
            yield f"{name}: only {'here' if name in here else 'in Istio'}"
            continue
        for part in sorted({*theirs[name], *here[name]}):
            added = part in _MAY_BE_ADDED and part not in theirs[name]
            if theirs[name].get(part) != here[name].get(part) and not added:
                yield from _told(f"{name}: {part}", part, ours[name], shown[name] if shown else None)


def _told(name: str, part: str, ours: Form, theirs: Form | None) -> Iterator[str]:
    if theirs is None:
        yield f"{name} is not as in Istio"
        return
    for path, old, new, _ in diff.Comparison().walk(theirs.get(part, ABSENT), ours.get(part, ABSENT)):
        there, here = ("nothing" if side is ABSENT else json.dumps(side) for side in (old, new))
        yield f"{'.'.join((name, *path))}: {there} in Istio, {here} here"
