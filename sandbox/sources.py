"""Command lines of the sandbox's own Python processes, and the digest of their sources."""

import hashlib
import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]


def own(module: str) -> list[str]:
    """The beginning of a command line that runs a module of this project."""
    return ["/usr/bin/env", f"PYTHONPATH={ROOT}", sys.executable, "-m", module]


def digest_of(*texts: str) -> str:
    """A short digest of texts."""
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()[:12]


def digest(*rooms: str) -> str:
    """The digest of the sources in packages of this project (`rooms`), which Python processes run; by default only of
    the sandbox."""
    found = (path for room in rooms or ("sandbox",) for path in (ROOT / room).rglob("*"))
    files = sorted(path for path in found if path.suffix in (".py", ".html"))
    return digest_of(*(path.read_text() for path in files))
