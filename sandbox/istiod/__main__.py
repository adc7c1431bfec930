"""The supervisor's process: `python -m sandbox.istiod CONTEXT PILOT DIGEST`."""

import sys
from pathlib import Path

from sandbox.istiod import supervisor

match sys.argv[1:]:
    case [context, pilot, _]:
        supervisor.main(context, Path(pilot))
    case _:
        sys.exit(__doc__)
