"""Writes the `caBundle` of a simulated control plane's webhooks, and sets its validators to Fail, as istiod does."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from typing import Any, Final

from cluster import client
from cluster.client import Api, Request
from cluster.errors import ClusterError
from cluster.leftovers import INJECTORS, VALIDATORS
from mesh.core.names import REVISION_LABEL
from sandbox.istiod.simulated.plane import Plane

Manifest = Mapping[str, Any]

STRATEGIC: Final = "application/strategic-merge-patch+json"
"""Content type of a patch in which webhooks are identified by their names."""
LOOK: Final = 10.0
"""Seconds after which the webhooks are read even if nothing has changed."""
PAUSE: Final = 1.0
"""Seconds until the next attempt if the API server does not answer."""


def keep(api: Api, plane: Plane, bundle: str, changed: threading.Event) -> None:
    """Patches the webhooks whenever `changed` is set; does not return."""
    while True:
        changed.clear()
        try:
            patch(api, plane, bundle)
        except (OSError, ClusterError) as error:
            print(f"the webhooks cannot be patched: {error}", flush=True)
            time.sleep(PAUSE)
            continue
        changed.wait(LOOK)


def patch(api: Api, plane: Plane, bundle: str) -> None:
    """Sets the certificate authority of the control plane's webhooks to `bundle` (PEM in base64) if it differs. Raises
    ClusterError."""
    for collection, fields in ((INJECTORS, {}), (VALIDATORS, {"failurePolicy": "Fail"})):
        for configuration in client.items(api, collection):
            wanted = [
                {"name": hook["name"], "clientConfig": {"caBundle": bundle}, **fields}
                for hook in _own(plane, configuration)
                if hook["clientConfig"].get("caBundle") != bundle
                or any(hook.get(name) != value for name, value in fields.items())
            ]
            if wanted:
                path = f"{collection}/{configuration['metadata']['name']}?fieldManager=pilot-discovery"
                client.object_in(api.ask(Request("PATCH", path, {"webhooks": wanted}, STRATEGIC)))


def _own(plane: Plane, configuration: Manifest) -> Iterator[Manifest]:
    """The webhooks that call the control plane, in a configuration that its istiod patches. Such a configuration has
    the label of its revision, or, up to Istio 1.10, the name of the validator."""
    metadata = configuration["metadata"]
    revision = (metadata.get("labels") or {}).get(REVISION_LABEL)
    if "deletionTimestamp" in metadata or not (
        revision == plane.revision or metadata["name"] == f"istiod-{plane.namespace}"
    ):
        return
    for hook in configuration.get("webhooks") or ():
        service = hook["clientConfig"].get("service") or {}
        if (service.get("namespace"), service.get("name")) == (plane.namespace, plane.service):
            yield hook
