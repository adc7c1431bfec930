"""The pack as Pulumi starts it: `pulumi preview --policy-pack policies`."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # Pulumi runs this folder, not the project

from policies import pack

pack.serve()
