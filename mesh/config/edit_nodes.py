"""The nodes of a stack file's YAML with their positions in its text, for edits that leave everything else as it is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import yaml

Pair = tuple[yaml.Node, yaml.Node]
_MERGE: Final = "tag:yaml.org,2002:merge"


class Alias(yaml.ScalarNode):
    """An alias such as `*name`, which PyYAML itself replaces by the node that it refers to."""

    target: yaml.Node


class _Composer(yaml.SafeLoader):
    """A loader that gives each alias a node of its own, since each has its own position in the text."""

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        event: Any = self.peek_event()  # type: ignore[no-untyped-call]
        if not isinstance(event, yaml.AliasEvent) or event.anchor not in self.anchors:
            return super().compose_node(parent, index)
        self.get_event()  # type: ignore[no-untyped-call]
        marks: Any = (event.start_mark, event.end_mark)
        made = Alias("tag:yaml.org,2002:str", event.anchor, *marks)
        made.target = self.anchors[event.anchor]
        return made


def compose(text: str) -> yaml.Node | None:
    """The root of a document; None if it is empty. Raises yaml.YAMLError."""
    loader = _Composer(text)
    try:
        return loader.get_single_node()
    finally:
        loader.dispose()


def below(node: yaml.Node) -> Iterator[yaml.Node]:
    """The node and all nodes in it."""
    yield node
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield from below(key)
            yield from below(value)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from below(item)


def pair(node: yaml.MappingNode, key: str) -> Pair | None:
    """The entry of a map; None if the map itself does not have it."""
    return next((one for one in node.value if one[0].value == key and one[0].tag != _MERGE), None)


def merges(node: yaml.MappingNode) -> bool:
    """Whether the map takes entries from others (`<<`)."""
    return any(key.tag == _MERGE for key, _ in node.value)


def data(node: yaml.Node) -> Any:
    """The value of a node."""
    return yaml.constructor.SafeConstructor().construct_document(_resolved(node))


def _resolved(node: yaml.Node) -> yaml.Node:
    if isinstance(node, Alias):
        return _resolved(node.target)
    if isinstance(node, yaml.MappingNode):
        return yaml.MappingNode(node.tag, [(_resolved(key), _resolved(value)) for key, value in node.value])
    if isinstance(node, yaml.SequenceNode):
        return yaml.SequenceNode(node.tag, [_resolved(item) for item in node.value])
    return node


def end(text: str, node: yaml.Node) -> int:
    """The index after the last character of a node. PyYAML's own mark of a block is where the next token begins, after
    comments that do not belong to it."""
    if isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        return end(text, last[1] if isinstance(last, tuple) else last)
    found: int = node.end_mark.index
    if isinstance(node, yaml.ScalarNode) and node.style in ("|", ">"):
        keeps = "+" in text[node.start_mark.index : found].split("\n", 1)[0]
        return found - 1 if keeps and text[:found].endswith("\n") else len(text[:found].rstrip("\r\n "))
    return found
