"""Host names in Istio's objects: short names, wildcards, `namespace/host` entries of Gateways, and `exportTo`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, TypeVar

from mesh.api.names import covers

T = TypeVar("T")

ALL: Final = "*"
"""Every namespace, in `exportTo` and in the hosts of a Gateway."""
OWN: Final = "."
"""The namespace of the object itself."""


def full_name(host: str, namespace: str, domain: str) -> str:
    """The fully qualified name of a host in an object of `namespace`. Names with a dot and wildcards are left as is."""
    return host if "." in host or host.startswith("*") else f"{host}.{namespace}.svc.{domain}"


def short_name(host: str, namespace: str) -> str:
    """The name of a host for messages: without its domain if it is a Service of `namespace`."""
    name, _, rest = host.partition(".")
    return name if rest.startswith(f"{namespace}.svc.") else host


def overlap(one: str, other: str) -> bool:
    """Whether some host name matches both of two hosts, either of which may be a wildcard."""
    return covers(one, other) or covers(other, one)


def wildcards(host: str) -> Iterator[str]:
    """All wildcards that match `host`, the most specific first."""
    name = host.removeprefix("*")
    for start in range(0 if host.startswith("*") else 1, len(name) + 1):
        yield f"*{name[start:]}"


def most_specific(host: str, among: Mapping[str, T]) -> T | None:
    """The value for the host itself, or else for the longest wildcard that matches it; None if there is neither."""
    if host in among:
        return among[host]
    return next((among[wide] for wide in wildcards(host) if wide in among), None)


def parse_server_host(entry: str, namespace: str) -> tuple[str, str]:
    """Splits an entry of a server's `hosts` in a Gateway of `namespace` into namespace and host.

    VirtualServices of that namespace may bind to the server; `*` means any namespace.
    """
    place, _, host = entry.rpartition("/")
    return {"": ALL, OWN: namespace}.get(place, place), host


def exported_to(places: Sequence[str], namespace: str) -> frozenset[str]:
    """The namespaces to which an object of `namespace` with this `exportTo` is visible; `*` among them means all."""
    return frozenset(namespace if place == OWN else place for place in places or (ALL,))


def is_visible(namespace: str, exported: frozenset[str]) -> bool:
    """Whether an object that is exported to the namespaces `exported` is visible to proxies in `namespace`."""
    return ALL in exported or namespace in exported


def names(host: str, namespace: str) -> tuple[str, ...]:
    """The names by which workloads of a namespace call a service, the usual one first. `host` is its full name."""
    name, _, rest = host.partition(".")
    place, cluster, _ = rest.partition(".svc.")
    if not cluster or host.startswith("*"):
        return (host,)
    short = short_name(host, namespace)
    return tuple(dict.fromkeys((short, host, f"{name}.{place}", f"{name}.{place}.svc")))
