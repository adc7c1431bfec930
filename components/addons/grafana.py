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
from components.addons import secrets
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
from components.addons.dashboards import config_map
from mesh.config.addons import GrafanaAddon
from mesh.releases.addons import Grafana as Sample
from mesh.releases.addons import Login

core = k8s.core.v1

PORT: Final = GrafanaAddon.port
DATA: Final = "/var/lib/grafana"
PROVISIONING: Final = "/etc/grafana/provisioning"
SOURCES: Final = ("prometheus", "loki")
"""Addons that it gets data from."""
ADMIN: Final = "admin"
PASSWORD: Final = "admin-password"
"""Key of the administrator's password in the Secret `grafana`."""

_LOGIN: Final = {
    "GF_AUTH_ANONYMOUS_ENABLED": "false",
    "GF_AUTH_BASIC_ENABLED": "false",
    "GF_USERS_ALLOW_SIGN_UP": "false",
    "GF_SECURITY_ADMIN_USER": ADMIN,
}


class Grafana(Addon[GrafanaAddon]):
    """Grafana with its dashboards. It has a login for the administrator, unless `insecureDemo` is set."""

    def __init__(self, name: str, args: AddonArgs[GrafanaAddon], opts: pulumi.ResourceOptions | None = None) -> None:
        sample = args.mesh.release.addons.grafana
        super().__init__(name, args, sample, opts)
        sources = {name: url for name, url in args.urls.items() if name in SOURCES}
        logins = {other: login for other, one in args.existing.items() if (login := one.as_login)}
        documents = pulumi.Output.all(**sources).apply(lambda urls: _documents(sample, urls, logins))
        files = {file: documents[file] for file in _FILES}
        needed: list[pulumi.Resource] = [self._account(), self._config_map(files), *self._dashboards(sample)]
        if not args.insecure:
            needed.append(self._secret(name, PASSWORD, secrets.get("grafanaPassword")))
        needed += self._credentials().values()
        service = self._service({"service": PORT})
        changed = {CHECKSUM: documents.apply(lambda found: checksum(*found.values()))}
        folders = {folder: f"dashboards-{folder}" for folder in sample.dashboards.folders}
        volumes = [
            config_volume("config", self._name),
            *(config_volume(volume, config_map(folder)) for folder, volume in folders.items()),
            self._storage("storage", args.settings.persistence),
        ]
        pod = self._pod([self._server(sample, folders)], volumes, service_account_name=self._name)
        self._deployment(pod, needed, annotations=changed)
        self._finish(service)

    def _dashboards(self, sample: Sample) -> list[core.ConfigMap]:
        found, root = sample.dashboards, self._args.mesh.root
        return [self._config_map(found.files(folder, root), config_map(folder)) for folder in found.folders]

    def _server(self, sample: Sample, folders: Mapping[str, str]) -> core.ContainerArgs:
        settings = self._args.settings
        login = [*environment(_LOGIN), from_secret("GF_SECURITY_ADMIN_PASSWORD", self._name, PASSWORD)]
        return self._container(
            "grafana",
            settings.image or sample.image,
            image_pull_policy="IfNotPresent",
            env=[*(environment(sample.open) if self._args.insecure else login), *self._logins()],
            ports=[core.ContainerPortArgs(name=sample.port, container_port=PORT)],
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

    def _logins(self) -> list[core.EnvVarArgs]:
        """The passwords and tokens for its logins, as environment variables that the file of data sources names."""
        parts = {name: login.part for name, one in self._args.existing.items() if (login := one.as_login)}
        return [from_secret(_variable(name, part), f"{self._name}-{name}", part) for name, part in parts.items()]


def _variable(name: str, part: str) -> str:
    return f"{name}_{part}".upper()


_PROVISIONED: Final = {"datasources.yaml": "datasources", "dashboardproviders.yaml": "dashboards"}
"""Folders of the provisioning files, by file name."""
_FILES: Final = ("grafana.ini", *_PROVISIONED)


def _documents(sample: Sample, urls: Mapping[str, str], logins: Mapping[str, Login]) -> dict[str, str]:
    """Grafana's configuration files, by name. `urls` and `logins` are those of the other addons, by name."""
    prometheus = _source("prometheus", urls["prometheus"], sample.interval, first=True)
    found = [_with_login(prometheus, logins.get("prometheus"))]
    if "loki" in urls:
        found.append(_source("loki", urls["loki"], "5s"))
    sources = {"apiVersion": 1, "datasources": found}
    providers = {"apiVersion": 1, "providers": [_provider(folder) for folder in sample.dashboards.folders]}
    texts = (_ini(sample), yaml.safe_dump(sources), yaml.safe_dump(providers))
    return dict(zip(_FILES, texts, strict=True))


def _source(kind: str, url: str, interval: str, first: bool = False) -> dict[str, Any]:
    """A data source. Panels that name no data source use the first one."""
    return {
        "name": kind.title(),
        "type": kind,
        "access": "proxy",
        "url": url,
        "isDefault": first,
        "editable": True,
        "orgId": 1,
        "jsonData": {"timeInterval": interval},
    }


def _with_login(source: dict[str, Any], login: Login | None) -> dict[str, Any]:
    """A data source with Grafana's login to it, whose secret part comes from an environment variable."""
    if login is None:
        return source
    variable = f"${_variable(source['type'], login.part)}"
    if login.kind == "basic":
        return {
            **source,
            "basicAuth": True,
            "basicAuthUser": login.user,
            "secureJsonData": {"basicAuthPassword": variable},
        }
    header = {**source["jsonData"], "httpHeaderName1": "Authorization"}
    return {**source, "jsonData": header, "secureJsonData": {"httpHeaderValue1": f"Bearer {variable}"}}


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


def _ini(sample: Sample) -> str:
    paths = {
        "data": f"{DATA}{sample.data}",
        "logs": "/var/log/grafana",
        "plugins": f"{DATA}/plugins",
        "provisioning": PROVISIONING,
    }
    ini = configparser.ConfigParser()
    ini.read_dict({**sample.ini, "paths": paths})
    text = io.StringIO()
    ini.write(text)
    return text.getvalue()
