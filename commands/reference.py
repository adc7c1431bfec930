"""`make docs`: generates the tables of the README and of docs/ from the code.

Config keys come from the types of the settings, panels from the dashboards, findings from the codes of analysis and
policies, risks from the rules of reports.
"""

from __future__ import annotations

import ast
import inspect
import json
import re
import textwrap
import types
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import to_jsonable_python

from commands import examples, values_page
from commands.parity import intended
from commands.stackfiles import ROOT
from mesh import releases
from mesh.analysis.codes import CODES
from mesh.analysis.left_out import LEFT_OUT
from mesh.analysis.policies import POLICIES
from mesh.config.settings import NAMESPACE, Settings
from mesh.core import validation
from mesh.core.kubernetes_types import Kubernetes
from mesh.core.lacking import Lacks
from mesh.core.typed import Documented, ShortForm
from mesh.releases.dashboards import Dashboard
from mesh.releases.differences import Gone, order
from mesh.review.risks import RISKS

README: Final = ROOT / "README.md"
CONFIG: Final = ROOT / "docs" / "config.md"
ADDONS: Final = ROOT / "docs" / "addons.md"
ANALYSIS: Final = ROOT / "docs" / "analysis.md"
REPORT: Final = ROOT / "docs" / "report.md"
POLICY: Final = ROOT / "docs" / "policies.md"
DIFFERENCES: Final = ROOT / "docs" / "differences.md"
VALUES: Final = ROOT / "docs" / "values.md"
UPGRADE: Final = ROOT / "docs" / "upgrade-changes.md"
_TABLE: Final = re.compile(r"\| key \| value \|.*?\n(?=\n)", re.DOTALL)
_INTENDED: Final = re.compile(r"\| here \| Istio \|.*?\n(?=\n)", re.DOTALL)
_END_OF_INTRODUCTION: Final = "<!-- made by `make docs` from here on -->\n"
_HEAD: Final = ("| {} | value | default | meaning |", "| --- | --- | --- | --- |")
_FIRST: Final = ("release", "profile", "injectedNamespaces", "apps", "traffic", "context")
"""The config keys in the README's table."""
_PLAIN: Final[Mapping[Any, str]] = {str: "text", int: "number", float: "number", bool: "true, false", Any: "anything"}


def write() -> None:
    """Writes all tables into their pages, and the examples' maps."""
    README.write_text(_TABLE.sub(lambda _: table(), README.read_text()))
    CONFIG.write_text(_introduction(CONFIG) + sections())
    ADDONS.write_text(_introduction(ADDONS) + panels())
    ANALYSIS.write_text(_introduction(ANALYSIS) + findings())
    REPORT.write_text(_introduction(REPORT) + risks())
    POLICY.write_text(_introduction(POLICY) + rules())
    VALUES.write_text(_introduction(VALUES) + values_page.tables())
    UPGRADE.write_text(_introduction(UPGRADE) + differences())
    tables = iter(intended_differences())
    DIFFERENCES.write_text(_INTENDED.sub(lambda _: next(tables), DIFFERENCES.read_text()))
    for file, text in examples.maps().items():
        file.write_text(text)


def table() -> str:
    """The README's table of the config keys that a first stack needs, in Markdown."""
    first = tuple(f"| `{NAMESPACE}:{key}` |" for key in _FIRST)
    return _keys(row for row in _rows(Settings, f"{NAMESPACE}:", "docs/config.md") if row.startswith(first))


def keys() -> str:
    """The table of all config keys, in Markdown, for a page of docs/."""
    return _keys(row.replace("](docs/", "](") for row in _rows(Settings, f"{NAMESPACE}:", ""))


def _keys(rows: Iterable[str]) -> str:
    return "\n".join([*(line.format("key") for line in _HEAD), *rows, ""])


def sections() -> str:
    """The table of all config keys, and a section with a table of fields for each type of the settings, in Markdown."""
    return "\n".join([keys(), *map(_section, models())])


def findings() -> str:
    """The tables of the analysis's findings, and of istioctl's findings that it leaves out, in Markdown."""
    head = ("| code | name | severity | meaning |", "| --- | --- | --- | --- |")
    rows = [f"| `{code.code}` | {code.name} | {code.severity} | {code.meaning} |" for code in CODES.values()]
    title = ("", "## What `istioctl analyze` says, and this does not", "| code | reason |", "| --- | --- |")
    reasons = (f"| `{code}` | {reason} |" for code, reason in LEFT_OUT.items())
    return "\n".join([*head, *rows, *title, *reasons, ""])


def risks() -> str:
    """The table of the risks of a change, in Markdown."""
    head = ("| weight | risk | when |", "| --- | --- | --- |")
    return "\n".join([*head, *(f"| {kind.weight} | {kind.name} | {kind.meaning} |" for kind in RISKS), ""])


