"""The entry point of the pack for Pulumi: `pulumi preview --policy-pack policies`."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # Pulumi puts this folder on the path, not the project

from policies import pack

pack.serve()
