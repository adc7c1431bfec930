"""Random objects of Istio's API and random configs of stacks for property-based tests, drawn from the types.

Text and numbers come from a pool with a few examples of every format in the API. Which of them a field accepts is found
by validating them with its type.
"""

from __future__ import annotations

import functools
import json
import random
import re
import types
from collections.abc import Sequence
from enum import Enum
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from hypothesis import HealthCheck, Phase, given, reject, seed
from hypothesis import settings as limits
from hypothesis import strategies as st
from pydantic import BaseModel, TypeAdapter, ValidationError

from mesh import releases
from mesh.api import ApiError, Kind, Message
from mesh.config import loading
from mesh.config.settings import Settings, SettingsError
from mesh.core.places import written
from mesh.core.secure import HIDDEN
from mesh.core.validation import wire_name
from mesh.releases import lacking

POOL: tuple[Any, ...] = (
    *(
        "reviews",
        "reviews.default.svc.cluster.local",
        "*.example.org",
        "*",
        "istio-system/ingress",
        "mesh",
        "v1",
        "x-user",
    ),
    *(
        "5s",
        "100ms",
        "1.5h",
        "0s",
        "10.0.0.0/8",
        "192.0.2.7",
        "/login",
        "^v[0-9]+$",
        "GET",
        "5xx,reset",
        "https",
        "cpu",
        "HTTP",
    ),
    *(
        "cluster.local/ns/default/sa/x",
        "spiffe://cluster.local/ns/default/sa/x",
        "unix:///var/run/x.sock",
        "us-east/a/b",
    ),
    *("oci://registry.example/filter:1", "CONNECT", "/a/{*}/{**}", "Gateway", "gateway.networking.k8s.io", 65537, 404),
    *("@request.auth.claims.group", "UNAVAILABLE", "default/jo", "source.serviceAccount"),
    *("https://issuer.example/keys", "request.headers[x-user]", "ECDHE-ECDSA-AES128-GCM-SHA256", "secret-name", "a=b"),
    *(0, 1, 50, 80, 100, 301, 443, 503, 9080, 15021, 0.5, 99.9, True, False),
)
FREE: tuple[Any, ...] = ({}, {"a": 1}, {"name": "x", "nested": {"list": [1, "two", None]}})
SEED = 1103
UNDRAWN = {
    *("InjectedGateways.securityContext", "Pilot.autoscaleBehavior", "Ztunnel.dnsConfig"),
    "Pilot.trafficDistribution",
}
"""Fields that nothing here checks, whole objects of Kubernetes; and one whose values only a later Kubernetes has."""
DEEPEST = 7
FEW = 5
"""Of messages with up to so many fields most are drawn, since rules often require fields that the type does not."""
PATH = re.compile(r'(?:\.?[A-Za-z_][\w-]*|\[\d+\]|\["(?:[^"\\]|\\.)*"\])*')
"""A path in an error message: `http[0].match[1].headers["x.y"]`."""
STEP = re.compile(r'\.?([A-Za-z_][\w-]*)|\[(\d+)\]|\[("(?:[^"\\]|\\.)*")\]')


