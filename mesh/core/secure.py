"""Encrypted values of the config (`secure:`), which only Pulumi's engine can decrypt.

Until the engine registers a resource, a placeholder stands for such a value. So analysis, reports and renders need no
key, and cannot disclose the values.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final

HIDDEN: Final = "[secret]"
"""The text in place of a secret, which is Pulumi's own."""
_PLACEHOLDER: Final = re.compile(r"\[secret\]\{([^{}\s]+)#[0-9a-f]{6}\}")


def placeholder(key: str, ciphertext: str) -> str:
    """The text that stands for the value of a config key, such as `[secret]{mesh:pilot.env.TOKEN#3fa2c1}`.

    Its digest is that of the encrypted value, and changes when the value is set anew. It has no spaces, at which YAML
    would break lines."""
    name, digest = re.sub(r"[{}\s]", "_", key), hashlib.sha256(ciphertext.encode()).hexdigest()[:6]
    return f"{HIDDEN}{{{name}#{digest}}}"


def is_placeholder(value: Any) -> bool:
    """Whether the value is a placeholder and nothing else."""
    return isinstance(value, str) and _PLACEHOLDER.fullmatch(value) is not None


def keys_of(value: Any) -> Iterator[str]:
    """The config keys of all placeholders in a value."""
    if isinstance(value, Mapping):
        for item in value.values():
            yield from keys_of(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from keys_of(item)
    elif isinstance(value, str):
        yield from (found[1] for found in _PLACEHOLDER.finditer(value))


def key_of(text: str) -> str:
    """The config key of the first placeholder in a text; empty if there is none."""
    return next(keys_of(text), "")


def has_unnamed(value: Any) -> bool:
    """Whether a value contains a secret that does not come from an encrypted value of the config."""
    return HIDDEN in _PLACEHOLDER.sub("", json.dumps(value, default=str))


def is_encrypted(value: Any) -> bool:
    """Whether a value of a stack file is an encrypted one: a map with the key `secure` alone."""
    return isinstance(value, Mapping) and set(value) == {"secure"} and isinstance(value["secure"], str)


def refusal(problem: str, keys: Collection[str]) -> str:
    """The message about a problem of the config: if the problem is about one of the encrypted `keys`, the message says
    that this key cannot be encrypted. Other problems are unchanged."""
    path = _without_indexes(problem.partition(": ")[0])
    named = next((key for key in keys if _without_indexes(key) == path), "")
    if key := named or key_of(problem):
        return (
            f"{key}: is encrypted (`secure:`), but decides which objects exist, or their form: write it in clear text"
        )
    return problem


def _without_indexes(path: str) -> str:
    return re.sub(r"\[\d+]", "", path)
