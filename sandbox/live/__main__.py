"""`python -m sandbox.live sync PLAN` and `python -m sandbox.live stand-ins PLAN SWITCHES`: the two Python processes."""

import sys
from pathlib import Path

from sandbox.live import sync
from sandbox.live.standins import server

match sys.argv[1:]:
    case ["sync", plan]:
        sync.main(Path(plan))
    case ["stand-ins", plan, switches]:
        server.main(Path(plan), Path(switches))
    case _:
        sys.exit(__doc__)
