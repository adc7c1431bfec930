"""The stock Envoy proxies: their command lines and bootstrap configurations. Pilot sends the rest over xDS."""

import http.client
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from mesh.core.names import DEFAULT_CLUSTER
from sandbox.live.plan import ADMIN_PORT, XDS_PORT, Gateway, Plan, Proxy
from sandbox.live.scraping import CLUSTER

XDS: Final = "xds-grpc"
"""Name of Envoy's cluster for pilot, also in metrics. Istio's proxies use the same name."""
SDS: Final = "sds-grpc"
"""Name of Envoy's cluster for the agent, to which pilot's configuration refers."""
SOCKET: Final = "./var/run/secrets/workload-spiffe-uds/socket"
"""Unix socket on which the agent serves certificates, below the working folder of both."""
RECONNECT: Final = {"retry_back_off": {"base_interval": "0.1s", "max_interval": "1s"}}
"""How soon a proxy reconnects to a pilot that was down. By default it waits up to 30 s; `make up`, which restarts
pilot, would end before that."""


def command(program: Path, config: Path) -> tuple[str, ...]:
    """An Envoy's command line; `config` is the path of its bootstrap configuration."""
    # Envoy would log a warning for each route, because of deprecated fields that pilot still uses.
    quiet = ("--log-level", "warn", "--component-log-level", "misc:error")
    # The same options as in Istio, so that changes also apply to open connections.
    drain = ("--drain-time-s", "5", "--drain-strategy", "immediate")
    logs = ("--file-flush-interval-msec", "500")
    options = ("--concurrency", "1", "--disable-hot-restart", *drain, *logs, *quiet)
    return (f"{program}", "--config-path", f"{config}", *options)


def bootstrap(plan: Plan, proxy: Proxy) -> dict[str, Any]:
    """An Envoy's bootstrap configuration."""
    ads = {"ads": {}, "resource_api_version": "V3", "initial_fetch_timeout": "0s"}
    return {
        "node": _node(plan, proxy),
        "stats_config": _stats(plan),
        "admin": {"address": _address(proxy.address, ADMIN_PORT)},
        "dynamic_resources": {
            "lds_config": ads,
            "cds_config": ads,
            "ads_config": {
                "api_type": "GRPC",
                "transport_api_version": "V3",
                "grpc_services": [{"envoy_grpc": {"cluster_name": XDS, "retry_policy": RECONNECT}}],
            },
        },
        "static_resources": {"clusters": list(_clusters(plan))},
    }


def _stats(plan: Plan) -> dict[str, Any]:
    """The parts of a metric's name that become labels. The label of the called cluster is as in Istio's proxies, which
    keep a host name as one value in spite of its dots."""
    kept = ("response_code", "response_code_class", "http_conn_manager_prefix", "listener_address", "worker_id")
    host = rf"(?:[^.;]+(?:\.[^;]+?\.svc\.{re.escape(plan.domain)})?)"
    called = {"tag_name": CLUSTER, "regex": rf"^cluster\.(({host});?\.)"}
    return {"use_all_default_tags": False, "stats_tags": [called, *({"tag_name": f"envoy.{name}"} for name in kept)]}


def _node(plan: Plan, proxy: Proxy) -> Mapping[str, Any]:
    namespace = proxy.namespace
    return {
        "id": f"{proxy.kind}~{proxy.address}~{proxy.name}.{namespace}~{namespace}.svc.{plan.domain}",
        "cluster": f"{proxy.name}.{namespace}",
        "metadata": {
            "NAMESPACE": namespace,
            "LABELS": dict(proxy.labels),
            "WORKLOAD_NAME": proxy.name,
            "INTERCEPTION_MODE": "NONE",
            # This stops pilot from making listeners below port 1024. `capture` binds those of a sidecar elsewhere.
            "UNPRIVILEGED_POD": str(isinstance(proxy, Gateway)).lower(),
            "CLUSTER_ID": DEFAULT_CLUSTER,
            "ISTIO_VERSION": plan.version,
        },
    }


def _clusters(plan: Plan) -> Iterator[dict[str, Any]]:
    """Envoy's clusters for pilot and, if the proxy has a certificate, for its agent."""
    yield _cluster(XDS, _address(plan.pilot, XDS_PORT))
    if plan.identity:
        yield _cluster(SDS, {"pipe": {"path": SOCKET}})


def _cluster(name: str, address: Mapping[str, Any]) -> dict[str, Any]:
    protocol = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
    endpoint = {"endpoint": {"address": address}}
    return {
        "name": name,
        "type": "STATIC",
        "connect_timeout": "1s",
        "typed_extension_protocol_options": {
            protocol: {
                "@type": f"type.googleapis.com/{protocol}",
                "explicit_http_config": {"http2_protocol_options": {}},
            }
        },
        "load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": [endpoint]}]},
    }


def _address(address: str, port: int) -> dict[str, Any]:
    return {"socket_address": {"address": address, "port_value": port}}


def ask(address: str, port: int, path: str, method: str = "GET") -> tuple[int, str]:
    """Sends an HTTP request, and returns the status and body of the answer. Raises OSError or HTTPException if there is
    none."""
    connection = http.client.HTTPConnection(address, port, timeout=2)
    try:
        connection.request(method, path)
        response = connection.getresponse()
        return response.status, response.read().decode(errors="replace")
    finally:
        connection.close()


def drain(plan: Plan) -> None:
    """Stops the gateways from accepting new connections. Open connections continue."""
    for gateway in plan.gateways:
        with suppress(OSError, http.client.HTTPException):
            ask(gateway.address, ADMIN_PORT, "/drain_listeners", "POST")


def rejections(plan: Plan) -> dict[str, str]:
    """The reasons why proxies have rejected configuration from pilot, by proxy; empty if none has."""
    found = {}
    for proxy in plan.proxies:
        try:
            dump = json.loads(ask(proxy.address, ADMIN_PORT, "/config_dump")[1])
        except (OSError, http.client.HTTPException, ValueError):
            found[proxy.key] = "it does not answer"
            continue
        errors = [state["details"] for state in _errors(dump)]
        if errors:
            found[proxy.key] = errors[0]
    return found


def identities(plan: Plan) -> dict[str, str]:
    """The SPIFFE identities in the proxies' certificates, by proxy. Proxies without a certificate are left out."""
    found: dict[str, str] = {}
    for proxy in plan.proxies:
        with suppress(OSError, http.client.HTTPException, ValueError):
            told = json.loads(ask(proxy.address, ADMIN_PORT, "/certs")[1])["certificates"]
            names = [name for one in told for chain in one["cert_chain"] for name in chain["subject_alt_names"]]
            uris = [name["uri"] for name in names if name.get("uri", "").startswith("spiffe://")]
            found.update((proxy.key, uri) for uri in uris)
    return found


def _errors(value: Any) -> Iterator[Mapping[str, str]]:
    """Every `error_state` in an Envoy's config dump."""
    if isinstance(value, list):
        for each in value:
            yield from _errors(each)
    if isinstance(value, Mapping):
        if value.get("error_state"):
            yield value["error_state"]
        for each in value.values():
            yield from _errors(each)
