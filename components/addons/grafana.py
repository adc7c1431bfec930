"""Grafana: dashboards of the metrics in Prometheus."""

from __future__ import annotations

import configparser
import io
from collections.abc import Mapping
from typing import Any, Final

import pulumi
import pulumi_kubernetes as k8s
import yaml

from components import kube
from components.addons import dashboards, secrets
from components.addons.addon import (
    CHECKSUM,
    Addon,
    AddonArgs,
    checksum,
    config_volume,
    environment,
    from_secret,
    mount,
    probe,
)
from mesh.config.addons import GrafanaAddon

core = k8s.core.v1

PORT: Final = GrafanaAddon.port
USER: Final = 472
"""The uid of the image's user."""
DATA: Final = "/var/lib/grafana"
PROVISIONING: Final = "/etc/grafana/provisioning"
ADMIN: Final = "admin"
PASSWORD: Final = "admin-password"
"""Key of the administrator's password in the Secret `grafana`."""

_INI: Final = {
    "analytics": {"check_for_updates": "true"},
    "grafana_net": {"url": "https://grafana.net"},
    "log": {"mode": "console"},
    "paths": {
        "data": f"{DATA}/data",
        "logs": "/var/log/grafana",
        "plugins": f"{DATA}/plugins",
        "provisioning": PROVISIONING,
    },
}
_LOGIN: Final = {
    "GF_AUTH_ANONYMOUS_ENABLED": "false",
    "GF_AUTH_BASIC_ENABLED": "false",
    "GF_USERS_ALLOW_SIGN_UP": "false",
    "GF_SECURITY_ADMIN_USER": ADMIN,
}
_NO_LOGIN: Final = {
    "GF_AUTH_ANONYMOUS_ENABLED": "true",
    "GF_AUTH_ANONYMOUS_ORG_ROLE": "Admin",
    "GF_AUTH_BASIC_ENABLED": "false",
    "GF_SECURITY_ADMIN_USER": "-",
    "GF_SECURITY_ADMIN_PASSWORD": "-",
}


class Grafana(Addon[GrafanaAddon]):
    """Grafana with its dashboards. It has a login for the administrator, unless `insecureDemo` is set."""

    _selector: Final = {"app.kubernetes.io/name": "grafana", "app.kubernetes.io/instance": "grafana"}

    def __init__(self, name: str, args: AddonArgs[GrafanaAddon], opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, args, opts)
        self.labels = {**self._selector, "app.kubernetes.io/version": args.mesh.release.addons.grafana}
        documents = args.urls["prometheus"].apply(_documents)
        files = {file: documents[file] for file in _FILES}
        needed: list[pulumi.Resource] = [self._account(), self._config_map(files), *self._dashboards()]
        if not args.insecure:
            needed.append(self._secret(name, PASSWORD, secrets.get("grafanaPassword")))
        service = self._service({"service": PORT}, self._selector)
        changed = {CHECKSUM: documents.apply(lambda found: checksum(*found.values()))}
        self._deployment(
            self._pod(), self._selector, needed, labels={"app": "grafana", **self._selector}, annotations=changed
        )
        self._finish(service)

    def _dashboards(self) -> list[core.ConfigMap]:
        return [self._config_map(dashboards.files(folder), _map_of(folder)) for folder in dashboards.FOLDERS]

    def _pod(self) -> core.PodSpecArgs:
        folders = {folder: f"dashboards-{folder}" for folder in dashboards.FOLDERS}
        return core.PodSpecArgs(
            service_account_name=self._name,
            security_context=core.PodSecurityContextArgs(run_as_user=USER, run_as_group=USER, fs_group=USER),
            containers=[self._container(folders)],
            volumes=[
                config_volume("config", self._name),
                *(config_volume(volume, _map_of(folder)) for folder, volume in folders.items()),
                self._storage("storage", self._args.settings.persistence),
            ],
        )

    def _container(self, folders: Mapping[str, str]) -> core.ContainerArgs:
        settings = self._args.settings
        login = [*environment(_LOGIN), from_secret("GF_SECURITY_ADMIN_PASSWORD", self._name, PASSWORD)]
        return core.ContainerArgs(
            name="grafana",
            image=settings.image or self._args.mesh.release.addons.images["grafana"],
            image_pull_policy="IfNotPresent",
            env=environment(_NO_LOGIN) if self._args.insecure else login,
            ports=[core.ContainerPortArgs(name="service", container_port=PORT)],
            readiness_probe=probe("/api/health", PORT),
            liveness_probe=probe(
                "/api/health", PORT, initial_delay_seconds=60, timeout_seconds=30, failure_threshold=10
            ),
            resources=kube.resources(settings.resources),
            volume_mounts=[
                mount("config", "/etc/grafana/grafana.ini", "grafana.ini"),
                mount("storage", DATA),
                *(mount("config", f"{PROVISIONING}/{folder}/{file}", file) for file, folder in _PROVISIONED.items()),
                *(mount(volume, f"{DATA}/dashboards/{folder}") for folder, volume in folders.items()),
            ],
        )


_PROVISIONED: Final = {"datasources.yaml": "datasources", "dashboardproviders.yaml": "dashboards"}
"""Folders of the provisioning files, by file name."""
_FILES: Final = ("grafana.ini", *_PROVISIONED)


def _map_of(folder: str) -> str:
    """Name of the ConfigMap with a folder's dashboards."""
    return f"{folder}-grafana-dashboards"


def _documents(prometheus: str) -> dict[str, str]:
    """Grafana's configuration files, by name; `prometheus` is the URL of Prometheus."""
    source = {
        "name": "Prometheus",
        "type": "prometheus",
        "access": "proxy",
        "url": prometheus,
        "isDefault": True,
        "editable": True,
        "orgId": 1,
        "jsonData": {"timeInterval": "5s"},
    }
    sources = {"apiVersion": 1, "datasources": [source]}
    providers = {"apiVersion": 1, "providers": [_provider(folder) for folder in dashboards.FOLDERS]}
    texts = (_ini(), yaml.safe_dump(sources), yaml.safe_dump(providers))
    return dict(zip(_FILES, texts, strict=True))


def _provider(folder: str) -> dict[str, Any]:
    """The dashboard provider of a folder; Grafana shows both folders of the mesh as one."""
    return {
        "name": folder,
        "folder": folder.removesuffix("-services"),
        "type": "file",
        "orgId": 1,
        "disableDeletion": False,
        "options": {"path": f"{DATA}/dashboards/{folder}"},
    }


def _ini() -> str:
    ini = configparser.ConfigParser()
    ini.read_dict(_INI)
    text = io.StringIO()
    ini.write(text)
    return text.getvalue()
