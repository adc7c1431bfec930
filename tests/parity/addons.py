"""The forms of the addons and of Grafana's dashboards."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import yaml

from tests.addon_deviations import deviations
from tests.components import test_addons_parity as parity
from tests.parity import forms
from tests.parity.forms import Form, Forms

MODES: Final = ("safe", "insecureDemo")
"""Without and with `mesh:addons.insecureDemo`."""
DASHBOARDS: Final = "dashboards.yaml"
"""The file with titles, variables, panels and queries of the dashboards."""


def istios(folder: Path, release: str) -> Iterator[tuple[str, Forms]]:
    """The forms of the samples of a release in a folder, by set."""
    for file in folder.glob("*.yaml"):
        manifests = [m for m in yaml.safe_load_all(file.read_text()) if m]
        if file.name == DASHBOARDS:
            yield "dashboards", dict(_dashboards(manifests[0]))
        else:
            for mode in MODES:
                yield f"addons/{file.stem}-{mode}", of_objects(manifests, release, file.stem, mode)


def of_objects(manifests: Sequence[Mapping[str, Any]], release: str, addon: str, mode: str) -> Forms:
    """The forms of an addon's objects without the listed deviations."""
    wanted = deviations(release, addon, insecure=mode == "insecureDemo")
    found = parity.by_name(release, manifests)
    return {name: _form(name, leaves, wanted) for name, leaves in found.items() if name not in wanted}


def _form(name: str, leaves: Mapping[str, Any], wanted: Mapping[str, str]) -> Form:
    """The leaves of an object, by the first two steps of their paths."""
    found: dict[str, Any] = {}
    for path, value in leaves.items():
        listed = any(parity.covers(place, f"{name}: {path}") for place in wanted)
        if not listed and not parity.is_default(path, value):
            found.setdefault(".".join(path.split(".")[:2]), {})[path] = value
    return forms.named(found)


def _dashboards(listed: Any) -> Iterator[tuple[str, Form]]:
    """The forms of the dashboards in Istio's list, which has each release's own format."""
    for one in listed if isinstance(listed, list) else ({"file": name, **d} for name, d in listed.items()):
        panels = [(p.get("title"), p["type"], [_query(q) for q in p["queries"]]) for p in one["panels"]]
        variables = [(v["name"], v["type"], v["query"]) for v in one["variables"]]
        yield one["file"], dashboard(one["title"], one.get("uid"), variables, panels)


def _query(query: Any) -> str:
    return str(query["expr"] if isinstance(query, Mapping) else query)


def dashboard(title: str, uid: str | None, variables: Sequence[Any], panels: Sequence[Any]) -> Form:
    """The form of a dashboard; variables are (name, type, query), panels (title, type, queries)."""
    return {
        "title": title,
        **({"uid": uid} if uid else {}),
        "variables": [(name, kind, _plain(query)) for name, kind, query in variables],
        "panels": [(name or "", kind) for name, kind, _ in panels],
        "queries": [[_plain(query) for query in queries] for _, _, queries in panels],
    }


def _plain(text: Any) -> str:
    """PromQL without white space and empty braces, which have no meaning in it."""
    return re.sub(r"\s+", "", str(text)).replace("{}", "")


def documents(manifests: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, Any]]:
    """The dashboards in ConfigMaps, as data, by file name."""
    for manifest in manifests:
        for name, text in (manifest.get("data") or {}).items() if manifest["kind"] == "ConfigMap" else ():
            if name.endswith(".json"):
                yield name, json.loads(text)


def of_document(document: Mapping[str, Any]) -> Form:
    """The form of a dashboard in Grafana's own format."""
    listed = list(_panels(document["panels"]))
    panels = [(p.get("title"), p["type"], [t["expr"] for t in p.get("targets") or []]) for p in listed]
    variables = [(v["name"], v["type"], v.get("query")) for v in document["templating"]["list"]]
    return dashboard(document["title"], document["uid"], variables, panels)


def _panels(panels: Sequence[Any]) -> Iterator[Any]:
    """The panels, those in rows included."""
    for panel in panels:
        if panel["type"] == "row":
            yield from _panels(panel.get("panels") or [])
        else:
            yield panel
