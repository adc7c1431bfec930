"""A stack's config, read: laid over its profile, and refused where it is wrong or contradicts itself."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from mesh import releases
from mesh.config import security, traffic
from mesh.config.settings import INGRESS, NAMESPACE, Settings, SettingsError
from mesh.core import errors, validation
from mesh.core.merge import merged
from mesh.core.names import ROOT


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
    """What the stack says, laid over its profile. A release or profile that there is not is refused afterwards."""
    name = raw.get("release", releases.DEFAULT)
    release = releases.get(name if name in releases.NAMES else releases.DEFAULT)
    profile = raw.get("profile", "default")
    return release.changed(profile if profile in release.profiles.names else "default", raw)


def _validated(data: Mapping[str, Any]) -> Settings:
    try:
        return Settings.model_validate(data)
    except ValidationError as error:
        raise SettingsError("\n".join(validation.problems(error, Settings, f"{NAMESPACE}:"))) from None


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
