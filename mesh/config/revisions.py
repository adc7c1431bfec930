"""Further control planes of a stack, by revision, beside the one of the stack's own keys."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, Field, ValidationInfo, field_validator

from mesh import releases
from mesh.api import MeshConfig
from mesh.config import tags
from mesh.core import errors, typed
from mesh.core.merge import Data, merged
from mesh.core.typed import Deciding, Documented
from mesh.releases.release import Installation
from mesh.values.pilot import Base, Pilot
from mesh.values.proxy import Global
from mesh.values.telemetry import Telemetry
from mesh.values.values import Digest, SidecarInjectorWebhook, Values

SHARED: Final = (
    ("meshConfig", "trustDomain"),
    ("meshConfig", "rootNamespace"),
    ("global", "istioNamespace"),
    ("global", "meshID"),
    ("global", "network"),
    ("global", "multiCluster", "clusterName"),
    ("global", "proxy", "clusterDomain"),
)
"""The keys with one value for all control planes of a mesh: otherwise their proxies would not trust or reach each
other."""
_OF_CLUSTER: Final = ("cni", "gatewayClasses", "injectedGateways")
"""Values that the control planes of a cluster share, since they describe objects that a cluster has only once."""


def _is_a_release(value: str) -> str:
    if value not in releases.NAMES:
        raise ValueError(tags.unknown_release(value))
    return value


ReleaseName = Annotated[str, AfterValidator(_is_a_release), Deciding]
"""The minor version of a known release."""


def profile_of_release(value: str, info: ValidationInfo) -> str:
    """Validates the field `profile` of a model by its field `release`."""
    profiles = releases.get(info.data.get("release", releases.DEFAULT)).profiles.names
    if value not in profiles:
        raise ValueError(errors.not_one_of(value, profiles))
    return value


class ControlPlane(Documented):
    """A further control plane of the mesh. Keys that it leaves out have the values of its profile. Values that all
    control planes of a mesh share (namespaces of Istio and its configuration, trust domain, mesh ID, network, names of
    the cluster and its domain) are those of the stack."""

    release: ReleaseName
    """Minor version of Istio, in quotes."""
    profile: Annotated[str, Deciding] = "default"
    """Installation profile of the release; the other keys override its values. Its values for gateways, the CNI plugin
    and the cluster are ignored."""
    hub: str = ""
    """Registry and path of Istio's images; those of the release if not set."""
    tag: str = ""
    """Tag of Istio's images; the version of the release if not set."""
    images: dict[Literal["pilot", "proxyv2", "install-cni", "ztunnel"], Digest] = {}
    """Digests of Istio's images, `sha256:…`, by name of the image. A digest replaces the tag."""
    compatibilityVersion: Annotated[str, Deciding] = ""
    """An earlier minor version of Istio, such as `1.28`, whose behavior is kept where this one changed it."""
    meshConfig: MeshConfig = MeshConfig()
    """Mesh-wide configuration, for the proxies of this control plane."""
    pilot: Pilot = Pilot()
    """istiod."""
    global_: Global = Field(default=Global(), alias="global")
    """Settings of its sidecars, logs, image pull secrets."""
    telemetry: Telemetry = Telemetry()
    """Telemetry of its proxies."""
    sidecarInjectorWebhook: SidecarInjectorWebhook = SidecarInjectorWebhook()
    """Sidecar injection: pods that are injected, and templates."""

    _profile = field_validator("profile")(profile_of_release)

    def check(self) -> typed.Findings:
        yield from super().check()
        images = tags.images_of_control_plane(self.pilot, self.global_)
        yield from tags.release_mismatches(tags.tags_of_control_plane(self.tag, self.pilot), images, self.release)
        yield from tags.unknown_compatibility(self.compatibilityVersion, self.release)

    def values(self, revision: str, stack: Values, release: str) -> Values:
        """The values of the installation; `stack` has those of the stack itself, which are for `release`."""
        own = {name: getattr(self, name) for name in type(self).model_fields if name not in ("release", "profile")}
        shared = {name: getattr(stack, name) for name in _OF_CLUSTER} if self.release == release else {}
        tagged = {tag: chosen for tag, chosen in stack.revisionTags.items() if chosen == revision}
        alone = {"revision": revision, "revisionTags": tagged, "base": Base(enabled=False), "gateways": {}}
        values = _of_profile(self.release, self.profile)
        plugin = {"enabled": stack.cni.enabled, "provider": stack.cni.provider}
        found = values.model_copy(update={"cni": values.cni.model_copy(update=plugin)})
        return found.model_copy(update={**shared, **own, **alone})


@cache
def _of_profile(release: str, profile: str) -> Values:
    return releases.get(release).values(profile)


def completed(entry: Any, stack: Data) -> Any:
    """An entry of `mesh:controlPlanes` merged over its profile, as data that is not validated. `stack` has the stack's
    own keys, merged over its profile. An entry whose release is missing or unknown is returned as it is."""
    if not isinstance(entry, Mapping) or entry.get("release") not in releases.NAMES:
        return entry
    release, profile = releases.get(entry["release"]), entry.get("profile", "default")
    if profile not in release.profiles.names:
        return entry
    shared: dict[str, Any] = {}
    for path in SHARED:
        if value := _at(stack, path):
            shared = merged(shared, _nested(path, value))
    chosen = {key: value for key, value in entry.items() if key not in ("release", "profile")}
    data = release.values_data(profile, merged(shared, chosen))
    keys = [field.alias or key for key, field in ControlPlane.model_fields.items()]
    merged_keys = {key: data[key] for key in keys if key in data}
    return {**entry, **merged_keys}


def moved_gateway(name: str, raw: Data, stack: Data) -> Any:
    """A gateway of the stack merged over the profile of the release that its control plane has, as data that is not
    validated. `raw` are the stack's own keys, `stack` are the same merged over their profile."""
    merged_here, given = stack["gateways"][name], _at(raw, ("gateways", name))
    tag = given.get("revision") if isinstance(given, Mapping) else None
    entry = _at(raw, ("controlPlanes", _at(raw, ("revisionTags", str(tag))) or str(tag)))
    release = entry.get("release") if isinstance(entry, Mapping) else None
    if release not in releases.NAMES or release == raw.get("release", releases.DEFAULT):
        return merged_here
    profiles = releases.get(release).profiles.names
    profile = raw["profile"] if raw.get("profile") in profiles else "default"
    found = releases.get(release).values_data(profile, {"gateways": {name: given}})["gateways"][name]
    return {**found, "enabled": merged_here.get("enabled", True)}


def installations(main: Installation, others: Mapping[str, ControlPlane]) -> dict[str, Installation]:
    """The installations of a stack by revision: that of its own keys first, each of which knows the others."""
    made = {main.revision: main} | {
        revision: Installation(
            release=releases.get(entry.release),
            values=entry.values(revision, main.values, main.release.name),
            traced=main.traced,
            collector=main.collector,
            further=True,
        )
        for revision, entry in others.items()
    }
    return {
        revision: one.beside({name: other.release for name, other in made.items() if name != revision})
        for revision, one in made.items()
    }


def _at(data: Data, path: tuple[str, ...]) -> Any:
    found: Any = data
    for key in path:
        found = found.get(key) if isinstance(found, Mapping) else None
    return found


def _nested(path: tuple[str, ...], value: Any) -> dict[str, Any]:
    for key in reversed(path):
        value = {key: value}
    return dict(value)
