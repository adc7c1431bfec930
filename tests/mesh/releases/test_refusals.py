"""Every setting of Istio's is a key here, or it is refused by its own name, with the reason.

tests/samples/values has the settings of each release, one a line, with IstioOperator's paths (`mesh.values.upstream`):
what the charts' values and templates, the types of the values, of IstioOperator and of MeshConfig name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Annotated, Any, get_args, get_origin

import pytest
from pydantic import BaseModel

from mesh import releases
from mesh.config.settings import Settings
from mesh.core.lacking import Lacks
from mesh.core.places import wire_name
from mesh.releases import refusals
from mesh.releases.refusals import ANY
from mesh.values import upstream
from mesh.values.upstream import ENTRY, NAME
from mesh.values.values import Values

pytestmark = pytest.mark.slow

SETTINGS = Path(__file__).parents[2] / "samples" / "values"
OURS_ALONE = {
    "base.release",
    "images",
    "gateways.NAME.chart",
    "gateways.NAME.kind",
    "gateways.NAME.revision",
    *(f"{part}.envVarFrom" for part in ("cni", "gateways.NAME", "pilot", "ztunnel")),  # a part of Istio's `k8s.env`
}
"""Settings of an installation that are not Istio's."""
IN_A_MAP = {"cni.updateStrategy.rollingUpdate.maxSurge"}
"""Those that are part of a map that Istio's charts pass on."""

of_release = pytest.mark.parametrize("release", releases.NAMES)


@cache
def settings_of(release: str) -> tuple[str, ...]:
    """Istio's paths of all its settings."""
    return tuple((SETTINGS / f"{release}.txt").read_text().split())


def place(path: str) -> tuple[str, ...]:
    """The key here of one of Istio's paths; `NAME` is the name of any gateway."""
    steps = upstream.place(path.split("."))
    is_gateway = steps[0] == "gateways" and len(steps) > 2
    return (steps[0], NAME, *steps[2:]) if is_gateway else steps


def stripped(kind: Any) -> Any:
    """A type without what is said about it, and without None if that is the only other one."""
    if get_origin(kind) is Annotated:
        return stripped(get_args(kind)[0])
    others = [one for one in get_args(kind) if one is not type(None)]
    return stripped(others[0]) if type(None) in get_args(kind) and len(others) == 1 else kind


def inside(kind: Any) -> tuple[str, Any]:
    """The step into the elements of a map or list, and their type; `("", None)` for other types."""
    origin = get_origin(kind)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return NAME, stripped(get_args(kind)[1])
    return (ENTRY, stripped(get_args(kind)[0])) if origin in (list, tuple) else ("", None)


def is_model(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def fields(model: Any, lacks: Lacks) -> dict[str, Any]:
    """The types of a model's keys in a release."""
    named = {wire_name(name, field): field.annotation for name, field in model.model_fields.items()}
    return {name: kind for name, kind in named.items() if not lacks.field(model, name)}


def is_known(kind: Any, path: Sequence[str], lacks: Lacks, free: bool) -> bool:
    """Whether a release has a key below a type. A model in a map, such as a gateway, is none: its parts are. `free`:
    whether what may be anything has every key."""
    kind = stripped(kind)
    if not path:
        return True
    if is_model(kind):
        return path[0] in fields(kind, lacks) and is_known(fields(kind, lacks)[path[0]], path[1:], lacks, free)
    step, element = inside(kind)
    if step == NAME:
        return (len(path) > 1 or not is_model(element)) and is_known(element, path[1:], lacks, free)
    if step == ENTRY:
        return is_known(element, path[1:] if path[0] == ENTRY else path, lacks, free)
    return free and kind is Any


@cache
def known(release: str, path: tuple[str, ...], free: bool = True) -> bool:
    return is_known(Settings, path, Lacks(releases.lacks(release)), free)


def leaves(kind: Any, lacks: Lacks, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The keys of a release below a type that have no others in them."""
    kind = stripped(kind)
    step, element = inside(kind)
    if is_model(kind):
        for name, part in fields(kind, lacks).items():
            yield from leaves(part, lacks, (*path, name))
    elif is_model(element):
        yield from leaves(element, lacks, (*path, step))
    else:
        yield path


@of_release
def test_every_setting_of_istio_is_known_or_refused_with_a_reason(release: str) -> None:
    table = releases.get(release).refusals

    neither = {
        path for path in settings_of(release) if not (known(release, place(path)) or refusals.find(table, place(path)))
    }

    assert neither == set()


@of_release
def test_no_setting_is_both_known_and_refused(release: str) -> None:
    table = releases.get(release).refusals

    places = map(place, settings_of(release))
    both = {path for path in places if known(release, path, free=False) and refusals.find(table, path)}

    assert both == set()


@of_release
def test_nothing_is_refused_that_istio_does_not_have(release: str) -> None:
    table = releases.get(release).refusals
    places = [place(path) for path in settings_of(release)]

    used = {id(refusals.find(table, path)) for path in places}

    assert {key for key, refusal in table.items() if id(refusal) not in used} == set()


@of_release
def test_every_setting_of_an_installation_is_istios(release: str) -> None:
    places = {place(path) for path in settings_of(release)}
    ours = set(leaves(Values, Lacks(releases.lacks(release))))

    alone = {path for path in ours if not any(path[: len(one)] == one[: len(path)] for one in places)}

    assert {".".join(path) for path in alone} <= OURS_ALONE | IN_A_MAP


@of_release
def test_a_refusal_tells_to_write_what_the_release_has(release: str) -> None:
    told = {refusal.instead.replace(ANY, NAME) for refusal in releases.get(release).refusals.values()} - {""}
    paths = [tuple(key.split(".")) for key in told]

    assert [path for path in paths if not known(release, path)] == []


def test_every_place_is_that_of_a_setting_of_istios() -> None:
    every = {tuple(path.split(".")) for release in releases.NAMES for path in settings_of(release)}
    places = [tuple(path.split(".")) for path in upstream.PLACES]

    assert [path for path in places if not any(other[: len(path)] == path for other in every)] == []
