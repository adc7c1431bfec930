"""Reading a stack's config: it is merged over the profile, validated, and compiled into a `Stack`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from mesh import releases
from mesh.api.regex import LACKS
from mesh.config import door, revisions, served, stack
from mesh.config.settings import INGRESS, NAMESPACE, Settings, SettingsError
from mesh.config.stack import Stack
from mesh.core import disclosure, errors, secure, validation
from mesh.core.lacking import Lacks
from mesh.values.gateway import Gateway


def load(config: Mapping[str, str], context: str | None = None) -> Stack:
    """Loads the stack from its config: keys `namespace:name`, values as Pulumi provides them, which are strings, or
    JSON for other types. `context` is the kubeconfig context from the command line. Raises SettingsError with all
    problems."""
    try:
        return _loaded(config, context)
    except SettingsError as error:
        keys = list(secure.keys_of(config))
        text = disclosure.DEFAULT.concealed(str(error), {key: _decoded(value) for key, value in config.items()})
        problems = [secure.refusal(problem, keys) for problem in text.split("\n")]
        raise SettingsError("\n".join(dict.fromkeys(problems))) from None


def _loaded(config: Mapping[str, str], context: str | None) -> Stack:
    prefix = f"{NAMESPACE}:"
    raw = {key.removeprefix(prefix): _decoded(value) for key, value in config.items() if key.startswith(prefix)}
    raw, refused = door.admitted(raw)
    given = _validated(raw, refused)
    if lacking := list(served.lacking_keys(given, raw)):
        raise SettingsError("\n".join(lacking))
    problems = list(_short_form_problems(given, raw))
    settings = given
    if not problems:
        settings, problems = _with_short_forms(given)
    problems += served.refused_mesh_config(given)
    if context and given.context and context != given.context:
        problems.append(
            f"CONTEXT={context} contradicts mesh:context {given.context} of the stack's file: leave one of them out"
        )
    if context is not None:
        settings = settings.model_copy(update={"context": context})
    return stack.compiled(settings, problems)


def _decoded(value: str) -> Any:
    if value[:1] not in ("{", "[") and value not in ("true", "false"):
        return value
    try:
        return json.loads(value)
    except ValueError:  # a string that only looks like JSON
        return value


def _validated(raw: Mapping[str, Any], problems: Sequence[str]) -> Settings:
    """The settings: the stack's config merged over its profile. With an unknown release or profile, the default one is
    merged, and the validation of `Settings` raises the error, with the `problems` that were found before."""
    name, profile = raw.get("release", releases.DEFAULT), raw.get("profile", "default")
    release = releases.get(name if name in releases.NAMES else releases.DEFAULT)
    data = release.values_data(profile if profile in release.profiles.names else "default", raw)
    if isinstance(further := data.get("controlPlanes"), Mapping):
        data["controlPlanes"] = {key: revisions.completed(entry, data) for key, entry in further.items()}
        if isinstance(data["gateways"], Mapping):
            data["gateways"] = {name: revisions.moved_gateway(name, raw, data) for name in data["gateways"]}
    lacks = Lacks(release.api.lacks)
    try:
        found = Settings.model_validate(data, context={LACKS: release.unsupported_regex})
    except ValidationError as error:
        problems = [*problems, *validation.problems(error, Settings, f"{NAMESPACE}:", lacks)]
    if problems:
        raise SettingsError("\n".join(problems))
    return found


def _short_form_problems(s: Settings, raw: Mapping[str, Any]) -> Iterator[str]:
    """Problems of the short forms `gatewayServiceType` and `ingressNodePorts`, and contradictions to `gateways`."""
    gateway = s.gateways.get(INGRESS)
    if gateway is None or not gateway.enabled:
        for key in ("gatewayServiceType", "ingressNodePorts"):
            if raw.get(key):
                yield f"mesh:{key} is set, but the profile {s.profile} has no ingress gateway {INGRESS}"
        return
    own_type = raw.get("gateways", {}).get(INGRESS, {}).get("type")
    if own_type and s.gatewayServiceType and own_type != s.gatewayServiceType:
        yield f"mesh:gatewayServiceType {s.gatewayServiceType} contradicts mesh:gateways.{INGRESS}.type {own_type}"
    if s.ingressNodePorts and (s.gatewayServiceType or gateway.type) == "ClusterIP":
        yield "mesh:ingressNodePorts is set, but a ClusterIP Service has no node ports: choose NodePort or LoadBalancer"
        return
    numbers = {port.name: port.nodePort for port in gateway.ports}
    for name, number in s.ingressNodePorts.items():
        if name not in numbers:
            yield errors.invalid_choice(f"mesh:ingressNodePorts.{name}", name, numbers)
        elif numbers[name] not in (None, number):
            yield f"mesh:ingressNodePorts.{name}: {number} contradicts nodePort {numbers[name]} in mesh:gateways"


def _with_short_forms(s: Settings) -> tuple[Settings, list[str]]:
    """The settings with `gatewayServiceType` and `ingressNodePorts` applied to the ingress gateway, or the problems of
    the resulting gateway. Only that gateway is validated again."""
    if not (s.gatewayServiceType or s.ingressNodePorts) or INGRESS not in s.gateways:
        return s, []
    gateway, fixed = s.gateways[INGRESS], s.ingressNodePorts
    ports = tuple(port.model_copy(update={"nodePort": fixed.get(port.name, port.nodePort)}) for port in gateway.ports)
    changed = {**dict(gateway), "type": s.gatewayServiceType or gateway.type, "ports": ports}
    try:
        complete = Gateway.model_validate(changed)
    except ValidationError as error:
        return s, validation.problems(error, Gateway, f"{NAMESPACE}:gateways.{INGRESS}.")
    return s.model_copy(update={"gateways": {**s.gateways, INGRESS: complete}}), []
