"""The EnvoyFilters of Istio 1.10 for Google Cloud: proxies send it metrics and logs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Final

from mesh import api
from mesh.proxy.text import go_json
from mesh.releases.v1_10 import extensions
from mesh.releases.v1_10.extensions import EDGE, HTTP, IN, OUT, ROUTER, TCP, Json
from mesh.values.telemetry import StackdriverFilter, TelemetryV2

_NAME: Final = "istio.stackdriver"


def filters(generation: str, chosen: TelemetryV2) -> Iterator[tuple[str, api.EnvoyFilter]]:
    """The filters for proxies of a minor version, by name."""
    contexts = (IN, EDGE) if chosen.stackdriver.disableOutbound else (OUT, IN, EDGE)
    for kind, prefix in ((HTTP, ""), (TCP, "tcp-")):
        patches = [_patch(kind, context, chosen.stackdriver) for context in contexts]
        yield f"{prefix}stackdriver-filter-{generation}", extensions.envoy_filter(generation, patches)
    if chosen.accessLogPolicy.enabled:
        sampling = _sampling(chosen.accessLogPolicy.logWindowDuration)
        name = f"stackdriver-sampling-accesslog-filter-{generation}"
        yield name, extensions.envoy_filter(generation, [sampling], start="")


def _patch(kind: str, context: str, chosen: StackdriverFilter) -> Json:
    given = chosen.configOverride
    settings = go_json(given, sort_keys=True) if given else json.dumps(_settings(kind, context, chosen))
    root = "stackdriver_inbound" if context == IN else "stackdriver_outbound"
    machine = extensions.compiled("envoy.wasm.null.stackdriver")
    value = extensions.extension(_NAME, kind, machine, settings, root, root)
    return extensions.patch(kind, context, value, ROUTER if kind == HTTP else None)


def _settings(kind: str, context: str, chosen: StackdriverFilter) -> Json:
    settings: Json = {"access_logging": chosen.outboundAccessLogging}
    if context == IN:
        settings = {
            "disable_server_access_logging": not chosen.logging,
            "access_logging": chosen.inboundAccessLogging,
        }
    if kind == HTTP and context != OUT:
        settings["disable_host_header_fallback"] = True  # else callers could choose the value of a label
    return settings


def _sampling(duration: str) -> Json:
    """A filter before the one that logs. It marks the requests that are not logged."""
    machine = extensions.compiled("envoy.wasm.access_log_policy")
    settings = extensions.lines({"log_window_duration": duration})
    value = extensions.extension("istio.access_log", HTTP, machine, settings)
    return extensions.patch(HTTP, IN, value, _NAME)
