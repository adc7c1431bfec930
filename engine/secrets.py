"""Puts decrypted values into the resources, and turns every value that must not be shown into a secret of Pulumi.

The engine encrypts secrets in the state, and shows `[secret]` in previews, their JSON and logs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import pulumi
from pulumi import _types  # the SDK's own translation of argument classes into manifest fields

from engine import manifests
from engine.outputs import known_value
from mesh.core import disclosure, kinds, secure
from mesh.core.diff import Path
from mesh.core.disclosure import Disclosure

READABLE: Final = "mesh:secrets:Readable"
"""Type token of the component that records the texts and lists that the engine hides because of a secret in them."""


class Readable(pulumi.ComponentResource):
    """Records the texts and lists that contain secrets, such as the mesh config and the containers of a pod, without
    the secrets. `make report` could not compare them otherwise: the engine hides the whole text or list."""

    def __init__(self, parts: Sequence[Mapping[str, Any]]) -> None:
        super().__init__(READABLE, "readable")
        self.register_outputs({"parts": parts})


@dataclass(frozen=True)
class Secrets:
    """The values of a stack that must not be shown."""

    values: Mapping[str, str]
    """Decrypted values by placeholder."""
    disclosure: Disclosure
    _readable: list[Mapping[str, Any]] = field(default_factory=list)
    """Texts and lists that contain secrets, without these: `resource` (type and name), `path` and `value` of each."""

    def record(self) -> None:
        """Registers the texts and lists that contain secrets, if there are any. Called at the end of the program."""
        if self._readable:
            Readable(self._readable)

    def protect(self, args: pulumi.ResourceTransformationArgs) -> pulumi.ResourceTransformationResult | None:
        """A stack transformation: inputs with decrypted values, and with secrets in place of values that must not be
        shown. None if the resource has neither. All values of a Secret are secrets of Pulumi anyway."""
        kind = manifests.kind_of(args.type_)
        if kind in (None, kinds.CUSTOM_RESOURCE_DEFINITION):
            return None
        if kind == kinds.SECRET and not any(secure.keys_of(manifests.as_data(args.props))):
            return None
        before = len(self._readable)
        props = {key: self._protected(value, (manifests.property_name(key),)) for key, value in args.props.items()}
        resource = f"{args.type_}::{args.name}"
        self._readable[before:] = [{**part, "resource": resource} for part in self._readable[before:]]
        if all(props[key] is value for key, value in args.props.items()):
            return None
        return pulumi.ResourceTransformationResult(props, args.opts)

    def _protected(self, value: Any, path: Path) -> Any:
        """The value with its secrets protected; the same object if there are none."""
        if isinstance(value, pulumi.Output):
            known = known_value(value)
            return value if known is None or (found := self._text(known, path)) is known else found
        if isinstance(value, str):
            return self._text(value, path)
        plain = _types.input_type_to_dict(value) if _types.is_input_type(type(value)) else value
        if isinstance(plain, Mapping):
            found = {key: self._protected(item, (*path, key)) for key, item in plain.items()}
            return found if any(found[key] is not item for key, item in plain.items()) else value
        return self._list(plain, path) if isinstance(plain, list | tuple) else value

    def _list(self, value: Any, path: Path) -> Any:
        """The list with its secrets protected. The engine treats a list with a secret item as one secret."""
        before, data = len(self._readable), manifests.as_data(value)
        items = [self._protected(item, (*path, disclosure.step(data[i], i))) for i, item in enumerate(value)]
        if all(new is old for new, old in zip(items, value, strict=True)):
            return value
        del self._readable[before:]
        self._record(data, path)
        return items

    def _text(self, value: str, path: Path) -> Any:
        revealed = self._revealed(value)
        if revealed is value and self.disclosure.without_credentials(value, path) == value:
            return value
        self._record(value, path)
        return pulumi.Output.secret(revealed)

    def _record(self, value: Any, path: Path) -> None:
        self._readable.append({"path": list(path), "value": self.disclosure.without_credentials(value, path)})

    def _revealed(self, text: str) -> str:
        """The text with the decrypted values in place of their placeholders. In a document they are replaced field by
        field, so that special characters are escaped."""
        if not any(placeholder in text for placeholder in self.values):
            return text
        if text in self.values:
            return self.values[text]
        if content := disclosure.document(text):
            return disclosure.written(self._revealed_in(content), text)
        for placeholder, value in self.values.items():
            text = text.replace(placeholder, value)
        return text

    def _revealed_in(self, value: Any) -> Any:
        if isinstance(value, Mapping):
            return {key: self._revealed_in(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self._revealed_in(item) for item in value]
        return self._revealed(value) if isinstance(value, str) else value
