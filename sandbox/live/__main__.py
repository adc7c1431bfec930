"""The two Python processes: `python -m sandbox.live sync CONTEXT PLAN` and `… stand-ins PLAN SWITCHES`."""

import sys
from pathlib import Path

from sandbox.live import sync
from sandbox.live.standins import server

match sys.argv[1:]:
    case ["sync", context, plan]:
        sync.main(context, Path(plan))
    case ["stand-ins", plan, switches]:
        server.main(Path(plan), Path(switches))
    case _:
        sys.exit(__doc__)
