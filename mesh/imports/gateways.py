"""The gateways of a source: those of its profile, those that it lists, and those that charts install."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from mesh.core.merge import merged
from mesh.imports import k8s
from mesh.imports.draft import LIST, Draft
from mesh.imports.source import Data, Left, Source, as_map
from mesh.releases.release import Release
from mesh.values.gateway import Gateway, Kind

_OWN: Final[dict[Kind, str]] = {"ingress": "istio-ingressgateway", "egress": "istio-egressgateway"}
"""Istio's own gateway of each kind, whose values apply to all gateways of the kind."""
_NAMED: Final = ("name", "enabled", "labels", "zvpn", "customService")
"""Values of a gateway that are no settings of it: its component has them, or nothing reads them."""


@dataclass(frozen=True, kw_only=True)
class _Of:
    """The gateways of a kind."""

    kind: Kind
    source: Source
    release: Release
    profile: str
    values: Data
    """`values.gateways.<Istio's own>` of the source."""

    @property
    def own(self) -> str:
        return _OWN[self.kind]

    @property
    def key(self) -> str:
        return f"{self.kind}Gateways"

    @property
    def listed(self) -> list[Data]:
        found: list[Data] = as_map(self.source.spec.get("components")).get(self.key) or []
        return found

    @property
    def of_profile(self) -> dict[str, Any]:
        """The gateways of the kind that the profile has, with their settings."""
        data = self.release.values_data(self.profile, {})["gateways"]
        return {name: spec for name, spec in data.items() if spec["kind"] == self.kind}


def add(draft: Draft, source: Source, release: Release, profile: str, values: Data) -> None:
    """Adds the gateways of a source; `values` is its `values.gateways`."""
    draft.add(("values", "gateways"), {key: value for key, value in values.items() if key not in _OWN.values()})
    for kind, own in _OWN.items():
        _add_kind(
            draft, _Of(kind=kind, source=source, release=release, profile=profile, values=as_map(values.get(own)))
        )
    for chart in source.gateway_charts:
        _add_chart(draft, chart.name, chart.values)


def _add_kind(draft: Draft, of: _Of) -> None:
    names = {str(entry["name"]): entry for entry in of.listed}
    shared = _shared(draft, of)
    for name in [*of.of_profile, *(name for name in names if name not in of.of_profile)]:
        entry = names.get(name)
        if not _is_enabled(of, name, entry):
            if name in of.of_profile:
                draft.lay({"gateways": {name: {"enabled": False}}})
            continue
        if name not in of.of_profile:
            draft.lay({"gateways": {name: {"kind": of.kind}}})
        for part in (_of_profile(of, name), shared, _by_components(of, name)):
            draft.lay({"gateways": {name: part}} if part else {})
        _add_entry(draft, of, name, entry or {})
        _add_labels(draft, of, name, as_map((entry or {}).get("label")))


def _is_enabled(of: _Of, name: str, entry: Data | None) -> bool:
    if name == of.own and as_map(of.values).get("enabled"):
        return True
    if entry is not None and entry.get("enabled") is not None:
        return bool(entry["enabled"])
    if name in of.of_profile and (of.release.profiles.merges_gateways or not of.listed):
        return not of.source.lists_gateways
    return entry is not None and not of.release.profiles.merges_gateways


def _shared(draft: Draft, of: _Of) -> Data:
    """The settings that the source's values give all gateways of the kind."""
    own = Draft(draft.release)
    values = {key: value for key, value in of.values.items() if key not in _NAMED}
    own.add(("values", "gateways", of.own), values)
    draft.left.extend(own.left)
    return as_map(as_map(own.config.get("gateways")).get(of.own))


def _of_profile(of: _Of, name: str) -> Data:
    """The settings that the profile's values give a gateway that it does not have itself."""
    own = of.of_profile.get(of.own)
    if name in of.of_profile or own is None:
        return {}
    usual = merged(Gateway.model_construct().model_dump(), of.release.profiles.gateways[of.kind])
    differing = {key: value for key, value in own.items() if value != usual.get(key)}
    return {key: value for key, value in differing.items() if key not in _by_components(of, of.own)}


def _by_components(of: _Of, name: str) -> Data:
    """The profile's settings of a gateway in `components`, where they override values."""
    return as_map(as_map(of.release.profiles.by_components.get(of.profile, {}).get("gateways")).get(name))


def _add_entry(draft: Draft, of: _Of, name: str, entry: Data) -> None:
    shown = f"components.{of.key}[{name}]"
    plain = {key: value for key, value in entry.items() if key not in ("name", "enabled", "label", "k8s")}
    draft.add(("components", of.key, LIST), plain, shown, name)
    below = as_map(entry.get("k8s"))
    given = k8s.settings(below)
    draft.add(("components", of.key, LIST, "k8s"), given, f"{shown}.k8s", name)
    draft.overlays.extend(k8s.overlays(below.get("overlays"), f"{shown}.k8s.overlays"))


def _add_labels(draft: Draft, of: _Of, name: str, label: Data) -> None:
    """Adds the labels that the gateway would not have by default."""
    istios = {"app": of.own, "istio": of.own.removeprefix("istio-")}
    labels = {**istios, **as_map(of.values.get("labels")), **label}
    usual = Gateway.model_construct(labels={}).selector(name)
    told = {key: value for key, value in labels.items() if usual.get(key) != value}
    if told:
        draft.put(("gateways", name, "labels"), told, f"components.{of.key}[{name}].label")


def _add_chart(draft: Draft, name: str, values: Data) -> None:
    """A gateway of Helm's chart `gateway`."""
    draft.lay({"gateways": {name: {"kind": "ingress"}}})
    kept = {key: value for key, value in values.items() if key not in ("name", "labels", "kind")}
    draft.add(("gateway",), kept, f"gateway:{name}", name)
    draft.put(("gateways", name, "labels"), as_map(values.get("labels")), f"gateway:{name}.labels")
    draft.left.extend(_of_chart(name))


def _of_chart(name: str) -> Iterator[Left]:
    yield Left(
        path=f"gateway:{name}",
        why="Istio's chart relies on injection of the proxy; here its pods contain the proxy, and are replaced once",
    )
