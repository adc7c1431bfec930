"""The tables of docs/values.md: Istio's settings that have another place here, and those that have none."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from mesh import releases
from mesh.releases.refusals import ANY
from mesh.values import upstream

_LIKEWISE = "egressGateways"  # the same entries as ingressGateways


def tables() -> str:
    """All tables, in Markdown."""
    return "\n".join([*_places(), *(line for name in releases.NAMES for line in _refused(name))])


def _places() -> Iterator[str]:
    yield from ("## Under another name", "| here | Istio |", "| --- | --- |")
    found: dict[str, list[str]] = defaultdict(list)
    for path, place in sorted(upstream.PLACES.items()):
        if _LIKEWISE not in path:
            found[place].append(path.replace(f".{upstream.ENTRY}", upstream.ENTRY))
    for place, paths in sorted(found.items()):
        yield f"| {_code(place) if place else 'the same'} | {', '.join(map(_code, paths))} |"
    yield ""


def _refused(release: str) -> Iterator[str]:
    yield from (f"## Settings of Istio {release} that do not exist here", "| settings | why |", "| --- | --- |")
    found: dict[str, list[str]] = defaultdict(list)
    for key, refusal in releases.get(release).refusals.items():
        name = ".".join(key).replace(ANY, upstream.NAME)
        instead = refusal.instead.replace(ANY, upstream.NAME)
        found[refusal.why].append(f"{_code(name)} (instead: {_code(instead)})" if instead else _code(name))
    for why, keys in found.items():
        yield f"| {', '.join(sorted(keys))} | {why} |"
    yield ""


def _code(text: str) -> str:
    return f"`{text}`"
