"""Istio's API in types: what users' objects and the custom resource definitions are both made of.

`api.VirtualService(hosts=["reviews"], http=[…])` is checked as it is built and raises `ApiError`;
`.manifest(name, namespace)` and `.spec()` are its wire form. `definitions()` are the manifests of
the custom resource definitions. Each module of this package says in `__all__` what it adds.
"""

# ruff: noqa: F403 - each module's __all__ lists its types, so that a new type is written in one place

from components.api.authentication import *
from components.api.authorization import *
from components.api.common import *
from components.api.definitions import *
from components.api.destination_rule import *
from components.api.envoy_filter import *
from components.api.extension_provider import *
from components.api.gateway import *
from components.api.http_match import *
from components.api.http_route import *
from components.api.load_balancing import *
from components.api.mesh_config import *
from components.api.model import *
from components.api.proxy_config import *
from components.api.service_entry import *
from components.api.sidecar import *
from components.api.telemetry import *
from components.api.virtual_service import *
from components.api.workload import *
