"""Each addon, compared with Istio's sample object by object."""

from __future__ import annotations

import configparser
import copy
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from commands import render
from engine.recorder import Resource
from mesh import releases
from tests.addon_deviations import deviations
from tests.releases import addons as of_release

pytestmark = pytest.mark.slow

REFERENCE = os.environ.get("MESH_REFERENCE")
CASES: Final = [
    (release, addon, insecure)
    for release in releases.NAMES
    for addon in of_release(release)
    for insecure in (False, True)
]
DEFAULTS: Final = {
    "creationTimestamp": None,
    "dnsPolicy": "ClusterFirst",
    "failureThreshold": 3,
    "hostNetwork": False,
    "initialDelaySeconds": 0,
    "protocol": "TCP",
    "replicas": 1,
    "revisionHistoryLimit": 10,
    "scheme": "HTTP",
    "shareProcessNamespace": False,
    "enableServiceLinks": True,
    "partition": 0,
    "privileged": False,
    "successThreshold": 1,
    "timeoutSeconds": 1,
    "sessionAffinity": "None",
    "strategy.type": "RollingUpdate",
    "spec.type": "ClusterIP",
}
"""Default values of the API server: writing them makes no difference."""
NAMES: Final = ("mountPath", "name", "job_name")
"""The fields that identify an item of a list."""
MISSING: Final = "(nothing)"

pytestmark = pytest.mark.skipif(not REFERENCE, reason="MESH_REFERENCE does not name a folder with Istio's own output")


BOOKKEEPING: Final = "app.kubernetes.io/"
"""The beginning of labels that the newer references leave out, unless they select something."""


def parsed(text: Any) -> Any:
    """A file in a ConfigMap as data; of a dashboard nothing, since other tests compare them."""
    if not isinstance(text, str):
        return text
    if text.startswith(("(see dashboards", "(dashboard: see")) or (text.startswith("{") and text.strip() != "{}"):
        return "a dashboard"
    if text.startswith("["):
        ini = configparser.ConfigParser()
        ini.read_string(text)
        return {section: dict(ini[section]) for section in ini.sections()}
    return yaml.safe_load(text) if ": " in text or text.strip() == "{}" else text


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every leaf value by its path; items of lists are identified by name where they have one."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from leaves(inner, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list):
        names = [next((item[key] for key in NAMES if key in item), None) for item in value if isinstance(item, Mapping)]
        named = all(names) and len(set(names)) == len(value)
        for place, inner in enumerate(value):
            yield from leaves(inner, f"{path}[{names[place] if named else place}]")
    elif value not in (None, ""):
        yield path, value


def unmarked(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """The object without labels for bookkeeping."""
    found = copy.deepcopy(dict(manifest))
    for owner in (found, found.get("spec", {}).get("template", {})):
        labels = owner.get("metadata", {}).get("labels", {})
        for label in [label for label in labels or {} if label.startswith(BOOKKEEPING)]:
            del labels[label]
    return found


def normal(manifest: Mapping[str, Any]) -> dict[str, Any]:
    found = dict(manifest)
    if found["kind"] == "ConfigMap":
        found["data"] = {name: parsed(text) for name, text in found["data"].items()}
    if found["kind"] == "Service":
        ports = [{"targetPort": port["port"], **port} for port in found["spec"]["ports"]]
        found["spec"] = {**found["spec"], "ports": ports}
    return dict(leaves(found))


def is_default(path: str, value: Any) -> bool:
    return any(f".{path}".endswith(f".{end}") and value == default for end, default in DEFAULTS.items())


def differences(theirs: Mapping[str, Any], ours: Mapping[str, Any]) -> dict[str, str]:
    """The paths of fields that would differ on a cluster."""
    found = {}
    for path in sorted({*theirs, *ours}):
        one, other = theirs.get(path, MISSING), ours.get(path, MISSING)
        if one != other and not (MISSING in (one, other) and is_default(path, other if one == MISSING else one)):
            found[path] = f"{one} in the sample, {other} here"
    return found


def by_name(release: str, manifests: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    marked = release == releases.DEFAULT  # its reference has all labels
    return {f"{m['kind']}/{m['metadata']['name']}": normal(m if marked else unmarked(m)) for m in manifests}


def sample(release: str, addon: str) -> dict[str, dict[str, Any]]:
    file = Path(str(REFERENCE)) / f"istio-{releases.get(release).version}" / "addons" / f"{addon}.yaml"
    return by_name(release, (m for m in yaml.safe_load_all(file.read_text()) if m))


@cache
def recorded(release: str, insecure: bool) -> list[Resource]:
    """The resources of a stack with all addons."""
    chosen = {**dict.fromkeys(of_release(release), True), "insecureDemo": insecure}
    config = {"mesh:release": release, "mesh:profile": "demo", "mesh:addons": json.dumps(chosen)}
    return render.record("x", config)


def ours(release: str, addon: str, insecure: bool) -> dict[str, dict[str, Any]]:
    """The objects of one addon."""
    resources = recorded(release, insecure)
    (component,) = [r.urn for r in resources if (r.type, r.name) == (f"mesh:addons:{addon.title()}", addon)]
    manifests = render.manifests([r for r in resources if r.parent == component])
    return by_name(release, manifests)


def found(release: str, addon: str, insecure: bool) -> dict[str, str]:
    """Every difference by `Kind/name: path`, and every object that only one side has."""
    theirs, here, result = sample(release, addon), ours(release, addon, insecure), {}
    for name in sorted({*theirs, *here}):
        if name not in theirs or name not in here:
            result[name] = "only in the sample" if name in theirs else "only here"
        else:
            result.update({f"{name}: {path}": text for path, text in differences(theirs[name], here[name]).items()})
    return result


def covers(place: str, at: str) -> bool:
    """Whether a listed deviation covers a difference: an object by its name, a path by its beginning."""
    return at.startswith(place) if ": " in place else at == place


@pytest.mark.parametrize(
    ("release", "addon", "insecure"), CASES, ids=[f"{r} {a} {'insecureDemo' if i else 'safe'}" for r, a, i in CASES]
)
def test_an_addon_differs_from_istios_sample_only_by_the_listed_deviations(
    release: str, addon: str, insecure: bool
) -> None:
    wanted = deviations(release, addon, insecure)
    differs = found(release, addon, insecure)
    unwanted = {at: text for at, text in differs.items() if not any(covers(place, at) for place in wanted)}
    assert unwanted == {}
    gone = [place for place in wanted if not any(covers(place, at) for at in differs)]
    assert gone == [], "listed as different, and equal now"
