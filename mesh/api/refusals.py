"""Problems of objects that are valid by their types, but that the validation or the CRDs of a release refuse."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import Any, Final, get_args

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


def refusals(message: Message, versions: Versions) -> Findings:
    """The problems that a release finds in a message, and in the messages in it."""
    checks = (check for cls, check in versions.refused.items() if isinstance(message, cls))
    yield from chain.from_iterable(check(message) for check in checks)
    required = message.required or () if versions.enforced else ()
    for name, field in type(message).model_fields.items():
        value = getattr(message, name)
        if value is None and wire_name(name, field) in required:
            yield (wire_name(name, field),), "is required by the API server"
        if value is not None:
            kind, metadata = bare(field.annotation)
            found = _within(value, kind, (*metadata, *field.metadata), versions)
            yield from nested((wire_name(name, field),), found)


def _within(value: Any, kind: Any, metadata: Iterable[Any], versions: Versions) -> Findings:
    """The problems that a release finds in a value whose type is `kind`."""
    if versions.enforced:
        limits = {
            name: limit for part in metadata if isinstance(part, Enforced) for name, limit in part.keywords().items()
        }
        yield from (((), text) for text in _exceeded(value, limits))
    if isinstance(value, Message):
        yield from refusals(value, versions)
    elif isinstance(value, Mapping):
        inner, below = bare(get_args(kind)[1]) if get_args(kind) else (Any, [])
        for key, item in value.items():
            yield from nested((key,), _within(item, inner, below, versions))
    elif isinstance(value, list):
        inner, below = bare(get_args(kind)[0]) if get_args(kind) else (Any, [])
        for i, item in enumerate(value):
            yield from nested((i,), _within(item, inner, below, versions))


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