def drawn(strategy: st.SearchStrategy[Any], count: int, start: int = SEED) -> list[Any]:
    """Values of a strategy, which are the same in each run with the same `start`."""
    made: list[Any] = []
    random.seed(start)

    # without a search for smaller examples, which takes minutes where an assertion fails
    @limits(
        max_examples=count,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @seed(start)
    @given(strategy)
    def collect(value: Any) -> None:
        made.append(value)

    collect()
    return made


def objects(kind: type[Kind], release: str) -> st.SearchStrategy[Kind]:
    """Objects of `kind` that are valid in a release: fields that a problem names are removed until there is none."""

    @st.composite
    def draw_one(draw: st.DrawFn) -> Kind:
        values = _fields(draw, kind, 0)
        while True:
            try:
                made = kind(**values)
                places = [written(path) for path, _ in lacking.of_object(release, made)]
                if not places:
                    return made
            except ApiError as error:
                places = [problem.removeprefix(kind.__name__).lstrip(" ") for problem in error.problems]
            if not any(_without(values, place) for place in places):
                reject()

    return draw_one()


@st.composite
def configs(draw: st.DrawFn, among: Sequence[str] = releases.NAMES) -> dict[str, str]:
    """Valid configs of the releases `among`, drawn in the same way."""
    release = draw(st.sampled_from(among))
    profile = draw(st.sampled_from(sorted(releases.get(release).profiles.names)))
    values = _fields(draw, Settings, 0) | {"release": release, "profile": profile}
    while problems := _problems(config := _written(values)):
        if HIDDEN in problems:
            reject()  # what is hidden may be a word of the path
        places = problems.split("mesh:")[1:]
        if any(_without(values, place) for place in places):
            continue
        assert values["profile"] != "default", f"{problems} leads nowhere in {config}"
        values["profile"] = "default"  # the one that was drawn needs a key that was not
    return config


def _written(values: dict[str, Any]) -> dict[str, str]:
    """The config in the form that Pulumi passes to the program."""
    return {f"mesh:{key}": value if isinstance(value, str) else json.dumps(value) for key, value in values.items()}


def _problems(config: dict[str, str]) -> str:
    """The error message of a config; empty if it is valid."""
    try:
        loading.load(config)
    except SettingsError as error:
        return str(error)
    return ""


def _without(values: dict[str, Any], message: str) -> bool:
    """Removes the value at the path at the beginning of a message, or the nearest value above it that exists. Returns
    whether there was one."""
    inside: Any = values
    last: tuple[Any, Any] | None = None
    for name, number, key in STEP.findall(PATH.match(message)[0]):  # type: ignore[index]
        step = int(number) if number else json.loads(key) if key else name
        if not (
            step in inside if isinstance(inside, dict) else isinstance(inside, list) and step in range(len(inside))
        ):
            break
        last = inside, step
        inside = inside[step]
    if last:
        del last[0][last[1]]
    return last is not None


def _fields(draw: st.DrawFn, model: type[BaseModel], depth: int) -> dict[str, Any]:
    """A random choice of the fields of a message, with values."""
    group = set(model.one_of) if issubclass(model, Message) else set()
    chosen = draw(st.sampled_from(sorted(group))) if group else None
    share = 8 if len(model.model_fields) <= FEW else 4
    values = {}
    for name, field in model.model_fields.items():
        if name in group and name != chosen:
            continue
        if f"{model.__name__}.{name}" in UNDRAWN:
            continue
        wanted = field.is_required() or name == chosen or (depth < DEEPEST and draw(st.integers(0, 9)) < share)
        if wanted:
            value = _value(draw, _annotated(field), depth + 1)
            if value is not None:
                values[wire_name(name, field)] = value
    return values


def _annotated(field: Any) -> Any:
    metadata = tuple(field.metadata)
    return Annotated[(field.annotation, *metadata)] if metadata else field.annotation


def _value(draw: st.DrawFn, annotation: Any, depth: int) -> Any:
    bare = annotation
    while get_origin(bare) is Annotated:
        bare = get_args(bare)[0]
    origin, arguments = get_origin(bare), get_args(bare)
    if origin in (Union, types.UnionType):
        members = [member for member in arguments if member is not type(None)]
        return _value(draw, draw(st.sampled_from(members)), depth)
    if isinstance(bare, type) and issubclass(bare, BaseModel):
        return _fields(draw, bare, depth)
    if origin is list:
        return [_value(draw, arguments[0], depth) for _ in range(draw(st.integers(1, 2)))]
    if origin is dict and arguments[1] is not Any:
        keys = _examples(arguments[0])
        return {draw(st.sampled_from(keys)): _value(draw, arguments[1], depth)} if keys else {}
    if origin is Literal:
        return draw(st.sampled_from(arguments))
    if isinstance(bare, type) and issubclass(bare, Enum):
        return draw(st.sampled_from([member.value for member in bare]))
    examples = _examples(annotation)
    return draw(st.sampled_from(examples)) if examples else None


@functools.cache
def _examples(annotation: Any) -> list[Any]:
    """The values of the pool that the type accepts."""
    adapter = TypeAdapter(annotation)
    found = []
    for value in (*POOL, *FREE):
        try:
            adapter.validate_python(value, strict=True)
        except ValidationError:
            continue
        found.append(value)
    return found
