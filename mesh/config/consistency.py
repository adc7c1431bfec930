"""Checks of a stack's config across keys: contradictions between keys that are valid by themselves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from mesh import bookinfo
from mesh.config import control_plane, proxies, tokens
from mesh.config.settings import INGRESS, Settings
from mesh.core import errors
from mesh.core.secure import is_placeholder
from mesh.releases.release import Installation
from mesh.security import authorization, mtls
from mesh.traffic import ingress
from mesh.traffic.context import StackContext
from mesh.traffic.objects import ConfigObject


def problems(s: Settings, stack: StackContext, traffic: Iterable[ConfigObject]) -> Iterator[str]:
    """Problems between keys, one line each. `traffic` has the objects of `mesh:traffic`."""
    yield from _shared_node_ports(s)
    yield from _undeclared_namespaces(s)
    yield from _without_control_plane(s)
    yield from control_plane.problems(s)
    yield from proxies.problems(s)
    gateway = s.gateways.get(INGRESS)
    yield from s.addons.problems(ingress=gateway is not None and gateway.enabled)
    yield from _mutual_tls(s, stack)
    yield from _authorizers(s)
    yield from tokens.problems(s)
    yield from _beside_bookinfo(s, traffic)


def _shared_node_ports(s: Settings) -> Iterator[str]:
    """Ports of gateways with the same node port."""
    taken: dict[int, str] = {}
    ports = {f"gateways.{name}.ports.{p.name}": p.nodePort for name, g in s.gateways.items() for p in g.ports}
    shorthand = {f"ingressNodePorts.{name}": number for name, number in s.ingressNodePorts.items()}
    fixed = {f"gateways.{INGRESS}.ports.{name}" for name in s.ingressNodePorts}
    for path, port in {**{p: n for p, n in ports.items() if p not in fixed}, **shorthand}.items():
        if port is not None and port in taken:
            yield f"mesh:{path}: {port} is also the node port of {taken[port].rpartition('.')[2]}"
        if port is not None:
            taken[port] = path


def _undeclared_namespaces(s: Settings) -> Iterator[str]:
    """Namespaces that are used but not declared, or declared twice."""
    declared = [*s.injectedNamespaces, *s.namespaces]
    for name in s.namespaces:
        if name in s.injectedNamespaces:
            yield f"mesh:namespaces.{name}: it is also one of mesh:injectedNamespaces; leave one of them out"
    for name, gateway in s.gateways.items():
        if gateway.enabled and gateway.namespace and gateway.namespace not in (*declared, s.root):
            yield _undeclared(f"mesh:gateways.{name}.namespace", gateway.namespace, "namespaces", s.namespaces)
    for key, part in (("cni", s.cni), ("ztunnel", s.ztunnel)):
        if part.enabled and part.namespace and part.namespace not in (*declared, s.root, "kube-system"):
            yield _undeclared(f"mesh:{key}.namespace", part.namespace, "namespaces", s.namespaces)
    dashboards = s.addons.existing.dashboards
    if dashboards and dashboards.namespace not in (*declared, s.root):
        path = "mesh:addons.existing.grafana.dashboards.namespace"
        yield _undeclared(path, dashboards.namespace, "namespaces", s.namespaces)
    if s.config_root not in (*declared, s.root):
        yield _undeclared("mesh:meshConfig.rootNamespace", s.config_root, "namespaces", s.namespaces)
    elif s.ownership.get(s.config_root) == "create" and any(_filters(one) for one in s.installations.values()):
        yield (
            f"mesh:meshConfig.rootNamespace: {s.config_root} is declared `create`, but the control plane puts its"
            " EnvoyFilters there before the stack creates namespaces: declare it `existing`, and create it first"
        )
    if s.bookinfo and s.bookinfo.namespace not in s.injectedNamespaces:
        injected = s.injectedNamespaces
        yield _undeclared("mesh:bookinfo.namespace", s.bookinfo.namespace, "injectedNamespaces", injected)
    namespace = s.rateLimit.namespace
    if namespace and namespace not in (s.root, *s.namespaces):
        uninjected = ", ".join(s.namespaces) or "none"
        yield (
            f"mesh:rateLimit.namespace: {namespace} is not one of mesh:namespaces ({uninjected});"
            " the service needs a namespace without sidecars"
        )


def _filters(mesh: Installation) -> bool:
    """Whether a control plane installs objects in the root namespace."""
    return any(True for _ in mesh.release.telemetry_filters(mesh))


def _undeclared(path: str, name: str, key: str, declared: Iterable[str]) -> str:
    return (
        f"{path}: {name} is not one of mesh:{key} ({', '.join(declared) or 'none'});"
        f" add `{name}: existing` or `: create`"
    )


def _without_control_plane(s: Settings) -> Iterator[str]:
    """Keys that need a control plane, if the stack has none."""
    has_istiod = any(one.values.holds_config for one in s.installations.values())
    for key, wanted in (("traffic", s.traffic), ("security", s.security)):
        if wanted and not has_istiod:
            yield f"mesh:{key} is set, but the profile {s.profile} has no istiod that serves it"
    if s.pilot.enabled and s.istiodRemote.enabled and not s.istiodRemote.enabledLocalInjectorIstiod:
        yield (
            "mesh:pilot.enabled and mesh:istiodRemote.enabled: the control plane runs on this cluster or on another"
            " one, not on both"
        )
    for path, text in s.installation.release.remote_problems(s, s.profile):
        yield f"mesh:{path}: {text}"
    unnamed = any(not one.revision for one in s.injectedNamespaces.values())
    if unnamed and not (s.pilot.enabled or s.istiodRemote.enabled):
        yield f"mesh:injectedNamespaces is set, but the profile {s.profile} has no control plane that injects"
    if s.bookinfo and not has_istiod:
        yield f"mesh:bookinfo is set, but the profile {s.profile} has no istiod that serves its routes"


def _authorizers(s: Settings) -> Iterator[str]:
    """External authorizers that the mesh does not have: proxies would refuse all requests that need one of them."""
    providers = s.meshConfig.extensionProviders or ()
    known = [one.name for one in providers if one.envoyExtAuthzHttp or one.envoyExtAuthzGrpc]
    chosen = s.security.authorization.custom
    for i, one in enumerate(providers if chosen else ()):
        if is_placeholder(one.name):
            yield f"mesh:meshConfig.extensionProviders[{i}].name: {one.name} is encrypted"
            return
    for name, custom in chosen.items():
        if custom.provider not in known:
            path = f"mesh:{authorization.PATH}.custom.{name}.provider"
            remedy = "declare it in mesh:meshConfig.extensionProviders, with envoyExtAuthzHttp or envoyExtAuthzGrpc"
            yield f"{errors.invalid_choice(path, custom.provider, known)}: {remedy}"


def _mutual_tls(s: Settings, stack: StackContext) -> Iterator[str]:
    """Keys that contradict `mesh:security.mtls`."""
    chosen = s.security
    if chosen.mtls.mesh == "DISABLE" and (chosen.authorization.defaultDeny or chosen.authorization.allow):
        yield f"mesh:{authorization.PATH} identifies callers by mutual TLS, which mesh:{mtls.PATH} switches off"
    for name, service in s.traffic.services.items():
        mode = service.tls.mode if service.tls else None
        home = service.namespace or stack.services.get(name) or stack.namespace or ""
        required = chosen.mtls.namespace_mode(home) == "STRICT" and not chosen.mtls.workloads
        if mode == "DISABLE" and required:
            yield f"mesh:traffic.services.{name}.tls: DISABLE contradicts mesh:{mtls.PATH}, which is STRICT there"


def _beside_bookinfo(s: Settings, traffic: Iterable[ConfigObject]) -> Iterator[str]:
    """Names and hosts of `mesh:traffic` that conflict with Bookinfo's own Gateway and VirtualService."""
    if not (s.bookinfo and s.bookinfo.gateway):
        return
    solution = "set mesh:bookinfo.gateway to false, or choose another"
    for item in traffic:
        if (item.body.kind, item.name, item.namespace) == (
            "VirtualService",
            bookinfo.VIRTUAL_SERVICE,
            s.bookinfo.namespace,
        ):
            yield f"mesh:{item.path}: Bookinfo already has a VirtualService {bookinfo.VIRTUAL_SERVICE}; {solution} name"
    for name, entry in s.traffic.hosts.items():
        if (entry.gateway, entry.served_port) == (ingress.DEFAULT_GATEWAY, ingress.HTTP) and "*" in entry.hosts:
            yield f'mesh:traffic.hosts.{name}: Bookinfo already has all hosts ("*") of {entry.gateway}; {solution} host'
