"""Strategic merge patches, as Kubernetes applies them.

Mappings are merged, null removes a key, and lists are replaced, except that Kubernetes' types name a key by which the
items of some lists are merged. `$patch: delete` empties a mapping, or removes an item of such a list; `$patch: replace`
replaces a whole mapping or list by that of the patch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from mesh.core.errors import not_one_of, show
from mesh.patches.paths import Item, Merging, PatchError, Path, is_plain, keys

DIRECTIVE: Final = "$patch"
DIRECTIVES: Final = ("delete", "replace")
_LEFT_OUT: Final[Any] = object()

Object = Mapping[str, Any]


def merged(base: Object, patch: Object, how: Merging, at: Path = ()) -> dict[str, Any]:
    """`base` with a patch; both stay as they are. Raises PatchError."""
    directive = patch.get(DIRECTIVE)
    if directive is not None:
        return _directed(patch, directive, at)
    result = dict(base)
    for key, value in patch.items():
        _refuse_unknown_directive(key, (*at, key))
        new = _LEFT_OUT if value is None else _merged_value(result.get(key, _LEFT_OUT), value, how, (*at, key))
        if new is _LEFT_OUT:
            result.pop(key, None)
        else:
            result[key] = new
    return result


def _directed(patch: Object, directive: Any, at: Path) -> dict[str, Any]:
    if directive not in DIRECTIVES:
        raise PatchError((*at, DIRECTIVE), not_one_of(directive, DIRECTIVES))
    rest = {key: value for key, value in patch.items() if key != DIRECTIVE}
    return {} if directive == "delete" else _cleaned(rest, at)


def _refuse_unknown_directive(key: str, at: Path) -> None:
    if key.startswith("$") and key != DIRECTIVE:
        raise PatchError(at, f"{key} is not a directive here: {DIRECTIVE} is the only one")


def _merged_value(old: Any, value: Any, how: Merging, at: Path) -> Any:
    if isinstance(value, Mapping) and old is not _LEFT_OUT and not is_plain(old):
        raise PatchError(at, "is known only during an update, so that nothing can be merged into it")
    if isinstance(value, Mapping) and isinstance(old, Mapping) and keys(at) not in how.replaced:
        return merged(old, value, how, at)
    if isinstance(value, list) and isinstance(old, list | tuple) and keys(at) in how.lists:
        return _merged_list(old, value, how, at)
    if isinstance(value, list) and keys(at) not in how.lists:
        _refuse_directives(value, at)
    return _cleaned(value, at)


def _refuse_directives(items: Sequence[Any], at: Path) -> None:
    for i, item in enumerate(items):
        if isinstance(item, Mapping) and DIRECTIVE in item:
            text = "this list is replaced as a whole, since its items have no merge key: write the whole list, or null"
            raise PatchError((*at, i, DIRECTIVE), text)


def _cleaned(value: Any, at: Path) -> Any:
    """A value of a patch where the object has none: without nulls and without directives."""
    if isinstance(value, Mapping):
        if value.get(DIRECTIVE) == "replace":
            raise PatchError((*at, DIRECTIVE), "the object has no value to replace: leave the directive out")
        if DIRECTIVE in value:
            return _LEFT_OUT
        for key in value:
            _refuse_unknown_directive(key, (*at, key))
        cleaned = ((key, _cleaned(item, (*at, key))) for key, item in value.items() if item is not None)
        return {key: item for key, item in cleaned if item is not _LEFT_OUT}
    if isinstance(value, list | tuple):
        items = (_cleaned(item, (*at, i)) for i, item in enumerate(value) if item != {DIRECTIVE: "replace"})
        return [item for item in items if item is not _LEFT_OUT]
    return value


def _merged_list(old: Sequence[Any], patch: Sequence[Any], how: Merging, at: Path) -> list[Any]:
    key = how.lists[keys(at)]
    given = [item for item in patch if DIRECTIVE not in _item(item, key, at)]
    ways = [item for item in patch if DIRECTIVE in item]
    for item in ways:
        if item[DIRECTIVE] not in DIRECTIVES:
            raise PatchError((*at, DIRECTIVE), not_one_of(item[DIRECTIVE], DIRECTIVES))
    if any(item[DIRECTIVE] == "replace" for item in ways):
        return [_cleaned(item, at) for item in given]
    names = {item[key] for item in ways}
    kept = [item for item in old if _name(item, key) not in names]
    result = list(kept)
    for item in given:
        at_item = (*at, Item(str(item[key])))
        place = next((i for i, other in enumerate(result) if _name(other, key) == item[key]), None)
        if place is None:
            result.append(_cleaned(item, at_item))
        else:
            result[place] = merged(result[place], item, how, at_item)
    return _ordered(result, [item[key] for item in given], [_name(item, key) for item in kept], key)


def _item(item: Any, key: str, at: Path) -> Mapping[str, Any]:
    """An item of a patch's list. One that replaces the list needs no key."""
    if not isinstance(item, Mapping):
        raise PatchError(at, f"{show(item)} is not a mapping with `{key}`, by which items of this list are merged")
    if key not in item and item.get(DIRECTIVE) != "replace":
        raise PatchError(at, f"an item lacks `{key}`, by which items of this list are merged")
    return item


def _name(item: Any, key: str) -> Any:
    return item.get(key) if isinstance(item, Mapping) else None


def _ordered(items: Sequence[Any], wanted: Sequence[Any], standing: Sequence[Any], key: str) -> list[Any]:
    """The items in Kubernetes' order: those of the patch in its order, each before what follows it in the old list; new
    ones first."""
    ours = sorted((one for one in items if one[key] in wanted), key=lambda one: wanted.index(one[key]))
    others = [one for one in items if _name(one, key) not in wanted]
    found: list[Any] = []
    for one in ours:
        name = one[key]
        while others and name in standing and standing.index(_name(others[0], key)) < standing.index(name):
            found.append(others.pop(0))
        found.append(one)
    return [*found, *others]
