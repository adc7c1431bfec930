"""Validation of pod annotations that Istio's injector reads; it refuses pods with an invalid value."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping
from typing import Final

from mesh.core import errors, quantities

NATIVE: Final = "sidecar.istio.io/nativeSidecar"
"""Annotation: whether the proxy is a native sidecar, an init container that runs as long as the pod."""
STATUS_PORT: Final = "status.sidecar.istio.io/port"
"""Annotation: the agent's port for probes and merged metrics; 0 disables the readiness probe."""
BOOLEANS: Final = ("1", "t", "T", "TRUE", "true", "True", "0", "f", "F", "FALSE", "false", "False")
"""What Go's `strconv.ParseBool` accepts: six values for true, then six for false."""


class InjectionError(Exception):
    """A workload that cannot be injected. The message says why."""


class UnsupportedError(InjectionError):
    """A workload that Istio would inject, but that this project's model of injection does not support."""


Check = Callable[[str], bool]
"""Whether an annotation's value is valid."""


def validate(checks: Mapping[str, Check], annotations: Mapping[str, str]) -> None:
    """Raises InjectionError for the first annotation whose value fails its check."""
    for name, check in checks.items():
        if name in annotations and (text := refused(check, annotations[name])):
            raise InjectionError(f"{name}: {text}")


def refused(check: Check, value: str) -> str:
    """What is wrong with a value, such as `"x" is not true or false`; empty if it is valid."""
    return "" if check(value) else f"{errors.show(value)} is not {(check.__doc__ or '').rstrip('.')}"


def _mode(value: str) -> bool:
    """one of REDIRECT, TPROXY, NONE."""
    return value in ("REDIRECT", "TPROXY", "NONE")


def _port(value: str) -> bool:
    """a port, 0..65535."""
    return value.strip().isdecimal() and int(value) <= 65535


def _count(value: str) -> bool:
    """a whole number of at least 0."""
    return value.isdecimal() and int(value) < 2**32


def boolean(value: str) -> bool:
    """true or false."""
    return value in BOOLEANS


def _ports(value: str) -> bool:
    """a comma-separated list of ports."""
    return not value or all(_port(port) for port in value.split(","))


def _all_or_ports(value: str) -> bool:
    """`*` or a comma-separated list of ports."""
    return value == "*" or _ports(value)


def _ranges(value: str) -> bool:
    """a comma-separated list of address ranges like 10.0.0.0/8."""
    return not value or all(map(_range, value.split(",")))


def _all_or_ranges(value: str) -> bool:
    """`*` or a comma-separated list of address ranges like 10.0.0.0/8."""
    return value == "*" or _ranges(value)


def _range(value: str) -> bool:
    try:
        ipaddress.ip_network(value, strict=False)
    except ValueError:
        return False
    return "/" in value


def quantity(value: str) -> bool:
    """a quantity like 100m or 128Mi."""
    try:
        quantities.parse(value)
    except ValueError:
        return False
    return True


def interfaces(value: str) -> bool:
    """a comma-separated list of network interfaces like eth1."""
    return not value or all(_INTERFACE.fullmatch(name.strip()) for name in value.split(","))


_INTERFACE: Final = re.compile(r"[a-zA-Z][a-zA-Z0-9_.-]{0,14}")
_READINESS: Final = "readiness.status.sidecar.istio.io/"
_TRAFFIC: Final = "traffic.sidecar.istio.io/"
CHECKS: Final[Mapping[str, Check]] = {
    "sidecar.istio.io/interceptionMode": _mode,
    STATUS_PORT: _port,
    f"{_READINESS}initialDelaySeconds": _count,
    f"{_READINESS}periodSeconds": _count,
    f"{_READINESS}failureThreshold": _count,
    f"{_TRAFFIC}includeOutboundIPRanges": _all_or_ranges,
    f"{_TRAFFIC}excludeOutboundIPRanges": _ranges,
    f"{_TRAFFIC}includeInboundPorts": _all_or_ports,
    f"{_TRAFFIC}excludeInboundPorts": _ports,
    f"{_TRAFFIC}excludeOutboundPorts": _ports,
    "prometheus.istio.io/merge-metrics": boolean,
}
"""By annotation, the check of its value, in every release. The check's docstring completes the error message: `… is not
<docstring>`."""
