"""Types for names and addresses: hosts, IP addresses, Unix domain sockets, labels, headers.

The rules are those of Istio's validation, which unlike Kubernetes' allows upper-case letters in hosts.
"""

import ipaddress
import re
from typing import Annotated

from pydantic import AfterValidator

from mesh.api.enforced import Enforced, Rule
from mesh.api.scalars import port_of
from mesh.core.errors import nearest, show
from mesh.core.protocols import PROTOCOLS
from mesh.core.typed import Deciding

UNIX = "unix://"
"""Prefix of the address of a Unix domain socket."""
HOST_IP = "$(HOST_IP)"
"""The variable of a proxy's environment with the address of its node."""

_LABEL_FORM = r"[a-zA-Z0-9](?:[-a-zA-Z0-9]*[a-zA-Z0-9])?"
_LABEL = re.compile(_LABEL_FORM)
_WILDCARD_LABEL = re.compile(rf"\*|(?:\*|\*-)?{_LABEL_FORM}")
_TAG = r"(?:[A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
_TAG_KEY = re.compile(rf"(?P<prefix>{_LABEL_FORM}(?:\.{_LABEL_FORM})*/)?(?P<name>{_TAG})")
_TAG_VALUE = re.compile(rf"(?:{_TAG})?")
_STRICT_HEADER = re.compile(r"[-_A-Za-z0-9]+")
_HEADER = re.compile(r"[-_.!#$%&'*+^`|~0-9A-Za-z]+")


_NO_WILDCARD = '!self.contains("*")'


def is_label(text: str) -> bool:
    """Whether `text` is a DNS label: letters, digits and inner hyphens, at most 63 characters."""
    return len(text) <= 63 and bool(_LABEL.fullmatch(text))


def is_ip(text: str) -> bool:
    """Whether `text` is an IPv4 or IPv6 address."""
    try:
        return "%" not in text and bool(ipaddress.ip_address(text))
    except ValueError:
        return False


def is_subnet(text: str) -> bool:
    """Whether `text` is an IP address or a CIDR range."""
    address, slash, length = text.partition("/")
    if not is_ip(address):
        return False
    return not slash or length in map(str, range(ipaddress.ip_address(address).max_prefixlen + 1))


def is_domain(text: str, wildcard: bool = False) -> bool:
    """Whether `text` is a DNS name. With `wildcard`, the first label may be `*` or start with it."""
    first, *rest = text.split(".")
    if not text or len(text) > 255:
        return False
    if wildcard and len(first) <= 63 and _WILDCARD_LABEL.fullmatch(first):
        if not rest:
            return True
        first, *rest = rest
    labels = [first, *rest]
    if re.fullmatch(r"[+-]?\d+", labels[-1]):
        return False
    if labels[-1] == "":  # a trailing dot makes a name absolute
        labels.pop()
    return all(map(is_label, labels))


def is_header(text: str) -> bool:
    """Whether `text` can be the name of an HTTP header."""
    return bool(_HEADER.fullmatch(text))


def covers(wide: str, narrow: str) -> bool:
    """Whether host `wide`, which may be a wildcard, matches every name that host `narrow` matches."""
    if not wide.startswith("*"):
        return wide == narrow
    return narrow.removeprefix("*").endswith(wide[1:])


def host_in_namespace(text: str, special: str) -> str:
    """The host of `namespace/host`. The namespace may also be one of the characters in `special`, such as `*` or `.`.

    Raises ValueError if the text has another form.
    """
    namespace, slash, host = text.partition("/")
    if not slash or not (is_label(namespace) or namespace in list(special)):
        raise ValueError(f"{show(text)} is not namespace/host, where namespace is a name or one of {' '.join(special)}")
    return host


def whole_host(text: str, ip: bool = False) -> str:
    """Returns `text` if it is a fully qualified DNS name, `*.example.com`, `*` or, with `ip`, an IP address.

    Raises ValueError if it is not.
    """
    name = text.removeprefix("*.")
    if text != "*" and not ("." in text and (is_domain(name) or (ip and is_ip(text)))):
        raise ValueError(f'{show(text)} is not a fully qualified DNS name, "*.example.com" or "*"')
    return text


