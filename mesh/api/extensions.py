"""WasmPlugin and TrafficExtension: additional filters in proxies."""

import re
from typing import Annotated, ClassVar, Final, Literal

from pydantic import AfterValidator, Field

from mesh.api.common import PolicySelector, PolicyTargetReference, TargetReferences
from mesh.api.enforced import ONE_SELECTION, Enforced, Rule
from mesh.api.enforced import at_most_one as at_most_one_rule
from mesh.api.model import AGE, Findings, Kind, Message, Names, at_most_one, optional
from mesh.api.scalars import Int32Value, PortNumber, Struct, Text, Word
from mesh.core.errors import show

__all__ = [
    "EnvironmentVariable",
    "ExtensionPort",
    "LuaConfig",
    "TrafficExtension",
    "TrafficSelector",
    "VmConfig",
    "WasmConfig",
    "WasmModule",
    "WasmPlugin",
]

_SCHEMES: Final = ("", "http", "https", "file", "oci")
_URL: Final = re.compile(
    r"""(?!:|//)(?:(?P<scheme>[A-Za-z][-+.A-Za-z0-9]*):(?://)?)?
    (?:[^/@?%]*@)?[^/@:%?]*(?::[0-9]*)?  # the host
    (?:[/?](?:[^%]|%[0-9A-Fa-f]{2})*)?""",
    re.VERBOSE,
)
"""A URL as Go reads it: what stands before the first colon is its scheme, also in `localhost:5000/filter`."""
_UNWRITTEN: Final = re.compile(r"[^!-~]|[\[\]{}<>\"\\^`|#]")
"""Characters that the URL of a file must not contain."""
_SHA256: Final = re.compile(r"(?:[a-f0-9]{64})?")
_HOST_VALUE: Final = Rule(
    '(has(self.valueFrom) ? self.valueFrom : "") != "HOST" || !has(self.value)',
    "value may only be set when valueFrom is INLINE",
)


def _module(text: str) -> str:
    url = _URL.fullmatch(text)
    if not url or _UNWRITTEN.search(text) or (url["scheme"] or "").lower() not in _SCHEMES:
        raise ValueError(f"{show(text)} is not a URL: write oci://registry/path:tag, https://… or file:///path")
    return text


def _digest(text: str) -> str:
    if not _SHA256.fullmatch(text):
        raise ValueError(f"{show(text)} is not 64 hexadecimal digits in lower case")
    return text


def _one_of_schemes(*schemes: str) -> Rule:
    """The rule that a URL, with a scheme or without, has one of the schemes."""
    known = ", ".join(f'"{scheme}"' for scheme in schemes)
    return Rule(
        f'isURL(self) ? (url(self).getScheme() in [{known}]) : (isURL("http://" + self) &&\n'
        f'url("http://" + self).getScheme() in [{known}])',
        "url must have schema one of [http, https, file, oci]",
    )


class ExtensionPort(Message):
    """A port of a workload."""

    number: Annotated[PortNumber, Enforced(minimum=1, maximum=65535)] = Field(description="Number of the port.")


class TrafficSelector(Message):
    """The traffic that is meant."""

    mode: Literal["UNDEFINED", "CLIENT", "SERVER", "CLIENT_AND_SERVER"] | None = optional(
        "As the caller, as the one that is called, or as either (the default)."
    )
    ports: Annotated[list[ExtensionPort], Enforced(unique="number")] | None = optional("Its ports; all if not set.")


class EnvironmentVariable(Message):
    """A variable of a module's environment."""

    enforced: ClassVar = (_HOST_VALUE,)

    name: Annotated[Word, Enforced(maxLength=256)] = Field(description="Name of the variable.")
    valueFrom: Literal["INLINE", "HOST"] | None = optional(
        "Its value is written here (the default) or the proxy's own."
    )
    value: Annotated[str, Enforced(maxLength=2048)] | None = optional("Value of the variable.")

    def check(self) -> Findings:
        if self.valueFrom == "HOST" and self.is_set("value"):
            yield ("value",), "is for valueFrom INLINE only"


class VmConfig(Message):
    """Settings of the virtual machine in which a module runs."""

    env: Annotated[list[EnvironmentVariable], Enforced(maxItems=256, unique="name")] | None = optional(
        "Variables of the module's environment."
    )


