"""Syntax of regular expressions that Istio 1.30 does not support and the current RE2 does.

Both Envoy's RE2 and the Go of istiod, which validates expressions, must support it.
"""

from __future__ import annotations

import re
from typing import Final

_SCRIPTS: Final = ("Cypro_Minoan", "Old_Uyghur", "Tangsa", "Toto", "Vithkuqi", "Kawi", "Nag_Mundari")
"""Scripts of Unicode 14 and 15; the RE2 of Istio 1.30's Envoy and the Go of its istiod have Unicode 13."""

UNSUPPORTED: Final = re.compile(
    "|".join(
        (
            r"\(\?<",  # `(?<name>…)` without P: since RE2 of 2023 and Go 1.22
            r"\(\?P<[^>]*[^\x00-\x7f][^>]*>",  # a group's name that is not ASCII: not in Go
            r"\\C",  # any byte: not in Go
            rf"\\[pP]\{{\^?(?:{'|'.join(_SCRIPTS)})\}}",
        )
    )
)
"""Matches an unsupported part at its start."""
