"""Istio's API in types: what users' objects and the custom resource definitions are both made of.

`api.VirtualService(hosts=["reviews"], http=[…])` is checked as it is built and raises `ApiError`;
`.spec()` is its wire form, and `.manifest(name, namespace, versions)` the whole object in the version that a release
stores. `definitions(versions)` are the manifests of the release's custom resource definitions. Each module of this
package says in `__all__` what it adds.
"""

# ruff: noqa: F403 - each module's __all__ lists its types, so that a new type is written in one place

from mesh.api.authentication import *
from mesh.api.authorization import *
from mesh.api.common import *
from mesh.api.definitions import *
from mesh.api.destination_rule import *
from mesh.api.envoy_filter import *
from mesh.api.extension_provider import *
from mesh.api.gateway import *
from mesh.api.http_match import *
from mesh.api.http_route import *
from mesh.api.load_balancing import *
from mesh.api.mesh_config import *
from mesh.api.model import *
from mesh.api.proxy_config import *
from mesh.api.service_entry import *
from mesh.api.sidecar import *
from mesh.api.telemetry import *
from mesh.api.virtual_service import *
from mesh.api.workload import *
