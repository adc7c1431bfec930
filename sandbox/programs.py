"""The five programs of the embedded Kubernetes, and how each is started."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sandbox.network import LOOPBACK, Network
from sandbox.paths import Layout

WEBHOOK_PLUGINS = ("MutatingAdmissionWebhook", "ValidatingAdmissionWebhook")

WATCHED_NODES = "TaintNodesByCondition"
"""Taints each new node until the node lifecycle controller finds it well; that one is off here."""


@dataclass(frozen=True)
class Setting:
    """What the command lines are made from."""

    layout: Layout
    network: Network
    bin: Path
    webhooks: bool
    """Whether the API server calls admission webhooks."""


@dataclass(frozen=True)
class Program:
    """One program of the cluster."""

    name: str
    flags: Callable[[Setting], dict[str, str]]
    health: str
    """Path of its health check, over HTTPS on its port."""
    patience: float
    """Seconds that it may take to end when asked to."""

    def command(self, setting: Setting) -> list[str]:
        flags = [f"--{key}={value}" for key, value in self.flags(setting).items()]
        return [str(setting.bin / self.name), *flags]


def _etcd(setting: Setting) -> dict[str, str]:
    pki, ports = setting.layout.pki, setting.network.ports
    client, peer = (f"https://{LOOPBACK}:{ports[name]}" for name in ("etcd", "etcd-peer"))
    return {
        "name": "sandbox",
        "data-dir": f"{setting.layout.data}",
        "listen-client-urls": client,
        "advertise-client-urls": client,
        "listen-peer-urls": peer,
        "initial-advertise-peer-urls": peer,
        "initial-cluster": f"sandbox={peer}",
        "cert-file": f"{pki}/server.crt",
        "key-file": f"{pki}/server.key",
        "client-cert-auth": "true",
        "trusted-ca-file": f"{pki}/ca.crt",
        "peer-cert-file": f"{pki}/server.crt",
        "peer-key-file": f"{pki}/server.key",
        "peer-client-cert-auth": "true",
        "peer-trusted-ca-file": f"{pki}/ca.crt",
        # Survives the death of any process; only a crash of the whole machine can lose the last writes.
        "unsafe-no-fsync": "true",
        "log-level": "warn",
    }


def _api_server(setting: Setting) -> dict[str, str]:
    pki, network = setting.layout.pki, setting.network
    flags = {
        "bind-address": LOOPBACK,
        "secure-port": str(network.ports["kube-apiserver"]),
        "tls-cert-file": f"{pki}/server.crt",
        "tls-private-key-file": f"{pki}/server.key",
        "client-ca-file": f"{pki}/ca.crt",
        "etcd-servers": f"https://{LOOPBACK}:{network.ports['etcd']}",
        "etcd-cafile": f"{pki}/ca.crt",
        "etcd-certfile": f"{pki}/client.crt",
        "etcd-keyfile": f"{pki}/client.key",
        "service-cluster-ip-range": network.service_range,
        # The Service `kubernetes` gets no endpoint: Kubernetes refuses loopback addresses there.
        "endpoint-reconciler-type": "none",
        "service-account-issuer": "https://kubernetes.default.svc.cluster.local",
        "service-account-key-file": f"{pki}/service-accounts.pub",
        "service-account-signing-key-file": f"{pki}/service-accounts.key",
        "authorization-mode": "RBAC",
        # The node's name is in no DNS; logs and exec reach kwok by its address.
        "kubelet-preferred-address-types": "InternalIP",
        # istio-init asks for NET_ADMIN, other meshes' agents for privileged containers.
        "allow-privileged": "true",
    }
    unwanted = [WATCHED_NODES, *(() if setting.webhooks else WEBHOOK_PLUGINS)]
    return {**flags, "disable-admission-plugins": ",".join(unwanted)}


def _controller(setting: Setting, name: str) -> dict[str, str]:
    """What the controller manager and the scheduler have in common."""
    pki = setting.layout.pki
    return {
        "bind-address": LOOPBACK,
        "secure-port": str(setting.network.ports[name]),
        "tls-cert-file": f"{pki}/server.crt",
        "tls-private-key-file": f"{pki}/server.key",
        "kubeconfig": str(setting.layout.kubeconfig),
        # There is one of each; waiting for the lease of the one before would only delay a restart.
        "leader-elect": "false",
    }


def _controller_manager(setting: Setting) -> dict[str, str]:
    pki = setting.layout.pki
    return {
        **_controller(setting, "kube-controller-manager"),
        # After a sleep of the machine or a restart this one would call the played node lost and its pods
        # not ready, and kwok, unlike a kubelet, would never say that they are ready again.
        "controllers": "*,-node-lifecycle-controller",
        "root-ca-file": f"{pki}/ca.crt",
        "service-account-private-key-file": f"{pki}/service-accounts.key",
        "cluster-signing-cert-file": f"{pki}/ca.crt",
        "cluster-signing-key-file": f"{pki}/ca.key",
    }


def _scheduler(setting: Setting) -> dict[str, str]:
    return _controller(setting, "kube-scheduler")


def _kwok(setting: Setting) -> dict[str, str]:
    pki, port = setting.layout.pki, setting.network.ports["kwok"]
    return {
        "kubeconfig": str(setting.layout.kubeconfig),
        "config": str(setting.layout.stages),
        "manage-all-nodes": "true",
        # Without leases a restarted kwok plays its pods at once, not when the lease of the last one ends.
        "node-lease-duration-seconds": "0",
        "node-ip": LOOPBACK,
        "cidr": "10.77.0.1/16",
        "server-address": f"{LOOPBACK}:{port}",
        "node-port": str(port),
        "tls-cert-file": f"{pki}/server.crt",
        "tls-private-key-file": f"{pki}/server.key",
    }


PROGRAMS = (
    Program("etcd", _etcd, "/health", 10),
    # It keeps no state, and would wait a minute for the watches of its clients to end.
    Program("kube-apiserver", _api_server, "/readyz", 3),
    Program("kube-controller-manager", _controller_manager, "/healthz", 5),
    Program("kube-scheduler", _scheduler, "/healthz", 5),
    Program("kwok", _kwok, "/healthz", 5),
)
"""In the order in which they are started; stopped the other way round, so etcd last."""
