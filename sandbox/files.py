"""Writes the files that the cluster's programs read: certificates, kubeconfig and kwok's stages."""

import base64
import json
import subprocess
from pathlib import Path

from sandbox.errors import SandboxError
from sandbox.network import LOOPBACK, Network
from sandbox.paths import Layout

STAGES = Path(__file__).with_name("stages.yaml")


def write(layout: Layout, network: Network, bin: Path) -> None:
    """Creates missing folders and certificates, and rewrites kubeconfig, stages and the programs' configurations."""
    for folder in (layout.logs, layout.run):
        folder.mkdir(exist_ok=True)
    if not layout.pki.exists():
        _make_certificates(layout, network, bin)
    replace(layout.kubeconfig, kubeconfig(layout, network))
    replace(layout.stages, STAGES.read_text())
    replace(layout.scheduler, scheduler(layout))
    replace(layout.egress, egress(layout))


def scheduler(layout: Layout) -> str:
    """The scheduler's configuration, as JSON. The cluster has no volumes, and no container would use one. The scheduler
    does not wait for volumes, so that pods with claims run anyway."""
    volumes = ("VolumeBinding", "VolumeRestrictions", "VolumeZone", "NodeVolumeLimits")
    content = {
        "apiVersion": "kubescheduler.config.k8s.io/v1",
        "kind": "KubeSchedulerConfiguration",
        "clientConnection": {"kubeconfig": str(layout.kubeconfig)},
        "leaderElection": {"leaderElect": False},
        "profiles": [{"plugins": {"multiPoint": {"disabled": [{"name": name} for name in volumes]}}}],
    }
    return json.dumps(content, indent=2) + "\n"


def egress(layout: Layout) -> str:
    """The API server's configuration for calls into the cluster's network, which use the tunnel. It is JSON, which is
    valid YAML."""
    connection = {"proxyProtocol": "HTTPConnect", "transport": {"uds": {"udsName": str(layout.tunnel)}}}
    content = {
        "apiVersion": "apiserver.k8s.io/v1beta1",
        "kind": "EgressSelectorConfiguration",
        "egressSelections": [{"name": "cluster", "connection": connection}],
    }
    return json.dumps(content, indent=2) + "\n"


def _make_certificates(layout: Layout, network: Network, bin: Path) -> None:
    command = [f"{bin}/mesh-certificates", f"{layout.pki}", LOOPBACK, network.first_service_ip]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
    if done.returncode:
        raise SandboxError(f"the certificates cannot be created: {done.stderr.strip()}")


def kubeconfig(layout: Layout, network: Network) -> str:
    """A kubeconfig with embedded certificates, as JSON, which is valid YAML."""
    pki, name = layout.pki, layout.context
    cluster = {"server": network.server, "certificate-authority-data": _base64(pki / "ca.crt")}
    user = {
        "client-certificate-data": _base64(pki / "client.crt"),
        "client-key-data": _base64(pki / "client.key"),
    }
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": name, "cluster": cluster}],
        "users": [{"name": name, "user": user}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
        "current-context": name,
    }
    return json.dumps(content, indent=2) + "\n"


def _base64(file: Path) -> str:
    return base64.b64encode(file.read_bytes()).decode()


def put(file: Path, text: str) -> bool:
    """Writes a file like `replace` if its content differs; returns whether it did."""
    if file.exists() and file.read_text() == text:
        return False
    replace(file, text)
    return True


def replace(file: Path, text: str) -> None:
    """Writes a file atomically, readable by its owner only."""
    fresh = file.with_suffix(".new")
    fresh.touch(mode=0o600)
    fresh.write_text(text)
    fresh.replace(file)
