"""Kiali: shows the mesh as a graph and validates its configuration."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

import pulumi
import pulumi_kubernetes as k8s

from components import kube, rbac
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
    rolling_update,
)
from mesh.config.addons import KialiAddon
from mesh.core import documents
from mesh.releases.addons import KIALI_METRICS_PORT, KialiView, Part, Volume
from mesh.releases.addons import Kiali as Sample

core = k8s.core.v1

PORT: Final = KialiAddon.port
FOLDER: Final = "/kiali-configuration"
SIGNING: Final = "kiali-signing-key"
"""Name of the Secret with the key that signs Kiali's sessions."""
KEY: Final = "signing-key"
_SERVICES: Final = {"jaeger": "tracing"}
"""Kiali's own names of the services that it uses, if they differ from ours."""
API: Final = "monitoring.kiali.io"
KIND: Final = "MonitoringDashboard"


class Kiali(Addon[KialiAddon]):
    """Kiali, by default read-only and with a login by the visitor's own Kubernetes token."""

    def __init__(self, name: str, args: AddonArgs[KialiAddon], opts: pulumi.ResourceOptions | None = None) -> None:
        sample = args.mesh.release.addons.kiali
        super().__init__(name, args, sample, opts)
        account = self._account()
        text = pulumi.Output.all(**args.urls).apply(self._config)
        needed = [account, self._config_map({"config.yaml": text}), *self._permissions(sample, account)]
        if not args.insecure:
            needed.append(self._secret(SIGNING, KEY, secrets.get("kialiSigningKey")))
        needed += self._credentials().values()
        service = self._service({"http": PORT, "http-metrics": KIALI_METRICS_PORT}, protocol=sample.protocol)
        pod = self._pod([self._server(sample)], list(self._volumes(sample)), service_account_name=self._name)
        changed = {CHECKSUM: text.apply(checksum)}
        self._deployment(pod, needed, annotations=changed, strategy=rolling_update(1))
        if sample.dashboards:
            self._dashboards(sample.dashboards)
        self._finish(service)

    def _config(self, urls: Mapping[str, str]) -> str:
        """Kiali's configuration file."""
        args = self._args
        logins = {name: login for name, one in args.existing.items() if (login := one.as_login)}
        view = KialiView(
            urls=urls, external_urls=args.external_urls, insecure=args.insecure, logins=logins, there=args.existing
        )
        return documents.dump(args.mesh.release.kiali_config(args.mesh, view))

    def _permissions(self, sample: Sample, account: core.ServiceAccount) -> list[pulumi.Resource]:
        if not self._args.insecure:
            return [self._grant(rbac.rules(sample.rules(self._args.mesh.root, False)), account, "kiali-viewer")]
        secrets_read = [self._reads_secrets()] if sample.reads_secrets else []
        return [self._grant(rbac.rules(sample.rules(self._args.mesh.root, True)), account), *secrets_read]

    def _reads_secrets(self) -> pulumi.Resource:
        """The right to list Secrets in Istio's namespace, where Kiali looks for remote clusters."""
        return rbac.grant_in_namespace(
            self,
            "kiali-controlplane",
            rbac.rules((("core", "secrets", "list"),)),
            self._name,
            self._args.namespace,
            self.labels,
            account_namespace=self._args.mesh.root,
        )

    def _volumes(self, sample: Sample) -> list[core.VolumeArgs]:
        optional = [_optional(name, volume) for name, volume in sample.volumes.items()]
        found = [config_volume("kiali-configuration", self._name), *optional]
        if sample.key_file and not self._args.insecure:
            file = core.KeyToPathArgs(key=KEY, path=sample.key_file.rpartition("/")[2])
            found.append(
                core.VolumeArgs(name=SIGNING, secret=core.SecretVolumeSourceArgs(secret_name=SIGNING, items=[file]))
            )
        if sample.key_file:
            for name, secret, part in self._logins():
                item = core.KeyToPathArgs(key=part, path=sample.key_file.rpartition("/")[2])
                source = core.SecretVolumeSourceArgs(secret_name=secret, items=[item])
                found.append(core.VolumeArgs(name=name, secret=source))
        return found

    def _logins(self) -> Iterator[tuple[str, str, str]]:
        """The passwords and tokens for its logins: Kiali's name of each, the Secret, and the key in the Secret."""
        for name, one in self._args.existing.items():
            if login := one.as_login:
                yield f"{_SERVICES.get(name, name)}-{login.part}", f"{self._name}-{name}", login.part

    def _server(self, sample: Sample) -> core.ContainerArgs:
        settings, closed = self._args.settings, not self._args.insecure
        own = core.EnvVarSourceArgs(field_ref=core.ObjectFieldSelectorArgs(field_path="metadata.namespace"))
        key = [from_secret("LOGIN_TOKEN_SIGNING_KEY", SIGNING, KEY)] if closed and not sample.key_file else []
        file = (
            [mount(SIGNING, sample.key_file.rpartition("/")[0], read_only=True)] if closed and sample.key_file else []
        )
        if sample.key_file:
            folder = sample.key_file.rpartition("/")[0].rpartition("/")[0]
            file += [mount(name, f"{folder}/{name}", read_only=True) for name, _, _ in self._logins()]
        else:
            key += [from_secret(name.replace("-", "_").upper(), secret, part) for name, secret, part in self._logins()]
        health = probe(f"{KialiAddon.path}/healthz", "api-port", initial_delay_seconds=5, period_seconds=30)
        return self._container(
            "kiali",
            settings.image or sample.image,
            image_pull_policy=sample.pull,
            command=["/opt/kiali/kiali", "-config", f"{FOLDER}/config.yaml"],
            env=[core.EnvVarArgs(name="ACTIVE_NAMESPACE", value_from=own), *environment(_LOG), *key],
            ports=[
                core.ContainerPortArgs(name="api-port", container_port=PORT),
                core.ContainerPortArgs(name="http-metrics", container_port=KIALI_METRICS_PORT),
            ],
            readiness_probe=health,
            liveness_probe=health,
            resources=kube.resources(settings.resources),
            volume_mounts=[
                mount("kiali-configuration", FOLDER),
                *(mount(name, volume.path, read_only=volume.read_only) for name, volume in sample.volumes.items()),
                *file,
            ],
            **sample.container,
        )

    def _dashboards(self, wanted: Mapping[str, Part]) -> None:
        """The MonitoringDashboards and their definition."""
        definition = _definition(self._child)
        after = pulumi.ResourceOptions(parent=self, depends_on=[definition])
        for name, dashboard in wanted.items():
            metadata = {"name": name, "labels": dict(self.labels)}
            manifest = {"apiVersion": f"{API}/v1alpha1", "kind": KIND, "metadata": metadata, "spec": dashboard}
            kube.custom_resource(manifest, self._args.namespace, after)


