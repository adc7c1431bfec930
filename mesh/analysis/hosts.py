"""Host names: how short ones are read, which of several wildcards is meant, and for whom something is exported."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, TypeVar

from mesh.api.names import covers

T = TypeVar("T")

ALL: Final = "*"
OWN: Final = "."


def full(host: str, namespace: str, domain: str) -> str:
    """The whole name of a host that is named in an object of `namespace`: only names without a dot are short."""
    return host if "." in host or host.startswith("*") else f"{host}.{namespace}.svc.{domain}"


def short(host: str, namespace: str) -> str:
    """A host for people, as they would name it in an object of `namespace`."""
    name, _, rest = host.partition(".")
    return name if rest.startswith(f"{namespace}.svc.") else host


def overlap(one: str, other: str) -> bool:
    """Whether there are names that both stand for."""
    return covers(one, other) or covers(other, one)


def wildcards(host: str) -> Iterator[str]:
    """Every wildcard that stands for `host`, the most specific first."""
    name = host.removeprefix("*")
    for start in range(0 if host.startswith("*") else 1, len(name) + 1):
        yield f"*{name[start:]}"


def best(host: str, among: Mapping[str, T]) -> T | None:
    """What stands under the host itself, or else under the longest wildcard that stands for it."""
    if host in among:
        return among[host]
    return next((among[wide] for wide in wildcards(host) if wide in among), None)


def of_server(entry: str, namespace: str) -> tuple[str, str]:
    """Which VirtualServices an entry of a server's `hosts` is for, in a Gateway of `namespace`: the namespace that they
    are in, `*` for any, and the host that they must have."""
    place, _, host = entry.rpartition("/")
    return {"": ALL, OWN: namespace}.get(place, place), host


def exported_to(places: Sequence[str], namespace: str) -> frozenset[str]:
    """The namespaces that see an object of `namespace` with this `exportTo`; `*` among them means every one."""
    return frozenset(namespace if place == OWN else place for place in places or (ALL,))


def sees(namespace: str, exported: frozenset[str]) -> bool:
    """Whether proxies in `namespace` see what is exported so."""
    return ALL in exported or namespace in exported
