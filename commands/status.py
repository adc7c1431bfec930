"""`make status`: shows what is installed and running on a stack's cluster."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from cluster import client, proxy, revisions, sidecars, survey
from cluster.client import Api, Request
from cluster.errors import Unreachable
from cluster.revisions import Revisions
from cluster.survey import Survey
from cluster.target import Target, offline
from commands import overview, stacks, status_text
from components import gateways
from mesh.config.stack import Stack
from mesh.core import names
from mesh.core.names import EMBEDDED_CLUSTERS, INJECTOR
from mesh.proxy import images
from mesh.proxy.control_plane import Name
from mesh.releases.release import Installation
from sandbox import istiod, live

Manifest = Mapping[str, Any]
DEPLOYMENTS: Final = "/apis/apps/v1/namespaces/{}/deployments"
SERVICES: Final = "/api/v1/namespaces/{}/services"
CONFIG_MAP: Final = "/api/v1/namespaces/{}/configmaps/{}"


def show(stack: str, as_json: bool = False) -> int:
    """Prints the state of the mesh on the stack's cluster, as text or as JSON. Returns 1 if there is none, else 0."""
    whole = stacks.load(stack)
    target = Target.named(whole.settings.context)
    try:
        found = survey.take(target)
    except Unreachable as error:
        raise Unreachable(f"{error}{hint(stack, target)}") from None
    data = _read(whole, found, stack)
    print(json.dumps(data, indent=2) if as_json else "\n".join(status_text.lines(data)))
    return 0 if data["mesh"] else 1


def _read(stack: Stack, found: Survey, name: str) -> dict[str, Any]:
    """The data that `make status JSON=1` prints."""
    target, mesh = found.target, stack.installation
    version = ".".join(map(str, found.version))
    cluster = {"context": target.context, "server": target.server, "kubernetes": version}
    mark = found.namespaces.get(mesh.root, {})
    if names.OWNER_PROJECT not in mark:
        return {"cluster": cluster, "mesh": None, "next": [*_none(found, mesh, name)]}
    owner = {"project": mark[names.OWNER_PROJECT], "stack": mark.get(names.OWNER_STACK)}
    kinds = istiod.kinds(target.context) if target.context in EMBEDDED_CLUSTERS else {}
    with proxy.connect(target) as api:
        standing = revisions.read(api)
        shown = overview.as_data(overview.of(stack, standing, _images(api, stack, standing), kinds))
        ways = _ways(api, standing, found)
        shown["gateways"] = [{**one, "service": ways.get((one["namespace"], one["name"]))} for one in shown["gateways"]]
        others = [*_workloads(api, mesh, standing)]
    parts = (("istiod", istiod.lines), ("live", live.lines)) if target.context in EMBEDDED_CLUSTERS else ()
    return {
        "cluster": cluster,
        "mesh": {"namespace": mesh.root, **owner},
        "workloads": others,
        **shown,
        "sandbox": {part: list(lines(target.context)) for part, lines in parts},
    }


def hint(stack: str, target: Target) -> str:
    """The end of an error message: how to start a stack's embedded cluster. Empty for other clusters."""
    embedded = target.context in EMBEDDED_CLUSTERS and not offline()
    return f"; `make sandbox{stacks.variables(stack)}` starts it" if embedded else ""


def _none(found: Survey, mesh: Installation, stack: str) -> Iterator[str]:
    """The lines for a cluster without a mesh of this project.

    `make up` refuses a cluster with another Istio, unless the stack is a further revision (`mesh:base` disabled)."""
    unmarked = sorted(name for name, one in found.definitions.items() if names.OWNER_PROJECT not in one.annotations)
    others = found.istio or "".join(f"{name} is defined" for name in unmarked[:1])
    if others and mesh.values.base.enabled:
        yield f"none of this project, but another Istio: {others}"
        yield f"`make parity STACK={stack}` compares it with the stack"
        yield f"`make adopt STACK={stack}` takes it over"
    else:
        yield f"none; `make up STACK={stack}` installs it"


def _workloads(api: Api, mesh: Installation, standing: Revisions) -> Iterator[dict[str, Any]]:
    """The Deployments of the root namespace except gateways: istiod, addons and others."""
    gateways = {one.name for one in standing.gateways}
    for found in client.items(api, DEPLOYMENTS.format(mesh.root)):
        if sidecars.name(found) not in gateways:
            image = found["spec"]["template"]["spec"]["containers"][0]["image"]
            ready, wanted = found.get("status", {}).get("readyReplicas", 0), found["spec"].get("replicas", 1)
            yield {"name": found["metadata"]["name"], "image": image, "ready": ready, "wanted": wanted}


def _ways(api: Api, standing: Revisions, found: Survey) -> Mapping[Name, Mapping[str, Any]]:
    """Type, addresses and node ports of each gateway's Service, for gateways with a Service of their name."""
    wanted = {one.name for one in standing.gateways}
    places = sorted({place for place, _ in wanted})
    answers = client.ask_all(api, [Request("GET", SERVICES.format(place)) for place in places])
    services = [one for answer in answers for one in client.object_in(answer).get("items") or ()]
    return {sidecars.name(one): _way(one, found) for one in services if sidecars.name(one) in wanted}


def _way(service: Manifest, found: Survey) -> Mapping[str, Any]:
    spec = service["spec"]
    ingress = service.get("status", {}).get("loadBalancer", {}).get("ingress") or []
    facts = gateways.address(
        spec["type"],
        {port["name"]: port.get("nodePort") for port in spec["ports"]},
        [point.get("ip") or point.get("hostname") for point in ingress],
    )
    ports = facts.get("nodePorts", {})
    where = facts.get("addresses") or ([found.node] if ports and found.node else [])
    return {"type": facts["type"], "addresses": list(where), "nodePorts": dict(ports)}


def _images(api: Api, stack: Stack, standing: Revisions) -> Mapping[str, str]:
    """The image of the sidecars that each control plane injects, by revision, if its values are on the cluster."""
    own = stack.installations
    roots = {one.revision: one.name[0] for one in standing.control_planes} | {
        revision: one.root for revision, one in own.items()
    }
    paths = [CONFIG_MAP.format(root, names.revisioned(INJECTOR, revision)) for revision, root in roots.items()]
    answers = client.ask_all(api, [Request("GET", path) for path in paths])
    return {
        revision: _image(json.loads(answer.body["data"]["values"])["global"], own.get(revision))
        for revision, answer in zip(roots, answers, strict=True)
        if answer.ok
    }


def _image(values: Mapping[str, Any], mesh: Installation | None) -> str:
    named = str(values["proxy"]["image"])
    config = (mesh.release.mesh_config(mesh).get("defaultConfig") or {}) if mesh else {}
    return named if "/" in named else images.proxy(values, config, {})