def _host(text: str) -> str:
    if not is_domain(text, wildcard=True):
        raise ValueError(f"{show(text)} is not a host: write a DNS name, or one that starts with *")
    return text


def _host_or_ip(text: str) -> str:
    return text if is_ip(text) else _host(text)


def _some_host(text: str) -> str:
    if text == "*":
        raise ValueError('"*" is too wide: name a host, or a part of it such as "*.example.com"')
    return _host(text)


def _label(text: str) -> str:
    if not is_label(text):
        raise ValueError(f"{show(text)} is not a DNS label: use letters, digits and inner hyphens, at most 63")
    return text


def _ip(text: str) -> str:
    if not is_ip(text):
        raise ValueError(f"{show(text)} is not an IP address")
    return text


def _subnet(text: str) -> str:
    if not is_subnet(text):
        raise ValueError(f'{show(text)} is neither an IP address nor a range such as "10.0.0.0/8"')
    return text


def socket(text: str) -> str:
    """Returns `text` if it is the address of a Unix domain socket: a path, or `@name` in the abstract namespace.

    Raises ValueError if it is not.
    """
    path = text.removeprefix(UNIX)
    if not path.startswith("@") and (not path.startswith("/") or path.endswith("/")):
        raise ValueError(f"{show(text)} is not a socket: write {UNIX}/path/to/it or {UNIX}@name")
    return text


def _bind(text: str) -> str:
    return socket(text) if text.startswith(UNIX) else _ip(text)


def _trust_domain(text: str) -> str:
    labels = text.removesuffix(".").split(".")  # a trailing dot makes a name absolute
    if not all(map(is_label, labels)):
        raise ValueError(
            f"{show(text)} is not a trust domain: write labels of letters, digits and inner hyphens, separated by dots,"
            " such as cluster.local"
        )
    return text


def _proxy_address(text: str) -> str:
    host, colon, port = text.rpartition(":")
    bracketed = host.startswith("[") and host.endswith("]")
    bare = host[1:-1] if bracketed else host
    if not colon or (":" in host and not bracketed) or not (is_domain(bare) or is_ip(bare)):
        raise ValueError(f"{show(text)} is not host:port, where host is a DNS name, an IP address or [an IPv6 address]")
    if not port_of(port):
        raise ValueError(f"{show(text)}: the port {show(port)} is not in 1..65535")
    return text


def _proxy_address_or_none(text: str) -> str:
    return _proxy_address(text) if text else text


def _tracer_address(text: str) -> str:
    _proxy_address(text.replace(HOST_IP, "127.0.0.1", 1))
    return text


def _tracer_address_or_none(text: str) -> str:
    return _tracer_address(text) if text else text


def _protocol(text: str) -> str:
    if text and text.upper() not in PROTOCOLS:
        raise ValueError(f"{show(text)} is not one of {', '.join(PROTOCOLS)}{nearest(text, PROTOCOLS)}")
    return text


def _address(text: str) -> str:
    if text.startswith(UNIX):
        return socket(text)
    if not is_ip(text) and not is_domain(text):
        raise ValueError(f"{show(text)} is neither an IP address, a DNS name nor a {UNIX} socket")
    return text


def _labels(labels: dict[str, str]) -> dict[str, str]:
    for key, value in labels.items():
        parts = _TAG_KEY.fullmatch(key)
        if not parts or len(parts["name"]) > 63 or len(parts["prefix"] or "") > 254:
            raise ValueError(f"{show(key)} is not the key of a label")
        if not _TAG_VALUE.fullmatch(value) or len(value) > 63:
            raise ValueError(f"{show(value)}, of {show(key)}, is not the value of a label")
    return labels


def _selected(labels: dict[str, str]) -> dict[str, str]:
    for key, value in labels.items():
        if "*" in key + value:
            raise ValueError(f"{show(f'{key}={value}')}: a selector has no wildcards")
    return _labels(labels)


def _gateway(text: str) -> str:
    namespace, slash, name = text.rpartition("/")
    if (slash and not (is_label(namespace) and is_label(name))) or (not slash and not is_domain(text)):
        raise ValueError(f'{show(text)} is not a gateway: write "name", "namespace/name" or "mesh"')
    return text


def _header(text: str) -> str:
    if not is_header(text):
        raise ValueError(f"{show(text)} is not the name of a header")
    return text


