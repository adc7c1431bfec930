"""Kubernetes types in the config: names, labels, quantities, resources and profiles of security.

They are validated as Kubernetes validates them.
"""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Callable
from decimal import Decimal
from ipaddress import ip_address, ip_network
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from mesh.core import quantities
from mesh.core.errors import nearest, show
from mesh.core.typed import Deciding, Documented, Form


def _quantity(value: str) -> str:
    try:
        amount = quantities.parse(value)
    except ValueError:
        raise ValueError(f'{show(value)} is not a quantity: write it like "100m", "2" or "128Mi"') from None
    if amount < 0:
        raise ValueError(f"{show(value)} is less than zero")
    return value


def _is_whole(amount: Decimal) -> bool:
    return amount == amount.to_integral_value()


def _size(value: str) -> str:
    amount = quantities.parse(value)
    if amount <= 0 or not _is_whole(amount):
        raise ValueError(f'{show(value)} is not a size: write it like "20Gi"')
    return value


def _number_or_percentage(value: str) -> str:
    if not re.fullmatch(r"[0-9]+%?", value):
        raise ValueError(f'{show(value)} is not a number of pods or a percentage: write it like "1" or "25%"')
    return value


def _number_as_text(value: Any) -> Any:
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def _scalar_as_text(value: Any) -> Any:
    return str(value).lower() if isinstance(value, bool) else _number_as_text(value)


def is_variable(name: str) -> bool:
    """Whether an environment variable may have this name, also before Kubernetes 1.32, which takes more."""
    return bool(re.fullmatch(r"[-._a-zA-Z][-._a-zA-Z0-9]*", name)) and not name.startswith("..") and name != "."


NO_VARIABLE: Final = "{} is not the name of an environment variable: letters, digits, -, _ and ., and no digit first"
"""The message about any other name."""


def _variable(name: str) -> str:
    if not is_variable(name):
        raise ValueError(NO_VARIABLE.format(show(name)))
    return name


def _none_as_empty(value: Any) -> Any:
    return {} if value is None else value


def _cidr(value: str) -> str:
    try:
        ip_network(value)
    except ValueError:
        raise ValueError(f'{show(value)} is not a range of addresses: write it like "10.0.0.0/8"') from None
    return value


_WORD = r"[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?"
_SUBDOMAIN = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*"
_SECCOMP = ("RuntimeDefault", "Unconfined", "Localhost")
_RESOURCES = ("cpu", "memory", "ephemeral-storage")


def _is_subdomain(value: str) -> bool:
    return len(value) <= 253 and bool(re.fullmatch(_SUBDOMAIN, value))


def _domain(value: str) -> str:
    if not _is_subdomain(value):
        raise ValueError(f'{show(value)} is not a DNS name: write it like "cluster.local"')
    return value


def _host(value: str) -> str:
    try:
        ip_address(value)
    except ValueError:
        if value and not _is_subdomain(value):
            raise ValueError(f"{show(value)} is neither an IP address nor a DNS name") from None
    return value


def _object_name(value: str) -> str:
    if value and not _is_subdomain(value):
        raise ValueError(f"{show(value)} is not an object's name: lower-case letters, digits, - and ., 253 at most")
    return value


def _service_name(value: str) -> str:
    if len(value) > 63 or not re.fullmatch("[a-z]([-a-z0-9]*[a-z0-9])?", value):
        raise ValueError(
            f"{show(value)} is not a Service's name: lower-case letters, digits and -, a letter first, 63 at most"
        )
    return value


def _key(value: str) -> str:
    if not re.fullmatch(f"({_SUBDOMAIN}/)?{_WORD}", value):
        raise ValueError(f'{show(value)} is not a key: write it like "team" or "example.com/team"')
    return value


def _config_key(value: str) -> str:
    if len(value) > 253 or not re.fullmatch("[-._a-zA-Z0-9]+", value):
        raise ValueError(f"{show(value)} is not a ConfigMap's key: letters, digits, -, _ and ., 253 at most")
    return value


def _label(value: str) -> str:
    if value and not re.fullmatch(_WORD, value):
        raise ValueError(f"{show(value)} is not a label's value: 63 letters, digits, -, _ and . at most")
    return value


def _resource(value: str) -> str:
    if value not in _RESOURCES and not value.startswith("hugepages-") and "/" not in value:
        raise ValueError(f"{show(value)} is not one of {', '.join(_RESOURCES)}, hugepages-…, or like example.com/gpu")
    return value if value.startswith("hugepages-") else _key(value)


def _url(value: str) -> str:
    if value and not re.fullmatch(r"https://[^/?#@\s]+(/[^?#\s]*)?", value):
        raise ValueError(f'{show(value)} is not a URL: write it like "https://istiod.example.com:15017/inject"')
    return value


def _base64(value: str) -> str:
    try:
        b64decode(value, validate=True)
    except ValueError:
        raise ValueError(f"{show(value)} is not base64: `base64 --wrap=0 FILE` prints the base64 of a file") from None
    return value


def _webhook_path(value: str) -> str:
    if not re.fullmatch(f"(/{_SUBDOMAIN})+/?", value):
        raise ValueError(f'{show(value)} is not a path of lower-case letters and digits: write it like "/inject/net/a"')
    return value