class WasmModule(Message):
    """A WebAssembly module."""

    sha256: Annotated[str, AfterValidator(_digest), Enforced(pattern="(^$|^[a-f0-9]{64}$)")] | None = optional(
        "SHA-256 of the module or of its image, in hexadecimal digits; not checked if not set."
    )
    imagePullPolicy: Literal["UNSPECIFIED_POLICY", "IfNotPresent", "Always"] | None = optional(
        "When the image is pulled; Always for the tag latest if not set."
    )
    imagePullSecret: Annotated[Text, Enforced(minLength=1, maxLength=253)] | None = optional(
        "Secret with credentials of the registry, in the object's namespace."
    )
    verificationKey: str | None = optional("Not implemented by any release.")
    pluginConfig: Struct | None = optional("Configuration that the module gets, as JSON.")
    pluginName: Annotated[Word, Enforced(maxLength=256)] | None = optional("Name of the module's plugin.")
    failStrategy: Literal["FAIL_CLOSE", "FAIL_OPEN", "FAIL_RELOAD"] | None = optional(
        "If the module cannot be loaded or fails: refuse requests (the default), let them pass, or load it again."
    )
    vmConfig: VmConfig | None = optional("Settings of its virtual machine.")
    type: Literal["UNSPECIFIED_PLUGIN_TYPE", "HTTP", "NETWORK"] | None = optional(
        "Filter of HTTP requests (the default) or of connections."
    )


class WasmConfig(WasmModule):
    """A WebAssembly module, and how it runs."""

    url: Annotated[
        Word, AfterValidator(_module), Enforced(rules=(_one_of_schemes("", "http", "https", "file", "oci"),))
    ] = Field(
        description="Where the module is: oci://registry/path:tag (also without oci://), https://… or file:///path."
    )


class LuaConfig(Message):
    """A filter written in Lua."""

    inlineCode: Annotated[Word, Enforced(maxLength=65536)] = Field(description="The program, 64 KB at most.")


class WasmPlugin(WasmModule, Kind):
    """A WebAssembly module that the proxies of some workloads run as a filter."""

    names: ClassVar = Names(group="extensions.istio.io", plural="wasmplugins", columns=(AGE,), needs_spec=True)
    enforced: ClassVar = (ONE_SELECTION,)

    selector: PolicySelector | None = optional(
        "Which workloads; all of the namespace if not set, or of the mesh if it is Istio's root namespace."
    )
    targetRef: PolicyTargetReference | None = optional("Deprecated, see targetRefs.")
    targetRefs: TargetReferences | None = optional(
        "Gateways of the Gateway API, waypoints, or services behind one, that the filter is for; not with selector."
    )
    url: Annotated[
        Word, AfterValidator(_module), Enforced(rules=(_one_of_schemes("", "http", "https", "oci", "file"),))
    ] = Field(
        description="Where the module is: oci://registry/path:tag (also without oci://), https://… or file:///path."
    )
    phase: Literal["UNSPECIFIED_PHASE", "AUTHN", "AUTHZ", "STATS"] | None = optional(
        "Before Istio's filters of this sort; after all of them if not set."
    )
    priority: Int32Value | None = optional("Place among several of one phase: the highest comes first; 0 if not set.")
    match: list[TrafficSelector] | None = optional("Traffic that goes through the filter; all if not set.")

    def check(self) -> Findings:
        yield from at_most_one(self, "selector", "targetRef", "targetRefs")


class TrafficExtension(Kind):
    """A filter of one's own, in WebAssembly or Lua, for the proxies of some workloads."""

    names: ClassVar = Names(group="extensions.istio.io", plural="trafficextensions", columns=(AGE,), needs_spec=True)
    one_of: ClassVar = ("wasm", "lua")
    enforced: ClassVar = (
        at_most_one_rule("only one of targetRefs or selector can be set", "selector", "targetRefs"),
        Rule("has(self.wasm) != has(self.lua)", "exactly one of wasm or lua must be set"),
    )

    selector: PolicySelector | None = optional(
        "Which workloads; all of the namespace if not set, or of the mesh if it is Istio's root namespace."
    )
    targetRefs: TargetReferences | None = optional(
        "Gateways of the Gateway API, waypoints, or services behind one, that the filter is for; not with selector."
    )
    phase: Literal["UNSPECIFIED", "AUTHN", "AUTHZ", "STATS"] | None = optional(
        "Before Istio's filters of this sort; after all of them if not set."
    )
    priority: Int32Value | None = optional("Place among several of one phase: the highest comes first; 0 if not set.")
    match: list[TrafficSelector] | None = optional("Traffic that goes through the filter; all if not set.")
    wasm: WasmConfig | None = optional("The filter, in WebAssembly.")
    lua: LuaConfig | None = optional("The filter, in Lua.")

    def check(self) -> Findings:
        yield from at_most_one(self, "selector", "targetRefs")
        if not self.wasm and not self.lua:
            yield (), "needs wasm or lua"
