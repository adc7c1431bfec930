"""The supervisor's process: `python -m sandbox.istiod CONTEXT SERVING PILOT DIGEST`.

PILOT is empty without the real istiod."""

import sys
from pathlib import Path

from sandbox.istiod import supervisor

match sys.argv[1:]:
    case [context, serving, pilot, digest]:
        supervisor.main(context, Path(serving), Path(pilot) if pilot else None, digest)
    case _:
        sys.exit(__doc__)
