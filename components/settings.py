"""A stack's settings: every key of the config namespace `mesh`, its type, its default and what it means."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import Field, ValidationError, field_validator

from components import errors, profiles
from components.addons.config import Addons, spelt_out
from components.analysis.suppression import Findings
from components.installation import ROOT
from components.profiles import Name, PortNumber, ServiceType, Values
from components.profiles.merge import merged
from components.security import config as security
from components.security.config import Security
from components.traffic import stack as traffic
from components.traffic.config import Traffic
from components.traffic.limits import RateLimit
from components.typed import ShortForm

NAMESPACE: Final = "mesh"
"""The config namespace; any key of it that is not a field of `Settings` is an error."""
INGRESS: Final = "istio-ingressgateway"
"""The gateway that `gatewayServiceType` and `ingressNodePorts` are about."""

Ownership = Literal["create", "existing"]
Seconds = Annotated[int, Field(ge=1)]


class SettingsError(Exception):
    """The config is not usable; the text names each key, its value and what is possible instead."""


class InjectedNamespace(ShortForm):
    """A namespace whose pods get a sidecar; `create` or `existing` alone stands for a map with this ownership."""

    short_forms = "create, existing"

    ownership: Ownership
    """`create`: ours, made and removed with the stack. `existing`: somebody else's, which gets only a label."""
    injection: Literal["auto", "manual"] = "auto"
    """`auto`: by istiod, as pods are created. `manual`: by this program, into the workloads that it deploys."""


class Bookinfo(ShortForm):
    """The Bookinfo application."""

    short_forms = "true, false"

    namespace: Name = "default"
    """Where it runs; one of `injectedNamespaces`."""
    gateway: bool = True
    """Whether it brings a Gateway and a VirtualService for plain HTTP to any host; off where `traffic` has its own."""


