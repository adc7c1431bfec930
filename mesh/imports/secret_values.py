"""The credentials in a config, which a stack's file has only as Pulumi's secrets."""

from __future__ import annotations

from typing import Any

from mesh.config.settings import NAMESPACE
from mesh.core import secure
from mesh.core.disclosure import Disclosure, step
from mesh.imports.source import Data


def hidden(config: Data, disclosure: Disclosure) -> tuple[dict[str, Any], list[str]]:
    """The config with placeholders of secrets in place of credentials, and the paths of these, as `pulumi config set
    --path` takes them. What has a name and a value is a variable, wherever it stands, such as in a patch."""
    found: list[str] = []

    def walk(value: Any, path: tuple[str, ...], written: str) -> Any:
        if isinstance(value, dict):
            named = ("env", f"[{value['name']}]") if "value" in value and "name" in value else path
            return {
                key: walk(item, (*(named if key == "value" else path), str(key)), f"{written}{_step(str(key), path)}")
                for key, item in value.items()
            }
        if isinstance(value, list):
            return [walk(item, (*path, step(item, i)), f"{written}[{i}]") for i, item in enumerate(value)]
        if not disclosure.is_credential(path, value):
            return value
        found.append(written)
        return secure.placeholder(written, "")

    return walk(dict(config), (), f"{NAMESPACE}:"), found


def _step(key: str, path: tuple[str, ...]) -> str:
    if not path:
        return key
    return f'["{key}"]' if "." in key or "/" in key else f".{key}"


def without(value: Any) -> Any:
    """The config without the placeholders."""
    if isinstance(value, dict):
        pairs = {key: without(item) for key, item in value.items() if not secure.is_placeholder(item)}
        return {key: item for key, item in pairs.items() if item != {} or value[key] == {}}
    return [without(item) for item in value if not secure.is_placeholder(item)] if isinstance(value, list) else value