def _with_fields(*names: str) -> Callable[[dict[str, str]], dict[str, str]]:
    """A validator that refuses all other keys of a mapping."""

    def check(value: dict[str, str]) -> dict[str, str]:
        for name in value.keys() - set(names):
            raise ValueError(f"{show(name)} is not one of {', '.join(names)}{nearest(name, names)}")
        return value

    return check


def _seccomp(value: dict[str, str]) -> dict[str, str]:
    if value and value.get("type") not in _SECCOMP:
        raise ValueError(f"needs a type, one of {', '.join(_SECCOMP)}")
    if (value.get("type") == "Localhost") != ("localhostProfile" in value):
        raise ValueError("localhostProfile and type Localhost go together")
    return value


NAME_FORM: Final = "valid name: up to {} lower-case letters, digits and hyphens, with no hyphen first or last"
"""The form of an RFC 1123 label, in the words of a message."""
Name = Annotated[
    str, Field(pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", max_length=63), Form(NAME_FORM.format(63)), Deciding
]
"""An RFC 1123 label, such as the name of a namespace."""
ServiceName = Annotated[str, AfterValidator(_service_name), Deciding]
"""A Service's name: an RFC 1035 label."""
ObjectName = Annotated[str, AfterValidator(_object_name)]
"""The name of most kinds of objects: an RFC 1123 subdomain. May be empty."""
Domain = Annotated[str, AfterValidator(_domain), Deciding]
"""A DNS domain, without a trailing dot."""
Host = Annotated[str, AfterValidator(_host)]
"""An IP address or a DNS name. May be empty."""
PortNumber = Annotated[int, Field(ge=1, le=65535)]
Quantity = Annotated[str, BeforeValidator(_number_as_text), AfterValidator(_quantity), Deciding]
Size = Annotated[Quantity, AfterValidator(_size)]
"""A number of bytes, such as `20Gi`."""
NumberOrPercentage = Annotated[str, BeforeValidator(_number_as_text), AfterValidator(_number_or_percentage), Deciding]
"""A number of pods or a percentage, such as `1` or `25%`."""
Text = Annotated[str, BeforeValidator(_scalar_as_text)]
"""A string. Numbers and booleans without quotes in YAML are taken as strings."""
Key = Annotated[str, AfterValidator(_key)]
ConfigKey = Annotated[str, AfterValidator(_config_key)]
"""A key of a ConfigMap's data."""
VariableName = Annotated[str, AfterValidator(_variable)]
"""The name of an environment variable."""
LabelValue = Annotated[str, BeforeValidator(_scalar_as_text), AfterValidator(_label)]
Labels = dict[Key, LabelValue]
Annotations = dict[Key, Text]
Url = Annotated[str, AfterValidator(_url)]
"""An https URL without a query, as in the client config of a webhook. May be empty."""
Base64 = Annotated[str, AfterValidator(_base64)]
"""Bytes as text, such as the certificates in the client config of a webhook. May be empty."""
WebhookPath = Annotated[str, AfterValidator(_webhook_path)]
"""A path in the client config of a webhook: its segments are RFC 1123 subdomains."""
SeccompProfile = Annotated[
    dict[str, str], AfterValidator(_with_fields("type", "localhostProfile")), AfterValidator(_seccomp)
]
"""A seccomp profile of a pod or container. May be empty."""
SELinuxOptions = Annotated[dict[str, str], AfterValidator(_with_fields("level", "role", "type", "user"))]
"""SELinux options of a pod or container. May be empty."""
TrafficDistribution = Literal["", "PreferClose", "PreferSameZone", "PreferSameNode"]
"""Preference of a Service for near pods; all but the first need Kubernetes 1.34."""
Cidr = Annotated[str, AfterValidator(_cidr)]
"""An IP range in CIDR notation."""
Resource = Annotated[str, AfterValidator(_resource)]
PullPolicy = Literal["", "Always", "IfNotPresent", "Never"]
ServiceType = Literal["LoadBalancer", "NodePort", "ClusterIP"]


class Resources(Documented):
    """Resource requests and limits of a container."""

    requests: dict[Resource, Quantity] = {}
    """Amounts that the scheduler reserves, by resource, such as `cpu: 100m` and `memory: 128Mi`."""
    limits: dict[Resource, Quantity] = {}
    """Maximum amounts, by resource."""

    @property
    def amounts(self) -> dict[str, dict[str, str]]:
        """`requests` and `limits` as fields of a container; empty ones are left out."""
        fields: dict[str, dict[str, str]] = {"requests": dict(self.requests), "limits": dict(self.limits)}
        return {name: value for name, value in fields.items() if value}

    @model_validator(mode="after")
    def _consistent(self) -> Resources:
        for name, most in self.limits.items():
            if name in self.requests and quantities.parse(self.requests[name]) > quantities.parse(most):
                raise ValueError(f"requests {self.requests[name]} of {name}, more than the limit {most}")
        for name in {*self.requests, *self.limits} - set(_RESOURCES):
            # Kubernetes does not overcommit such resources: a request must equal its limit.
            asked = {self.requests.get(name, self.limits.get(name)), self.limits.get(name)}
            if len(asked) > 1 or any(value is None or not _is_whole(quantities.parse(value)) for value in asked):
                raise ValueError(f"the limit of {name} must be a whole number, and its request the same number")
        return self


ResourcesOrNull = Annotated[Resources, BeforeValidator(_none_as_empty)]
"""The same; null means no requests and limits of its own."""
