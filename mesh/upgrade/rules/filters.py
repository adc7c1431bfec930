"""EnvoyFilters: the proxies that they patch, and the filters that they name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from mesh.analysis.objects import Object
from mesh.api import regex
from mesh.core import kinds
from mesh.core.errors import show
from mesh.releases.differences import Severity, order
from mesh.upgrade.changes import Change, Place
from mesh.upgrade.subject import Hit, Subject

_ADDING: Final = ("ADD", "INSERT_BEFORE", "INSERT_AFTER", "INSERT_FIRST", "REPLACE")
_TYPED: Final = ("HTTP_FILTER", "NETWORK_FILTER")
_WITH_TYPE: Final = ("typed_config", "typedConfig", "config_discovery", "configDiscovery")
_OUTBOUND: Final = (None, "ANY", "SIDECAR_OUTBOUND")


def _patches(subject: Subject) -> Iterator[tuple[Object, str, Mapping[str, Any]]]:
    """The patches for proxies of the newer release."""
    return (found for found in _all_patches(subject) if _fits(found[2], subject.after.release.version))


def _all_patches(subject: Subject) -> Iterator[tuple[Object, str, Mapping[str, Any]]]:
    for obj in subject.own(kinds.ENVOY_FILTER):
        for i, patch in enumerate(obj.items("configPatches")):
            yield obj, f"configPatches[{i}]", patch


def proxy_versions(subject: Subject) -> Iterator[Change]:
    """The patches for proxies of the older release only, unless another patch is for those of the newer one."""
    for obj, path, patch in _all_patches(subject):
        if not _fits(patch, subject.before.release.version) or _fits(patch, subject.after.release.version):
            continue
        others = (one for one in obj.items("configPatches") if one is not patch and _target(one) == _target(patch))
        if any(_fits(one, subject.after.release.version) for one in others):
            continue
        version = ((patch.get("match") or {}).get("proxy") or {}).get("proxyVersion")
        yield Change(
            severity=Severity.CHANGED,
            name="proxy-versions",
            since=subject.after.release.name,
            places=(Place.of(obj, f"{path}.match.proxy.proxyVersion"),),
            before=f"{show(version)} matches proxies of {subject.before.release.version}",
            after=f"it matches none of {subject.after.release.version}: they do not get the patch",
            remedy="add a patch for the newer proxies beside it, after a trial on one workload; what the patch changes"
            " may have another name there",
            source="EnvoyFilter, ProxyMatch (istio/api: networking/v1alpha3)",
        )


def _fits(patch: Mapping[str, Any], version: str) -> bool:
    wanted = ((patch.get("match") or {}).get("proxy") or {}).get("proxyVersion")
    return not wanted or regex.matches(f".*(?:{wanted}).*", version)


def _target(patch: Mapping[str, Any]) -> tuple[Any, ...]:
    """What a patch applies to, without the proxies."""
    match = {key: value for key, value in (patch.get("match") or {}).items() if key != "proxy"}
    return patch.get("applyTo"), match


def gone(subject: Subject) -> Iterator[Change]:
    """The filters that a patch names, in its match or its value, and that newer proxies do not have."""
    known = subject.after.release.differences.filters
    for obj, path, patch in _patches(subject):
        used = [*(name for _, name in _matched(patch)), *_texts((patch.get("patch") or {}).get("value"))]
        for name, lost in known.items():
            if any(name in text for text in used) and order(lost.since) > order(subject.before.release.name):
                yield Change(
                    severity=Severity.REFUSED,
                    name="gone-filters",
                    since=lost.since,
                    places=(Place.of(obj, path),),
                    before=f"the patch names {name}",
                    after=lost.after,
                    remedy=lost.remedy,
                    source=lost.source,
                )


def _texts(value: Any) -> Iterator[str]:
    """All texts in a value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)


def _matched(patch: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The names of filters in the match of a patch, with their paths."""
    listener = (patch.get("match") or {}).get("listener") or {}
    network = (listener.get("filterChain") or {}).get("filter") or {}
    found = {
        "match.listener.listenerFilter": listener.get("listenerFilter"),
        "match.listener.filterChain.filter.name": network.get("name"),
        "match.listener.filterChain.filter.subFilter.name": (network.get("subFilter") or {}).get("name"),
    }
    yield from ((path, name) for path, name in found.items() if name)


def names(subject: Subject) -> Iterator[Hit]:
    """The filters that a match names by their old names."""
    known = subject.after.release.differences.filter_names
    for obj, path, patch in _patches(subject):
        for below, name in _matched(patch):
            if name in known:
                yield Hit(Place.of(obj, f"{path}.{below}"), {"name": name, "now": known[name]})


def types(subject: Subject) -> Iterator[Hit]:
    """The filters that are added without their type."""
    for obj, path, patch in _patches(subject):
        change = patch.get("patch") or {}
        value = change.get("value") or {}
        adds = patch.get("applyTo") in _TYPED and change.get("operation") in _ADDING and value.get("name")
        if adds and not any(field in value for field in _WITH_TYPE):
            yield Hit(Place.of(obj, f"{path}.patch.value"), {"name": str(value["name"])})


def virtual_hosts(subject: Subject) -> Iterator[Hit]:
    """The patches that match virtual hosts of outbound routes by their names."""
    for obj, path, patch in _patches(subject):
        match = patch.get("match") or {}
        host = ((match.get("routeConfiguration") or {}).get("vhost") or {}).get("name")
        if host and match.get("context") in _OUTBOUND:
            yield Hit(Place.of(obj, f"{path}.match.routeConfiguration.vhost.name"))


RULES: Final = {"filter-names": names, "filter-types": types, "virtual-host-names": virtual_hosts}
GENERAL: Final = (proxy_versions, gone)