def rules() -> str:
    """The table of the policies, in Markdown."""
    head = ("| code | policy | level | meaning |", "| --- | --- | --- | --- |")
    rows = [f"| `{one.code}` | `{one.slug}` | {one.level} | {one.meaning} |" for one in POLICIES.values()]
    return "\n".join([*head, *rows, ""])


def intended_differences() -> list[str]:
    """The tables of what differs from Istio's own installation on purpose, in Markdown."""
    head = ("| here | Istio | why |", "| --- | --- | --- |")
    tables = (intended.ALWAYS, intended.BY_SETTINGS)
    return ["\n".join([*head, *(f"| {one.here} | {one.istio} | {one.why} |" for one in t), ""]) for t in tables]


def differences() -> str:
    """The tables of changes, for each release that changed the meaning of something, in Markdown."""
    return "\n".join(_changed(name) for name in releases.NAMES if releases.get(name).differences.changed)


def _changed(release: str) -> str:
    found = releases.get(release).differences
    title = (f"## To release {release}", "| change | since | severity | before | since then | what to do | source |")
    rows = (
        f"| `{name}` | {one.since} | {one.severity} | {_blank(one.before)} | {_blank(one.after)} |"
        f" {_blank(one.remedy)}{_kept(one.variable)} | {_source(one.source)} |"
        for name, one in sorted(found.changed.items(), key=lambda item: (order(item[1].since), item[0]))
    )
    parts = {
        "Settings": found.settings,
        "Environment variables": found.variables,
        "Annotations": found.annotations,
        "Profiles": found.profiles,
        "Filters that EnvoyFilters may name": found.filters,
    }
    gone = (line for noun, names in parts.items() for line in _gone(noun, names))
    return "\n".join([*title, "| --- " * 7 + "|", *rows, "", *gone])


def _gone(noun: str, names: Mapping[str, Gone]) -> Iterator[str]:
    yield from (f"### {noun} that are gone", "| name | since | instead | what to do | source |", "| --- " * 5 + "|")
    for name, one in names.items():
        yield f"| `{name}` | {one.since} | {one.after} | {one.remedy} | {_source(one.source)} |"
    yield ""


def _blank(text: str) -> str:
    """The text of a difference with dots for what depends on the object."""
    return re.sub(r"\{\w+\}", "…", text.replace("{{", "\0").replace("}}", "\1")).replace("\0", "{").replace("\1", "}")


def _kept(variable: tuple[str, str] | None) -> str:
    return f'; kept by `{variable[0]}: "{variable[1]}"`' if variable else ""


def _source(text: str) -> str:
    """The name of a release note as code; other sources as they are."""
    return f"`{text}`" if text.endswith(".yaml") else text


def models() -> list[type[BaseModel]]:
    """The types that the settings consist of, in the order in which a depth-first walk meets them."""
    found: dict[type[BaseModel], None] = {}

    def visit(model: type[BaseModel]) -> None:
        for field in model.model_fields.values():
            for part in _models_of(field.annotation):
                if part not in found:
                    found[part] = None
                    visit(part)

    visit(Settings)
    return list(found)


def panels() -> str:
    """For each release, a section with a table of panels for each dashboard, in Markdown."""
    return "\n".join(_dashboards(name) for name in releases.NAMES)


def _dashboards(release: str) -> str:
    folders = releases.get(release).addons.grafana.dashboards.folders.values()
    tables = [_panels(one) for folder in folders for one in folder.values()]
    return "\n".join([f"## Dashboards of release {release}", *tables])


def _panels(dashboard: Dashboard) -> str:
    rows = [(row.title or "", panel) for row, panel in dashboard.panels if panel.kind != "text"]
    chosen = ", ".join(f"`{variable.name}`" for variable in dashboard.variables) or "nothing"
    head = ["| row | panel | questions |", "| --- | --- | --- |"]
    lines = [f"| {row} | {panel.title} | {len(panel.queries)} |" for row, panel in rows]
    about = f"{dashboard.about} To choose: {chosen}. Address: `/d/{dashboard.uid}`."
    return "\n".join([f"### {dashboard.title}", about, "", *head, *lines, ""])


def _introduction(page: Path) -> str:
    return page.read_text().partition(_END_OF_INTRODUCTION)[0] + _END_OF_INTRODUCTION


def _section(model: type[BaseModel]) -> str:
    meaning = " ".join((model.__doc__ or "").split())
    head = [line.format("field") for line in _HEAD]
    return "\n".join([f"## {model.__name__}", meaning, "", *head, *_rows(model, "", ""), ""])


def _rows(model: type[BaseModel], prefix: str, page: str) -> Iterator[str]:
    own = model.__annotations__  # before what is inherited
    documented = {name: text for cls in reversed(model.__mro__) for name, text in _docstrings(cls)}
    for name, field in sorted(model.model_fields.items(), key=lambda item: item[0] not in own):
        names = ", ".join(_choices(name)) if model is Settings else ""
        meaning = " ".join((field.description or documented.get(name, "")).split())
        wire = validation.wire_name(name, field)
        meaning = " ".join([meaning, *_differences(model, wire)])
        default = "; ".join(filter(None, [_default(field), *_own_defaults(model, name)]))
        yield f"| `{prefix}{wire}` | {names or _values(_kind(field), page)} | {default} | {meaning} |"