def _strict_header(text: str) -> str:
    if not _STRICT_HEADER.fullmatch(text):
        raise ValueError(f"{show(text)} is not letters, digits, hyphens and underscores")
    return text


def _export(namespaces: list[str]) -> list[str]:
    for name in namespaces:
        if name not in (".", "*", "~") and not is_label(name):
            raise ValueError(f'{show(name)} is not a namespace, "." (its own) or "*" (all)')
        if name in ("*", "~") and len(namespaces) > 1:
            raise ValueError(f"{show(name)} must be the only entry")
        if namespaces.count(name) > 1:
            raise ValueError(f"{show(name)} is listed twice")
    return namespaces


def _export_to_some(namespaces: list[str]) -> list[str]:
    if "~" in namespaces:
        raise ValueError('"~" (nobody) is for service entries only')
    return _export(namespaces)


Host = Annotated[str, AfterValidator(_host), Deciding]
SomeHost = Annotated[str, AfterValidator(_some_host), Deciding]
"""A host other than `*`: a DNS name or a wildcard such as `*.example.com`."""
HostOrIp = Annotated[str, AfterValidator(_host_or_ip), Deciding]
Label = Annotated[str, AfterValidator(_label), Deciding]
IpAddress = Annotated[str, AfterValidator(_ip)]
Subnet = Annotated[str, AfterValidator(_subnet)]
"""An IP address or a CIDR range."""
Bind = Annotated[str, AfterValidator(_bind)]
"""The address to which a listener binds: an IP address or a Unix domain socket."""
Address = Annotated[str, AfterValidator(_address)]
TrustDomain = Annotated[str, AfterValidator(_trust_domain)]
"""The root of workloads' identities: labels of a DNS name; unlike there, the last may be a number."""
ProxyAddress = Annotated[str, AfterValidator(_proxy_address)]
"""`host:port` of a server that proxies connect to."""
ProxyAddressOrNone = Annotated[str, AfterValidator(_proxy_address_or_none)]
"""The same, or the empty string for none."""
TracerAddress = Annotated[str, AfterValidator(_tracer_address)]
"""`host:port` of a server that proxies connect to; the host may be `$(HOST_IP)`, the address of the pod's node."""
TracerAddressOrNone = Annotated[str, AfterValidator(_tracer_address_or_none)]
"""The same, or the empty string for none."""
Protocol = Annotated[str, AfterValidator(_protocol)]
GatewayName = Annotated[str, AfterValidator(_gateway), Deciding]
HeaderName = Annotated[str, AfterValidator(_header)]
StrictHeaderName = Annotated[
    str, AfterValidator(_strict_header), Enforced(minLength=1, pattern=f"^{_STRICT_HEADER.pattern}$")
]
"""The name of a header of letters, digits, hyphens and underscores only."""

Labels = Annotated[dict[str, str], AfterValidator(_labels)]
EntryLabels = Annotated[Labels, Enforced(maxProperties=256)]
"""Labels of workloads that are not pods."""
Selector = Annotated[dict[str, str], AfterValidator(_selected)]
"""Labels of a selector: no wildcards."""
PolicyLabels = Annotated[
    dict[
        str,
        Annotated[
            str, Enforced(maxLength=63, rules=(Rule(_NO_WILDCARD, "wildcard not allowed in label value match"),))
        ],
    ],
    Enforced(
        maxProperties=4096,
        rules=(
            Rule('self.all(key, !key.contains("*"))', "wildcard not allowed in label key match"),
            Rule("self.all(key, key.size() != 0)", "key must not be empty"),
        ),
    ),
    AfterValidator(_selected),
]
"""Labels by which a policy selects workloads: no wildcards."""
WorkloadLabels = Annotated[
    dict[
        str,
        Annotated[str, Enforced(maxLength=63, rules=(Rule(_NO_WILDCARD, "wildcard is not supported in selector"),))],
    ],
    Enforced(maxProperties=256),
    AfterValidator(_selected),
]
"""Labels by which another object selects workloads: no wildcards."""
ExportTo = Annotated[list[str], AfterValidator(_export_to_some)]
ServiceExportTo = Annotated[list[str], AfterValidator(_export)]
