"""EnvoyFilters of Istio 1.10 that insert an extension, which is compiled into the proxy (and runs in Envoy's "null" VM)
or is WebAssembly."""

from __future__ import annotations

import json
import re
from typing import Any, Final

from mesh import api

Json = dict[str, Any]

IN, OUT, EDGE = "SIDECAR_INBOUND", "SIDECAR_OUTBOUND", "GATEWAY"
HTTP, TCP = "http", "network"
ROUTER: Final = "envoy.filters.http.router"
"""The last filter of each chain for HTTP."""


def envoy_filter(generation: str, patches: list[Json], start: str = "^") -> api.EnvoyFilter:
    """An EnvoyFilter with these patches, for proxies of one generation only; `start` begins the pattern of their
    version."""
    proxy = {"proxyVersion": f"{start}{re.escape(generation)}.*"}
    limited = [{**patch, "match": {**patch["match"], "proxy": proxy}} for patch in patches]
    return api.EnvoyFilter.model_validate({"configPatches": limited})


def patch(kind: str, context: str, value: Json, before: str | None = None) -> Json:
    """A patch that inserts a filter into a listener's chain: before filter `before`, or before all others."""
    manager = "http_connection_manager" if kind == HTTP else "tcp_proxy"
    chain: Json = {"name": f"envoy.filters.network.{manager}"}
    if before:
        chain["subFilter"] = {"name": before}
    return {
        "applyTo": f"{kind.upper()}_FILTER",
        "match": {"context": context, "listener": {"filterChain": {"filter": chain}}},
        "patch": {"operation": "INSERT_BEFORE", "value": value},
    }


def typed(name: str, url: str, value: Json) -> Json:
    struct = "type.googleapis.com/udpa.type.v1.TypedStruct"
    return {
        "name": name,
        "typed_config": {"@type": struct, "type_url": f"type.googleapis.com/{url}", "value": value},
    }


def compiled(code: str) -> Json:
    """The VM configuration of an extension that is compiled into the proxy under the name `code`."""
    return {"code": {"local": {"inline_string": code}}, "runtime": "envoy.wasm.runtime.null"}


def wasm(file: str) -> Json:
    """The VM configuration of a WebAssembly extension, which the proxy's image contains precompiled."""
    code = {"local": {"filename": f"/etc/istio/extensions/{file}.compiled.wasm"}}
    return {"code": code, "runtime": "envoy.wasm.runtime.v8", "allow_precompiled": True}


def lines(settings: Json) -> str:
    """An extension's own settings as JSON of several lines, as Istio writes most of them."""
    return json.dumps(settings, indent=2)


def extension(name: str, kind: str, machine: Json, settings: str, root: str = "", vm: str = "") -> Json:
    """The filter of an extension, with its settings as JSON text; `root` is the root ID, `vm` the VM ID."""
    text = {"@type": "type.googleapis.com/google.protobuf.StringValue", "value": f"{settings}\n"}
    config: Json = {"configuration": text, "vm_config": machine}
    if root:
        config["root_id"] = root
    if vm:
        config["vm_config"] = {**machine, "vm_id": vm}
    return typed(name, f"envoy.extensions.filters.{kind}.wasm.v3.Wasm", {"config": config})
