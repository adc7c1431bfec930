"""Problems of objects that are valid by their types, but that the validation or the CRDs of a release refuse."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any, Final, NamedTuple, get_args, get_origin

from mesh.api.enforced import Enforced
from mesh.api.model import Message, Versions, nested
from mesh.api.schema import bare
from mesh.core.errors import show
from mesh.core.typed import Findings
from mesh.core.validation import wire_name

_SIZES: Final = (
    (str, "minLength", "maxLength", "characters"),
    (list, "minItems", "maxItems", "entries"),
    (Mapping, "minProperties", "maxProperties", "entries"),
)
"""By type, the keywords of the minimum and the maximum size, and the unit."""


class _Shape(NamedTuple):
    """The limits of a type's values, and the shape of the items of a list or map of that type."""

    limits: Mapping[str, Any]
    items: "_Shape | None"


_ANY: Final = _Shape({}, None)


def refusals(message: Message, versions: Versions) -> Findings:
    """The problems that a release finds in a message, and in the messages in it."""
    for cls, check in versions.refused.items():
        if isinstance(message, cls):
            yield from check(message)
    required = message.required or () if versions.enforced else ()
    for name, wire, shape in _fields(type(message)):
        value = getattr(message, name)
        if value is not None:
            yield from nested((wire,), _within(value, shape, versions))
        elif wire in required:
            yield (wire,), "is required by the API server"


def _within(value: Any, shape: _Shape, versions: Versions) -> Findings:
    """The problems that a release finds in a value of a shape."""
    if versions.enforced and shape.limits:
        yield from (((), text) for text in _exceeded(value, shape.limits))
    if isinstance(value, Message):
        yield from refusals(value, versions)
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from nested((key,), _within(item, shape.items or _ANY, versions))
    elif isinstance(value, list):
        for i, item in enumerate(value):
            yield from nested((i,), _within(item, shape.items or _ANY, versions))


@cache
def _fields(message: type[Message]) -> list[tuple[str, str, _Shape]]:
    """The fields of a type, each with its wire name and shape."""
    return [
        (name, wire_name(name, field), _shape(field.annotation, field.metadata))
        for name, field in message.model_fields.items()
    ]


def _shape(annotation: Any, metadata: Iterable[Any] = ()) -> _Shape:
    kind, inner = bare(annotation)
    enforced = (part for part in (*inner, *metadata) if isinstance(part, Enforced))
    limits = {name: limit for part in enforced for name, limit in part.keywords().items()}
    is_collection = get_origin(kind) in (list, dict)
    return _Shape(limits, _shape(get_args(kind)[-1]) if is_collection else None)


def _exceeded(value: Any, limits: Mapping[str, Any]) -> Iterator[str]:
    """The limits of a schema that a value exceeds."""
    for sort, least, most, unit in _SIZES:
        if isinstance(value, sort):
            if len(value) > limits.get(most, len(value)):
                yield f"has {len(value)} {unit}; the API server accepts at most {limits[most]}"
            if len(value) < limits.get(least, 0):
                yield f"has {len(value)} {unit}; the API server requires at least {limits[least]}"
    for key in limits.get("x-kubernetes-list-map-keys", ()):
        count = Counter(getattr(item, key) for item in value)
        yield from (f"has {show(one)} as {key} {times} times" for one, times in count.items() if times > 1)
    if isinstance(value, int | float) and not limits.get("minimum", value) <= value <= limits.get("maximum", value):
        yield f"{show(value)} is not in {limits.get('minimum', '-∞')}..{limits.get('maximum', '∞')}"
    if isinstance(value, str) and not re.search(limits.get("pattern", ""), value):
        yield f"{show(value)} does not match {limits['pattern']}"
