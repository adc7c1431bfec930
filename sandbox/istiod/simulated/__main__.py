"""The process of a simulated control plane: `python -m sandbox.istiod.simulated CONTEXT PLANE DIGEST`, where PLANE is
`Plane` as JSON."""

import json
import sys

from sandbox.istiod.simulated import server
from sandbox.istiod.simulated.plane import Plane

match sys.argv[1:]:
    case [context, plane, _]:
        server.main(context, Plane(**json.loads(plane)))
    case _:
        sys.exit(__doc__)
