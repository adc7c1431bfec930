"""The command line of Istio's agent, which gets a proxy's certificate from istiod, serves it to the proxy's Envoy and
starts that Envoy, as in a real pod. The rest of Envoy's configuration comes from the live pilot."""

import json
import shlex
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from mesh.core import names
from sandbox.errors import SandboxError
from sandbox.live import registry
from sandbox.live.folder import Folder
from sandbox.live.plan import Identity, Plan, Proxy
from sandbox.live.snapshot import Snapshot

SETTINGS: Final = (
    "ECC_CURVE",
    "ECC_SIGNATURE_ALGORITHM",
    "PKCS8_KEY",
    "SECRET_GRACE_PERIOD_RATIO",
    "SECRET_GRACE_PERIOD_RATIO_JITTER",
    "SECRET_TTL",
    "WORKLOAD_RSA_KEY_SIZE",
)
"""Environment variables about certificates, which the MeshConfig may set as `proxyMetadata`."""

NOWHERE: Final = 1
"""The administration port in the agent's settings. The agent calls it on 127.0.0.1 when it ends; none of our Envoys
listens there."""


def envoy(program: Path) -> str:
    """A script that starts Envoy in a way that the kernel kills it if its agent is killed and so cannot end it.

    Raises SandboxError if there is no `setpriv`."""
    if not shutil.which("setpriv"):
        raise SandboxError("live proxies with certificates need the program setpriv: install util-linux")
    return f'#!/bin/sh\nexec setpriv --pdeathsig KILL -- {shlex.quote(str(program))} "$@"\n'


def command(seen: Snapshot, plan: Plan, proxy: Proxy, folder: Folder, program: Path, config: Path) -> tuple[str, ...]:
    """An agent's command line; `config` is the path of its Envoy's bootstrap configuration."""
    assert plan.identity
    namespace = proxy.namespace
    given = {
        "POD_NAME": proxy.name,
        "POD_NAMESPACE": namespace,
        "SERVICE_ACCOUNT": registry.account(registry.pods(seen, proxy)),
        "INSTANCE_IP": proxy.address,
        "PILOT_CERT_PROVIDER": "istiod",
        "ISTIO_META_CLUSTER_ID": plan.identity.cluster,
        "ISTIOD_SAN": f"{plan.identity.ca}.{plan.root}.svc",
        "CLOUD_PLATFORM": "none",  # otherwise the agent calls the metadata servers of clouds
        "PROXY_CONFIG": json.dumps(_proxy_config(_istiod(seen, plan, plan.identity), folder, config)),
        **_settings(seen),
    }
    environment = (f"{name}={value}" for name, value in given.items())
    flags = {
        "domain": f"{namespace}.svc.{plan.domain}",
        "proxyLogLevel": "warning",
        "proxyComponentLogLevel": "misc:error",
        "log_output_level": "default:warn",
    }
    options = (f"--{key}={value}" for key, value in flags.items())
    place = folder.pod(proxy.key)
    return ("/usr/bin/env", "-i", f"--chdir={place}", *environment, f"{program}", "proxy", proxy.kind, *options)


def _istiod(seen: Snapshot, plan: Plan, identity: Identity) -> str:
    """Address and port of the istiod that signs certificates."""
    for service in seen.services:
        if (service["metadata"]["name"], service["metadata"]["namespace"]) == (identity.ca, plan.root):
            return f"{service['spec']['clusterIP']}:{names.XDS_PORT}"
    raise SandboxError(
        f"there is no Service {identity.ca} in namespace {plan.root}, from which proxies get certificates"
    )


def _proxy_config(istiod: str, folder: Folder, config: Path) -> Mapping[str, Any]:
    return {
        "discoveryAddress": istiod,
        "binaryPath": f"{folder.envoy}",
        "customConfigFile": f"{config}",
        "proxyAdminPort": NOWHERE,
        "concurrency": 1,
        "drainDuration": "5s",
        "terminationDrainDuration": "0s",
        "fileFlushInterval": "0.5s",
    }


def _settings(seen: Snapshot) -> Mapping[str, str]:
    """The trust domain and the settings of certificates in the MeshConfig."""
    metadata = (seen.deployed.get("defaultConfig") or {}).get("proxyMetadata") or {}
    domain = seen.deployed.get("trustDomain") or names.DEFAULT_TRUST_DOMAIN
    return {"TRUST_DOMAIN": domain, **{name: str(metadata[name]) for name in SETTINGS if name in metadata}}
