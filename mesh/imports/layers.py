"""The parts of a source in the order in which Istio's own tools lay them over each other."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from mesh import releases
from mesh.core import errors
from mesh.core.merge import merged
from mesh.core.names import ROOT
from mesh.imports import gateways, k8s
from mesh.imports.draft import Draft
from mesh.imports.operators import LISTS
from mesh.imports.source import Data, Source, SourceError, as_map, at
from mesh.releases.release import Release
from mesh.values.pilot import Pilot

_PLAIN: Final = ("hub", "tag", "revision", "compatibilityVersion", "meshConfig")
"""Fields of a `spec` that become values. The values of the `spec` override them."""
_KNOWN: Final = frozenset((*_PLAIN, "profile", "values", "unvalidatedValues", "components", "namespace"))
_VARIABLES: Final = ("traceSampling",)
"""Settings of istiod that a profile sets by an environment variable."""
_TOOLS: Final = ("ownerName",)
"""Values that only tell which tool installed something."""


def profile_of(source: Source, release: Release) -> str:
    """The profile of a source. Raises SourceError if the release has none of that name."""
    asked = source.spec.get("profile") or at(source.spec, ("values", "profile"))
    fallback = "minimal" if source.lists_gateways else "default"
    name = str(asked or at(source.spec, ("values", "global", "profile")) or fallback)
    if name not in release.profiles.names:
        raise SourceError(
            f"{source.origin}: profile {errors.not_one_of(name, release.profiles.names)}, which are those of"
            f" Istio {release.name}"
        )
    return name


def laid(source: Source, release: Release, profile: str) -> Draft:
    """The config of a source over a profile, before it is cut down to what differs from it."""
    draft, spec = Draft(release), source.spec
    values = _values(spec)
    of_profile = _by_components(spec, values, release, profile)
    draft.lay(of_profile.undone)
    for key in _PLAIN:
        if key in spec and not (key == "tag" and _of_another(source, release)):
            draft.add((key,), spec[key])
    draft.add(("values",), {key: value for key, value in values.items() if key not in ("gateways", *_TOOLS)})
    if _of_another(source, release):
        draft.config.pop("tag", None)
    draft.lay(of_profile.kept)
    _components(draft, as_map(spec.get("components")))
    if (root := spec.get("namespace")) not in (None, ROOT):
        draft.add(("namespace",), root)
    for key, value in spec.items():
        if key not in _KNOWN:
            draft.add((key,), value)
    gateways.add(draft, source, release, profile, as_map(values.get("gateways")))
    _namespaces(draft)
    return draft


def _values(spec: Data) -> Data:
    values = merged(as_map(spec.get("values")), as_map(spec.get("unvalidatedValues")))
    return {key: value for key, value in values.items() if key != "profile"}


def _of_another(source: Source, release: Release) -> bool:
    """Whether the tag of a source is of another release than the one as which it is read."""
    return source.tag[:1].isdigit() and releases.minor(source.tag) != release.name


class _OfProfile(NamedTuple):
    """The settings of a profile in `components`, without gateways."""

    kept: Data
    undone: Data
    """The defaults of the settings of the profile that do not apply."""


def _by_components(spec: Data, values: Data, release: Release, profile: str) -> _OfProfile:
    """The settings of a profile that override the values of the source. Variables of istiod in the source replace all
    those of the profile."""
    found = {key: part for key, part in release.profiles.by_components.get(profile, {}).items() if key != "gateways"}
    if not (at(values, ("pilot", "env")) or at(spec, ("components", "pilot", "k8s", "env"))):
        return _OfProfile(found, {})
    pilot = as_map(found.get("pilot"))
    kept = {key: value for key, value in pilot.items() if key not in _VARIABLES}
    undone = {key: Pilot.model_fields[key].default for key in pilot if key in _VARIABLES}
    return _OfProfile({**found, "pilot": kept}, {"pilot": undone} if undone else {})


def _components(draft: Draft, components: Data) -> None:
    for name, component in components.items():
        if name in LISTS:
            continue
        path, own = f"components.{name}", as_map(component)
        plain = {key: value for key, value in own.items() if key != "k8s" and (key, value) != ("namespace", ROOT)}
        draft.add(("components", name), plain)
        below = as_map(own.get("k8s"))
        draft.add(("components", name, "k8s"), k8s.settings(below))
        draft.overlays.extend(k8s.overlays(below.get("overlays"), f"{path}.k8s.overlays"))


def _namespaces(draft: Draft) -> None:
    """Declares the namespaces of gateways and node agents as existing. Objects without a namespace are in that of the
    installation."""
    config: dict[str, Any] = draft.config
    root = as_map(config.get("global")).get("istioNamespace", ROOT)
    declared = set()
    for part in (config.get("cni"), config.get("ztunnel"), *as_map(config.get("gateways")).values()):
        if place := as_map(part).get("namespace"):
            if place == root:
                del part["namespace"]
            else:
                declared.add(str(place))
    if declared:
        draft.lay({"namespaces": dict.fromkeys(sorted(declared), "existing")})
