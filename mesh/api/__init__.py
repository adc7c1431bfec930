"""Istio's API as types. Both Istio objects and the custom resource definitions are generated from them.

`api.VirtualService(hosts=["reviews"], http=[…])` is validated when it is built and raises `ApiError` if it is invalid.
`.spec()` returns its wire form, `.manifest(name, namespace, versions)` the whole object in the storage version of a
release, and `definitions(versions)` the manifests of a release's custom resource definitions. The package exports what
each of its modules lists in `__all__`.
"""

# ruff: noqa: F403 - each module's __all__ lists its types, so that a new type is named in one place

from mesh.api.authentication import *
from mesh.api.authorization import *
from mesh.api.common import *
from mesh.api.definitions import *
from mesh.api.destination_rule import *
from mesh.api.envoy_filter import *
from mesh.api.extension_provider import *
from mesh.api.extensions import *
from mesh.api.gateway import *
from mesh.api.http_match import *
from mesh.api.http_route import *
from mesh.api.load_balancing import *
from mesh.api.mesh_config import *
from mesh.api.model import *
from mesh.api.proxies import *
from mesh.api.proxy_config import *
from mesh.api.service_entry import *
from mesh.api.sidecar import *
from mesh.api.status import *
from mesh.api.telemetry import *
from mesh.api.virtual_service import *
from mesh.api.workload import *
