"""Syntax of regular expressions that Istio 1.30 does not support and the current RE2 does.

Both Envoy's RE2 (of 2024 or later) and the Go of istiod (1.25, with Unicode 15), which validates expressions, must
support it.
"""

from __future__ import annotations

import re
from typing import Final

UNSUPPORTED: Final = re.compile(
    "|".join(
        (
            r"\(\?P?<[^>]*[^\x00-\x7f][^>]*>",  # a group's name that is not ASCII: not in Go
            r"\\C",  # any byte: not in Go
            r"\\[pP]\{\^?Nag_Mundari\}",  # a script that Go's tables do not have
        )
    )
)
"""Matches an unsupported part at its start."""