def _differences(model: type[BaseModel], wire: str) -> Iterator[str]:
    """Sentences about the releases that have a field, or a value of its enumeration, if not all of them have it."""
    lacks = {name: Lacks(releases.lacks(name)) for name in releases.NAMES}
    having = [name for name, parts in lacks.items() if not parts.field(model, wire)]
    if len(having) < len(lacks):
        yield f"Istio {', '.join(having)} only."
    for value in dict.fromkeys(value for parts in lacks.values() for value in parts.values(model, wire)):
        having = [name for name, parts in lacks.items() if value not in parts.values(model, wire)]
        yield f"`{value}`: Istio {', '.join(having)} only."


def _choices(key: str) -> Iterable[str]:
    """The allowed values of a config key whose type does not list them."""
    if key == "release":
        return releases.NAMES
    profiles = (name for release in releases.NAMES for name in releases.get(release).profiles.names)
    return dict.fromkeys(profiles) if key == "profile" else ()


def _docstrings(cls: type) -> Iterator[tuple[str, str]]:
    """The fields that a class itself declares, with the docstrings below them."""
    if not issubclass(cls, Documented):
        return
    (definition,) = ast.parse(textwrap.dedent(inspect.getsource(cls))).body
    assert isinstance(definition, ast.ClassDef)
    for field, text in pairwise(definition.body):
        match field, text:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(said))):
                yield name, said


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    return "" if isinstance(field.default, BaseModel) else _shown(field.default)


def _own_defaults(model: type[BaseModel], name: str) -> Iterator[str]:
    """The defaults of a field in the releases where they differ from the type's default, unless all releases have the
    same."""
    parts = {release: part for release, part in _only(model).items() if not _only(type(getattr(part, name)))}
    differing = {release: part.model_dump(mode="json", exclude_defaults=True) for release, part in parts.items()}
    texts = {release: _shown(data[name]) for release, data in differing.items() if name in data}
    if len(texts) < len(parts) or len(set(texts.values())) > 1:
        yield from (f"{release}: {text or 'none'}" for release, text in texts.items())


def _only(model: type) -> Mapping[str, BaseModel]:
    """The part of this type in the values of each release's default profile; empty if a release has several such parts.

    A type that is used in several places has different defaults there: the table of the enclosing type shows them.
    """
    found = {release: _parts(release).get(model, []) for release in releases.NAMES}
    if any(len(parts) > 1 for parts in found.values()):
        return {}
    return {release: part for release, parts in found.items() for part in parts}


@cache
def _parts(release: str) -> Mapping[type, list[BaseModel]]:
    """The values of the release's default profile, by type."""
    found: dict[type, list[BaseModel]] = {}

    def visit(value: Any) -> None:
        if isinstance(value, BaseModel):
            found.setdefault(type(value), []).append(value)
            value = dict(value)
        for part in value.values() if isinstance(value, dict) else ():
            visit(part)

    visit(releases.get(release).values(Settings.model_fields["profile"].default))
    return found


def _shown(value: Any) -> str:
    """A default as the tables show it; empty if the default is empty."""
    if value in (None, {}, (), [], ""):
        return ""
    return f"`{value if isinstance(value, str) else json.dumps(to_jsonable_python(value, exclude_none=True))}`"


def _models_of(kind: Any) -> Iterator[type[BaseModel]]:
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        yield kind
    for part in get_args(kind):
        yield from _models_of(part)


def _kind(field: FieldInfo) -> Any:
    """The type of a field, with what it is annotated with."""
    return Annotated[(field.annotation, *field.metadata)] if field.metadata else field.annotation


def _values(kind: Any, page: str) -> str:
    """A type as the tables name it."""
    origin, args = get_origin(kind), [a for a in get_args(kind) if a not in (type(None), ...)]
    if origin is Literal:
        return ", ".join(str(arg) or "(empty)" for arg in args)
    if origin is Annotated:
        named = next((mark.name for mark in args[1:] if isinstance(mark, Kubernetes)), "")
        return f"Kubernetes' {named}" if named else _values(args[0], page)
    if origin is dict:
        return "map" if args[1] is Any else f"map of {_values(args[0], page)} to {_values(args[1], page)}"
    if origin in (list, tuple):
        return f"list of {_values(args[0], page)}"
    if origin in (Union, types.UnionType):
        return " or ".join(_values(arg, page) for arg in args)
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        short = f"{kind.short_forms}, or " if issubclass(kind, ShortForm) else ""
        return f"{short}[{kind.__name__}]({page}#{kind.__name__.lower()})"
    return _PLAIN[kind]
