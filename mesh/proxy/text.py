"""Values as text, the way Go writes them: Istio compares and hashes such texts."""

import json
from typing import Any


def go_json(value: Any) -> str:
    """JSON as Go writes it: compact, and with what HTML would take for markup escaped."""
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    for mark in "<>&\u2028\u2029":
        text = text.replace(mark, f"\\u{ord(mark):04x}")
    return text


def go_text(value: object) -> str:
    """A scalar as Go prints it."""
    return json.dumps(value) if isinstance(value, bool) else "<nil>" if value is None else str(value)
