"""The text of `make status`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, repeat
from typing import Any, Final

from mesh.core import words
from mesh.core.names import DEFAULT_REVISION

Data = Mapping[str, Any]

_WIDTH: Final = 10
"""Width of the first column."""
_SHOWN: Final = 10
"""The most pods that a line names."""


def lines(data: Data) -> Iterator[str]:
    """The lines of the data that `make status JSON=1` prints."""
    cluster, mesh = data["cluster"], data["mesh"]
    yield from _headed("cluster", [f"{cluster['context']}, {cluster['server']}, Kubernetes {cluster['kubernetes']}"])
    if not mesh:
        yield from _headed("mesh", data["next"])
        return
    own = f"namespace {mesh['namespace']}, of project {mesh['project']}, stack {mesh['stack']}"
    several = len(data["control_planes"]) > 1
    workloads = [[one["name"], _ready(one), one["image"]] for one in data["workloads"]]
    yield from _headed("mesh", [own, *_table(workloads)])
    yield from _headed("control", _table([_control_plane(one) for one in data["control_planes"]]))
    # The default tag of a single control plane carries no information.
    tags = [[tag, to] for tag, to in data["tags"].items() if several or tag != DEFAULT_REVISION]
    yield from _headed("tags", _table(tags))
    yield from _headed("gateways", _table([_gateway(one, mesh["namespace"], several) for one in data["gateways"]]))
    yield from _headed("sidecars", [line for one in data["namespaces"] for line in _sidecars(one, several)])
    for part, text in data["sandbox"].items():
        yield from _headed(part, text)


def _control_plane(one: Data) -> list[str]:
    until = "" if one["supported"] is None else "supported until" if one["supported"] else "end of life"
    return [
        one["revision"],
        one["version"],
        _ready(one) if one["installed"] else "not installed",
        f"{until} {one['supported_until']}".strip(),
        one["kind"],
        "" if one["own"] else "not in the stack's file",
    ]


def _gateway(one: Data, root: str, several: bool) -> list[str]:
    name = one["name"] if one["namespace"] == root else f"{one['namespace']}/{one['name']}"
    old = "" if one["current"] else "old: its control plane has another version"
    revision = [one["revision"]] if several else []
    return [name, _ready(one), one["image"], *revision, "  ".join(filter(None, (old, _way(one["service"]))))]


def _way(service: Data | None) -> str:
    """The type, addresses and node ports of a gateway's Service."""
    if not service:
        return ""
    ports = ", ".join(f"{name} {port}" for name, port in service["nodePorts"].items())
    return "  ".join(filter(None, (service["type"], ", ".join(service["addresses"]), ports)))


def _sidecars(one: Data, several: bool) -> Iterator[str]:
    """The pods of a namespace: the number with the sidecar that they would get now, and the names of the others."""
    old, without, pods = one["old"], one["without"], words.count(one["pods"], "pod")
    told = one["image"] and one["revision"]
    good = one["pods"] - len(without) - sum(map(len, old.values()))
    versions = ", ".join(f"{many} of {version or 'an unknown version'}" for version, many in one["versions"].items())
    have = f"{good} with {one['image']}" if told else versions or "none with a sidecar"
    yield f"namespace {one['name']}{_injected_by(one, several)}: {pods}, {have}"
    for what, names in old.items():
        many = f"{names[0]} runs {what}; restart it" if len(names) == 1 else ""
        yield f"old: {many or f'{len(names)} pods run {what}; restart them: {words.some(names, _SHOWN)}'}"
    if without:
        yield f"without a sidecar: {words.some(without, _SHOWN)}"


def _injected_by(one: Data, several: bool) -> str:
    """The control plane that injects a namespace; empty if that is clear."""
    if not one["label"]:
        return ", without a label"
    if not one["revision"]:
        return f", {one['label']}, which matches no control plane"
    if one["tag"]:
        return f", by tag {one['tag']} ({one['revision']})"
    return f", by revision {one['revision']}" if several else ""


def _ready(one: Data) -> str:
    return f"{one['ready']}/{one['wanted']} ready"


def _headed(head: str, text: Iterable[str]) -> Iterator[str]:
    for shown, line in zip(chain([head], repeat("")), text, strict=False):
        yield f"{shown:<{_WIDTH}}{line}"


def _table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip()