class Settings(Values):
    """The keys of the config namespace `mesh`: the stack's own, and differences from its profile."""

    profile: str = "default"
    """Installation profile."""
    gatewayServiceType: ServiceType | None = None
    """Service type of `istio-ingressgateway`; the profile's own if not set. Short for `gateways`."""
    ingressNodePorts: dict[str, PortNumber] = {}
    """Fixed node ports of `istio-ingressgateway`, by the name of the Service's port. Short for `gateways`."""
    nodeAddress: str | None = None
    """Host name or address under which node ports are reached; the first node's if not set."""
    injectedNamespaces: dict[Name, InjectedNamespace] = {}
    """Namespaces whose pods get a sidecar. `create`: ours, made and removed with the stack. `existing`: somebody
    else's, which gets only a label. `injection` is `auto`, or `manual` for sidecars that are part of the stack's
    workloads."""
    namespaces: dict[Name, Ownership] = {}
    """Further namespaces in which the stack has gateways or the network plugin, without injection."""
    bookinfo: Bookinfo | None = None
    """The Bookinfo application, if wanted: `true`, or a map."""
    traffic: Traffic = Traffic()
    """How requests travel: between services, into the mesh, and out of it; see [Traffic](docs/traffic.md)."""
    security: Security = Security()
    """Mutual TLS, who may call whom, and tokens of users; see [Security](docs/security.md)."""
    rateLimit: RateLimit = RateLimit()
    """The rate-limit service, which the stack has where a limit of `traffic` is global."""
    addons: Addons = Addons()
    """What watches the mesh, if wanted: Prometheus, Jaeger, Grafana, Kiali."""
    restartOnInjectionChange: bool = False
    """Whether the stack's workloads restart when the sidecar that they would get changes: template, image, proxy
    configuration. Otherwise they keep the old one until something else restarts them."""
    injectionGate: bool = True
    """Whether workloads wait until istiod has patched its webhooks; off only where no istiod runs."""
    keepDefinitions: bool = False
    """Whether the definitions of Istio's API, and with them everybody's custom resources, outlive the stack. Counts
    from the next `up` on."""
    analysis: Findings = Findings()
    """What the analysis of the stack's objects, before they are registered, is to leave out."""
    timeout: Seconds = 300
    """Seconds that one object has to get ready, or to be gone."""
    context: str | None = None
    """The kubeconfig context of the stack's cluster. `mesh-dev` is the embedded cluster."""

    @field_validator("profile")
    @classmethod
    def _known(cls, value: str) -> str:
        if value not in profiles.NAMES:
            raise ValueError(errors.none_of(value, profiles.NAMES))
        return value

    @field_validator("injectedNamespaces", mode="before")
    @classmethod
    def _ownership(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        return {name: {"ownership": how} if isinstance(how, str) else how for name, how in value.items()}

    @field_validator("bookinfo", mode="before")
    @classmethod
    def _switch(cls, value: Any) -> Any:
        return {True: Bookinfo(), False: None}.get(value, value) if isinstance(value, bool) else value

    @field_validator("addons", mode="before")
    @classmethod
    def _addons(cls, value: Any) -> Any:
        return spelt_out(value)

    @property
    def uses_root(self) -> bool:
        """Whether anything goes into Istio's own namespace."""
        return super().uses_root or bool(self.addons.chosen)

    @property
    def ownership(self) -> dict[str, Ownership]:
        """Every namespace that is declared, injected or not."""
        return {name: how.ownership for name, how in self.injectedNamespaces.items()} | self.namespaces


def load(config: Mapping[str, str], context: str | None = None) -> Settings:
    """The settings in `config` (keys `namespace:name`, values as Pulumi hands them over: text, or JSON for
    maps and booleans). `context` is what the user named on the command line. Raises SettingsError."""
    prefix = f"{NAMESPACE}:"
    raw = {key.removeprefix(prefix): _decoded(value) for key, value in config.items() if key.startswith(prefix)}
    first = _validated(_with_profile(raw))
    problems = [*_shorthand_problems(first, raw), *_contradictions(first, context)]
    if problems:
        raise SettingsError("\n".join(problems))
    settings = _validated(_with_profile(_without_shorthand(first, raw)))
    return settings if context is None else settings.model_copy(update={"context": context})


def from_pulumi() -> Settings:
    """The settings of the running program's stack, with the environment's CONTEXT. Raises SettingsError."""
    from pulumi.runtime import config

    return load(config.CONFIG.get() or config.get_config_env(), os.environ.get("CONTEXT") or None)


def _decoded(value: str) -> Any:
    if value[:1] not in ("{", "[") and value not in ("true", "false"):
        return value
    try:
        return json.loads(value)
    except ValueError:  # text that only begins like JSON
        return value


def _with_profile(raw: Mapping[str, Any]) -> dict[str, Any]:
    """What the stack says, laid over its profile."""
    known = raw.get("profile", "default")
    return profiles.changed(known if known in profiles.NAMES else "default", raw)


def _validated(data: Mapping[str, Any]) -> Settings:
    try:
        return Settings.model_validate(data)
    except ValidationError as error:
        raise SettingsError("\n".join(errors.problems(error, Settings, f"{NAMESPACE}:"))) from None


def _without_shorthand(s: Settings, raw: Mapping[str, Any]) -> dict[str, Any]:
    """The config with what `gatewayServiceType` and `ingressNodePorts` stand for."""
    if INGRESS not in s.gateways:
        return dict(raw)
    said: dict[str, Any] = {"type": s.gatewayServiceType} if s.gatewayServiceType else {}
    if s.ingressNodePorts:
        ports = [port.model_dump() for port in s.gateways[INGRESS].ports]
        fixed = s.ingressNodePorts
        said["ports"] = [{**port, "nodePort": fixed.get(port["name"], port["nodePort"])} for port in ports]
    return merged(raw, {"gateways": {INGRESS: said}} if said else {})


def _shorthand_problems(s: Settings, raw: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with `gatewayServiceType` and `ingressNodePorts`, alone or beside `gateways`."""
    gateway = s.gateways.get(INGRESS)
    if gateway is None or not gateway.enabled:
        for key in ("gatewayServiceType", "ingressNodePorts"):
            if raw.get(key):
                yield f"mesh:{key} is set, but the profile {s.profile} has no ingress gateway {INGRESS}"
        return
    said = raw.get("gateways", {}).get(INGRESS, {}).get("type")
    if said and s.gatewayServiceType and said != s.gatewayServiceType:
        yield f"mesh:gatewayServiceType {s.gatewayServiceType} contradicts mesh:gateways.{INGRESS}.type {said}"
    if s.ingressNodePorts and (s.gatewayServiceType or gateway.type) == "ClusterIP":
        yield "mesh:ingressNodePorts is set, but a ClusterIP Service has no node ports: choose NodePort or LoadBalancer"
        return
    numbers = {port.name: port.nodePort for port in gateway.ports}
    for name, number in s.ingressNodePorts.items():
        if name not in numbers:
            yield errors.choice(f"mesh:ingressNodePorts.{name}", name, numbers)
        elif numbers[name] not in (None, number):
            yield f"mesh:ingressNodePorts.{name}: {number} contradicts nodePort {numbers[name]} in mesh:gateways"


def _contradictions(s: Settings, context: str | None) -> Iterator[str]:
    """What no single key can know is wrong."""
    if context and s.context and context != s.context:
        yield f"CONTEXT={context} contradicts mesh:context {s.context} of the stack's file: leave one of them out"
    yield from _two_of_a_node_port(s)
    yield from _misplaced(s)
    yield from traffic.problems(s)
    yield from security.problems(s)
    ingress = s.gateways.get(INGRESS)
    yield from s.addons.problems(ingress=ingress is not None and ingress.enabled)
    if s.pilot.enabled and s.istiodRemote.enabled:
        yield "mesh:pilot.enabled and mesh:istiodRemote.enabled: the control plane is here or elsewhere, not both"
    if s.injectedNamespaces and not (s.pilot.enabled or s.istiodRemote.enabled):
        yield f"mesh:injectedNamespaces is set, but the profile {s.profile} has no control plane that injects"
    if s.bookinfo and not s.pilot.enabled:
        yield f"mesh:bookinfo is set, but the profile {s.profile} has no istiod that serves its routes"


def _two_of_a_node_port(s: Settings) -> Iterator[str]:
    taken: dict[int, str] = {}
    ports = {f"gateways.{name}.ports.{p.name}": p.nodePort for name, g in s.gateways.items() for p in g.ports}
    shorthand = {f"ingressNodePorts.{name}": number for name, number in s.ingressNodePorts.items()}
    fixed = {f"gateways.{INGRESS}.ports.{name}" for name in s.ingressNodePorts}
    for path, port in {**{p: n for p, n in ports.items() if p not in fixed}, **shorthand}.items():
        if port is not None and port in taken:
            yield f"mesh:{path}: {port} is also the node port of {taken[port].rpartition('.')[2]}"
        if port is not None:
            taken[port] = path


def _misplaced(s: Settings) -> Iterator[str]:
    """Parts in namespaces of which the stack does not say whose they are."""
    declared = [*s.injectedNamespaces, *s.namespaces]
    for name in s.namespaces:
        if name in s.injectedNamespaces:
            yield f"mesh:namespaces.{name}: it is also one of mesh:injectedNamespaces; leave one of them out"
    for name, gateway in s.gateways.items():
        if gateway.enabled and gateway.namespace and gateway.namespace not in (*declared, ROOT):
            yield _undeclared(f"mesh:gateways.{name}.namespace", gateway.namespace, "namespaces", s.namespaces)
    if s.cni.enabled and s.cni.namespace and s.cni.namespace not in (*declared, ROOT, "kube-system"):
        yield _undeclared("mesh:cni.namespace", s.cni.namespace, "namespaces", s.namespaces)
    if s.bookinfo and s.bookinfo.namespace not in s.injectedNamespaces:
        injected = s.injectedNamespaces
        yield _undeclared("mesh:bookinfo.namespace", s.bookinfo.namespace, "injectedNamespaces", injected)


def _undeclared(path: str, name: str, key: str, declared: Iterable[str]) -> str:
    return (
        f"{path}: {name} is not one of mesh:{key} ({', '.join(declared) or 'none'});"
        f" add `{name}: existing` or `: create`"
    )
