"""A stack's settings: every key of the config namespace `mesh`, its type, its default and what it means."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar, Final, Literal

from pydantic import ConfigDict, Field, ValidationError, field_validator

from components import errors, profiles
from components.profiles import Profile, ServiceType
from components.release import ISTIO
from components.typed import Typed

NAMESPACE: Final = "mesh"
"""The config namespace; any key of it that is not a field of `Settings` is an error."""

Ownership = Literal["create", "existing"]
NodePort = Annotated[int, Field(ge=1, le=65535)]
# RFC 1123 label, the form of a namespace's name.
Name = Annotated[str, Field(pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", max_length=63)]


class SettingsError(Exception):
    """The config is not usable; the text names each key, its value and what is possible instead."""


class ShortForm(Typed):
    """A map for which something shorter may stand."""

    short_forms: ClassVar[str]
    """What may stand for it, in words."""


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


class Settings(Typed):
    """The keys of the config namespace `mesh`."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    profile: str = "default"
    """Installation profile."""
    gatewayServiceType: ServiceType | None = None
    """Service type of the ingress gateway; the profile's own if not set."""
    ingressNodePorts: dict[str, NodePort] = {}
    """Fixed node ports of the ingress gateway, by the name of the Service's port."""
    nodeAddress: str | None = None
    """Host name or address under which node ports are reached; the first node's if not set."""
    injectedNamespaces: dict[Name, InjectedNamespace] = {}
    """Namespaces whose pods get a sidecar. `create`: ours, made and removed with the stack. `existing`: somebody
    else's, which gets only a label. `injection` is `auto`, or `manual` for sidecars that are part of the stack's
    workloads."""
    bookinfo: Bookinfo | None = None
    """The Bookinfo application, if wanted: `true`, or a map."""
    hub: str = ISTIO.hub
    """Registry and path of Istio's images, without a trailing slash."""
    tag: str = ISTIO.version
    """Tag of Istio's images."""
    injectionGate: bool = True
    """Whether workloads wait until istiod has patched its webhooks; off only where no istiod runs."""
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

    @property
    def values(self) -> Profile:
        """The profile with this stack's differences."""
        chosen = profiles.profile(self.profile)
        if self.gatewayServiceType is None:
            return chosen
        gateways = {
            name: gateway.model_copy(update={"serviceType": self.gatewayServiceType})
            if gateway.role == "ingressgateway"
            else gateway
            for name, gateway in chosen.gateways.items()
        }
        return chosen.model_copy(update={"gateways": gateways})


def load(config: Mapping[str, str], context: str | None = None) -> Settings:
    """The settings in `config` (keys `namespace:name`, values as Pulumi hands them over: text, or JSON for
    maps and booleans). `context` is what the user named on the command line. Raises SettingsError."""
    prefix = f"{NAMESPACE}:"
    raw = {key.removeprefix(prefix): _decoded(value) for key, value in config.items() if key.startswith(prefix)}
    try:
        settings = Settings.model_validate(raw)
    except ValidationError as error:
        raise SettingsError("\n".join(errors.problems(error, Settings, prefix))) from None
    problems = list(_contradictions(settings, context))
    if problems:
        raise SettingsError("\n".join(problems))
    return settings if context is None else settings.model_copy(update={"context": context})


def from_pulumi() -> Settings:
    """The settings of the running program's stack, with the environment's CONTEXT. Raises SettingsError."""
    from pulumi.runtime import config

    return load(config.CONFIG.get() or config.get_config_env(), os.environ.get("CONTEXT") or None)


def _decoded(value: str) -> Any:
    return json.loads(value) if value[:1] in ("{", "[") or value in ("true", "false") else value


def _contradictions(s: Settings, context: str | None) -> Iterator[str]:
    """What no single key can know is wrong."""
    if context and s.context and context != s.context:
        yield f"CONTEXT={context} contradicts mesh:context {s.context} of the stack's file: leave one of them out"
    ingress = [g for g in s.values.gateways.values() if g.role == "ingressgateway"]
    names = [port.name for gateway in ingress for port in gateway.ports]
    if s.ingressNodePorts and not ingress:
        yield f"mesh:ingressNodePorts is set, but the profile {s.profile} has no ingress gateway"
    elif s.ingressNodePorts and ingress[0].serviceType == "ClusterIP":
        yield "mesh:ingressNodePorts is set, but a ClusterIP Service has no node ports: choose NodePort or LoadBalancer"
    else:
        for name in s.ingressNodePorts:
            if name not in names:
                yield errors.choice(f"mesh:ingressNodePorts.{name}", name, names)
    taken: dict[int, str] = {}
    for name, port in s.ingressNodePorts.items():
        if port in taken:
            yield f"mesh:ingressNodePorts.{name}: {port} is also the node port of {taken[port]}"
        taken[port] = name
    if s.bookinfo and s.bookinfo.namespace not in s.injectedNamespaces:
        yield (
            f"mesh:bookinfo.namespace: {s.bookinfo.namespace} is not one of mesh:injectedNamespaces"
            f" ({', '.join(s.injectedNamespaces) or 'none'}); add `{s.bookinfo.namespace}: existing` or `: create`"
        )