def _optional(name: str, volume: Volume) -> core.VolumeArgs:
    if volume.secret:
        source = core.SecretVolumeSourceArgs(secret_name=volume.secret, optional=True)
        return core.VolumeArgs(name=name, secret=source)
    return core.VolumeArgs(name=name, config_map=core.ConfigMapVolumeSourceArgs(name=volume.config_map, optional=True))


_LOG: Final = {
    "LOG_LEVEL": "info",
    "LOG_FORMAT": "text",
    "LOG_TIME_FIELD_FORMAT": "2006-01-02T15:04:05Z07:00",
    "LOG_SAMPLER_RATE": "1",
}


def _definition(opts: pulumi.ResourceOptions) -> k8s.apiextensions.v1.CustomResourceDefinition:
    name = f"monitoringdashboards.{API}"
    anything = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    version = {"name": "v1alpha1", "served": True, "storage": True, "schema": {"openAPIV3Schema": anything}}
    plural, singular = "monitoringdashboards", "monitoringdashboard"
    names = {"kind": KIND, "listKind": f"{KIND}List", "plural": plural, "singular": singular}
    return k8s.apiextensions.v1.CustomResourceDefinition(
        name,
        metadata=kube.metadata(name),
        spec={
            "group": API,
            "scope": "Namespaced",
            "names": names,
            "versions": [version],
        },  # field names of the Kubernetes API
        opts=opts,
    )
