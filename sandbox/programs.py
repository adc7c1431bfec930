"""The five programs of an embedded cluster and their command lines."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sandbox.network import LOOPBACK, Network
from sandbox.paths import Layout

WEBHOOK_PLUGINS = ("MutatingAdmissionWebhook", "ValidatingAdmissionWebhook")

TUNNEL = "egress-selector-config-file"
"""Flag of the API server for the file that configures how it reaches Services, such as those of webhooks."""

WATCHED_NODES = "TaintNodesByCondition"
"""Admission plugin that taints a new node until the node lifecycle controller, which is off here, finds the node
ready."""


@dataclass(frozen=True)
class Setting:
    """The values that the command lines depend on."""

    layout: Layout
    network: Network
    bin: Path
    webhooks: bool
    """Whether the API server calls admission webhooks."""


@dataclass(frozen=True)
class Program:
    """A program of the cluster."""

    name: str
    flags: Callable[[Setting], dict[str, str]]
    health: str
    """URL path of its health check, over HTTPS on its port."""
    patience: float
    """Seconds to wait after SIGTERM before SIGKILL."""

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
        # Data survives the end of every process; only a crash of the machine can lose the last writes.
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
        # The Service `kubernetes` gets no endpoint: Kubernetes rejects loopback addresses in endpoints.
        "endpoint-reconciler-type": "none",
        "service-account-issuer": "https://kubernetes.default.svc.cluster.local",
        "service-account-key-file": f"{pki}/service-accounts.pub",
        "service-account-signing-key-file": f"{pki}/service-accounts.key",
        "authorization-mode": "RBAC",
        # DNS does not have the node's name; logs and exec reach kwok by its address.
        "kubelet-preferred-address-types": "InternalIP",
        TUNNEL: str(setting.layout.egress),
        # istio-init asks for NET_ADMIN, other meshes' agents for privileged containers.
        "allow-privileged": "true",
    }
    unwanted = [WATCHED_NODES, *(() if setting.webhooks else WEBHOOK_PLUGINS)]
    return {**flags, "disable-admission-plugins": ",".join(unwanted)}


def _controller(setting: Setting, name: str) -> dict[str, str]:
    """The flags that the controller manager and the scheduler share."""
    pki = setting.layout.pki
    return {
        "bind-address": LOOPBACK,
        "secure-port": str(setting.network.ports[name]),
        "tls-cert-file": f"{pki}/server.crt",
        "tls-private-key-file": f"{pki}/server.key",
    }


def _controller_manager(setting: Setting) -> dict[str, str]:
    pki = setting.layout.pki
    return {
        **_controller(setting, "kube-controller-manager"),
        "kubeconfig": str(setting.layout.kubeconfig),
        # There is only one instance; waiting for the lease of the previous process would only delay a restart.
        "leader-elect": "false",
        # After a restart or suspend this controller would mark the simulated node as lost and its pods as not ready.
        # Unlike a kubelet, kwok would never report them as ready again.
        "controllers": "*,-node-lifecycle-controller",
        "root-ca-file": f"{pki}/ca.crt",
        "service-account-private-key-file": f"{pki}/service-accounts.key",
        "cluster-signing-cert-file": f"{pki}/ca.crt",
        "cluster-signing-key-file": f"{pki}/ca.key",
    }


def _scheduler(setting: Setting) -> dict[str, str]:
    return {**_controller(setting, "kube-scheduler"), "config": str(setting.layout.scheduler)}


def _kwok(setting: Setting) -> dict[str, str]:
    pki, port = setting.layout.pki, setting.network.ports["kwok"]
    return {
        "kubeconfig": str(setting.layout.kubeconfig),
        "config": str(setting.layout.stages),
        "manage-all-nodes": "true",
        # Without leases a restarted kwok simulates its pods at once, and does not wait for the old lease to expire.
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
    # It has no state of its own, and would wait a minute for its clients' watches to end.
    Program("kube-apiserver", _api_server, "/readyz", 3),
    Program("kube-controller-manager", _controller_manager, "/healthz", 5),
    Program("kube-scheduler", _scheduler, "/healthz", 5),
    Program("kwok", _kwok, "/healthz", 5),
)
"""The programs in the order in which they are started. They are stopped in reverse order, etcd last."""
