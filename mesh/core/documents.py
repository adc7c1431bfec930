"""YAML as programs written in Go read it, such as istiod.

PyYAML takes `12e03` and `y` for texts, and writes them without quotes. Go reads a number and a boolean, and istiod then
refuses the whole document.
"""

from __future__ import annotations

import re
from typing import Any, Final

import yaml

_NUMBER: Final = re.compile(
    r"[-+]?(0[xXoObB][0-9a-fA-F_]+|(\.[0-9][0-9_]*|[0-9][0-9_]*(\.[0-9_]*)?)([eE][-+]?[0-9][0-9_]*)?)$"
)
"""A number as Go reads it. PyYAML needs a dot before an exponent, and digits that fit the prefix."""


NUMBER: Final = "!number"
"""Tag of texts that only Go reads as numbers."""


class Dumper(yaml.SafeDumper):
    """Writes texts in quotes if Go would read them as something else."""


class Loader(yaml.CSafeLoader):
    """Reads `y` and `n` as Go does, and refuses texts that only Go reads as numbers."""


def _number(_: yaml.SafeLoader, node: yaml.ScalarNode) -> None:
    raise ValueError(f'{node.value} has no quotes, and Go reads it as a number: put it in quotes: "{node.value}"')


def _boolean(_: yaml.SafeLoader, node: yaml.ScalarNode) -> bool:
    return str(node.value) in "yY"


for _side in (Dumper, Loader):
    _side.add_implicit_resolver(NUMBER, _NUMBER, list("-+.0123456789"))
    _side.add_implicit_resolver("!boolean", re.compile("[yYnN]$"), list("yYnN"))
Loader.add_constructor(NUMBER, _number)
Loader.add_constructor("!boolean", _boolean)


def dump(data: Any, **options: Any) -> str:
    """The YAML of `data`; `options` are those of `yaml.dump`."""
    text: str = yaml.dump(data, Dumper=Dumper, **options)
    return text


def load(text: str) -> Any:
    """The data of a YAML document. Raises yaml.YAMLError, and ValueError for a text that only Go reads as a number."""
    return yaml.load(text, Loader=Loader)
