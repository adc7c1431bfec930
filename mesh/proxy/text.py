"""Values as text in the format of Go's standard library, as Istio's injector writes them."""

import json
from typing import Any


def go_json(value: Any, *, sort_keys: bool = False) -> str:
    """JSON as Go's `json.Marshal` writes it: compact, with `<`, `>`, `&`, U+2028 and U+2029 escaped. The keys of Go's
    maps are sorted, the fields of its types are not."""
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False, sort_keys=sort_keys)
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def go_text(value: object) -> str:
    """A scalar as Go's `fmt` prints it with `%v`."""
    return json.dumps(value) if isinstance(value, bool) else "<nil>" if value is None else str(value)
