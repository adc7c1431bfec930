"""The forms of this project's objects that Istio has, too."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Final

from commands import render
from mesh import releases
from mesh.releases.release import Release
from tests import traffic_configs
from tests.components.test_addons_parity import recorded
from tests.parity import addons, forms, injection, istio
from tests.parity.forms import Forms

Manifests = list[dict[str, Any]]

HUB: Final = "docker.io/istio"
"""The registry of Istio's images in all of its objects that are compared."""
SETTINGS: Final[Mapping[str, Mapping[str, str]]] = {
    "revision-1-30-3-tag-prod": {"revision": "1-30-3", "revisionTags": '{"prod": "1-30-3"}'},
}
"""The config of each set of settings."""
DEFINITION: Final = "CustomResourceDefinition"
NAMESPACE: Final = "default"
"""The namespace of Bookinfo."""
WITH_BOOKINFO: Final[Mapping[str, str]] = {
    "profile": "demo",
    "injectedNamespaces": json.dumps({NAMESPACE: "existing"}),
    "bookinfo": json.dumps({"namespace": NAMESPACE}),
}
"""The config of a stack with Bookinfo."""


def objects(release: Release, name: str) -> Forms:
    """The forms of the objects of a set, such as `profiles/demo`. Raises KeyError if the set is not known."""
    kind, _, rest = name.partition("/")
    return _SETS[kind](release.name, rest)


def rendered(release: str, **config: str) -> Manifests:
    """The objects of a stack of a release; the keys of config without `mesh:`."""
    return _rendered(json.dumps({"release": release, "hub": HUB, **config}))


@cache
def _rendered(config: str) -> Manifests:
    keys = {f"mesh:{key}": value for key, value in json.loads(config).items()}
    return list(render.manifests(render.record("x", keys)))


def _definitions(release: str, _: str) -> Forms:
    return forms.of_manifests([m for m in rendered(release) if m["kind"] == DEFINITION], istios=False)


def _profile(release: str, name: str) -> Forms:
    found = rendered(release, profile=name)
    return forms.of_manifests([m for m in found if m["kind"] != DEFINITION], istios=False)


def _settings(release: str, name: str) -> Forms:
    found = rendered(release, **SETTINGS[name])
    return forms.of_manifests([m for m in found if m["kind"] != DEFINITION], istios=False)


def _injection(release: str, name: str) -> Forms:
    case, _, profile = name.rpartition("-")
    workload = {**injection.WORKLOADS, **_pods_of_bookinfo()}[case]
    return injection.form(workload, injection.injected(releases.get(release), profile, workload))


@cache
def _pods_of_bookinfo() -> Mapping[str, Any]:
    """The workloads of the tutorial's Bookinfo, which all releases inject in the comparison."""
    found = _of_bookinfo(releases.DEFAULT)
    return {
        f"bookinfo-{m['metadata']['name']}": {**m, "metadata": _placeless(m)}
        for m in found
        if m["kind"] == "Deployment"
    }


def _of_bookinfo(release: str) -> Manifests:
    return [m for m in rendered(release, **WITH_BOOKINFO) if m["metadata"].get("namespace") == NAMESPACE]


def _placeless(manifest: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in manifest["metadata"].items() if key != "namespace"}


def _bookinfo(release: str, _: str) -> Forms:
    return istio.placeless(_of_bookinfo(release))


def _sample(release: str, name: str) -> Forms:
    found = traffic_configs.objects(traffic_configs.sample(name), release=release)
    return istio.placeless([item.manifest(releases.get(release).api) for item in found])


def _addon(release: str, name: str) -> Forms:
    addon, _, mode = name.rpartition("-")
    return addons.of_objects(_with_addons(release, mode, addon), release, addon, mode)


def _with_addons(release: str, mode: str, addon: str) -> Manifests:
    resources = recorded(release, insecure=mode == "insecureDemo")
    [component] = [r.urn for r in resources if (r.type, r.name) == (f"mesh:addons:{addon.title()}", addon)]
    return list(render.manifests([r for r in resources if r.parent == component]))


def _dashboards(release: str, _: str) -> Forms:
    found = addons.documents(_with_addons(release, "safe", "grafana"))
    return {name: addons.of_document(document) for name, document in found if "bookinfo" not in name}


_SETS: Final[Mapping[str, Callable[[str, str], Forms]]] = {
    "addons": _addon,
    "bookinfo": _bookinfo,
    "dashboards": _dashboards,
    "definitions": _definitions,
    "injection": _injection,
    "profiles": _profile,
    "samples": _sample,
    "settings": _settings,
}
