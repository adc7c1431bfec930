"""The answers of a simulated control plane about new pods and about objects of Istio's API."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

import yaml

from cluster import client
from cluster.client import Api
from cluster.errors import ClusterError
from mesh import releases
from mesh.analysis import reading
from mesh.analysis.objects import Object
from mesh.analysis.rules import schema
from mesh.core import documents
from mesh.core.kinds import GroupKind
from mesh.core.names import DEFAULT_REVISION, INJECTOR, MESH_CONFIG, revisioned
from mesh.proxy.admission import Configured
from mesh.proxy.annotations import InjectionError, UnsupportedError
from mesh.releases.release import Release
from sandbox.istiod.simulated.plane import Plane

Manifest = Mapping[str, Any]
Answer = dict[str, Any]
"""The response of an AdmissionReview, without the request's uid."""


def by_path(plane: Plane, api: Api) -> dict[str, Callable[[Manifest], Answer]]:
    """The functions that answer the request of an AdmissionReview, by path of the URL."""
    release = releases.get(plane.release)
    return {"/inject": partial(_inject, plane, release, api), "/validate": partial(_validate, release)}


def _inject(plane: Plane, release: Release, api: Api, request: Manifest) -> Answer:
    try:
        patch = _configured(plane, release, api).patch(request["object"], request["namespace"])
    except UnsupportedError as error:
        # Istio injects such a pod, so a refusal would mislead the user: there is nothing wrong with the pod.
        return {"allowed": True, "warnings": [f"the pod gets no sidecar: istiod is simulated here; {error}"]}
    except InjectionError as error:
        return _refused(str(error))
    except (ClusterError, KeyError, ValueError, yaml.YAMLError) as error:
        return _refused(f"the configuration of the injector cannot be read: {error!r}")
    if not patch:
        return {"allowed": True}
    return {"allowed": True, "patchType": "JSONPatch", "patch": base64.b64encode(json.dumps(patch).encode()).decode()}


def _configured(plane: Plane, release: Release, api: Api) -> Configured:
    """The current configuration of injection, from the ConfigMaps of the control plane."""
    data = _config_map(plane, api, INJECTOR)
    return Configured(
        injector=release.injector,
        proxy_config=release.proxy_config,
        config=documents.load(data["config"]),
        values=json.loads(data["values"]),
        mesh=documents.load(_config_map(plane, api, MESH_CONFIG)["mesh"]),
        revision="" if plane.revision == DEFAULT_REVISION else plane.revision,
    )


def _config_map(plane: Plane, api: Api, name: str) -> Mapping[str, str]:
    found = client.get(api, f"/api/v1/namespaces/{plane.namespace}/configmaps/{revisioned(name, plane.revision)}")
    data: Mapping[str, str] = found["data"]
    return data


_CHECKED: Final = ("CREATE", "UPDATE")


def _validate(release: Release, request: Manifest) -> Answer:
    if request["operation"] not in _CHECKED:
        return {"allowed": True}
    manifest = request["object"]
    known = reading.TYPES.get(GroupKind.of(manifest))
    if known is None or manifest["apiVersion"].rpartition("/")[2] not in release.api.of(known):
        return _refused(f"unrecognized type {manifest['kind']}")
    problems = schema.refusals(Object.read(manifest), release.name)
    found = [f"{one.path}: {one.text}" if one.path else one.text for one in problems]
    return _refused(f"configuration is invalid: {'; '.join(found)}") if found else {"allowed": True}


def _refused(text: str) -> Answer:
    return {"allowed": False, "status": {"message": text}}
