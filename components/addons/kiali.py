"""Kiali: shows the mesh as a graph and validates its configuration."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import pulumi
import pulumi_kubernetes as k8s

from components import kube, rbac
from components.addons import kiali_dashboards, secrets
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
from mesh.core.names import INJECTOR, MESH_CONFIG
from mesh.releases.release import Installation
from mesh.releases.roles import PolicyRules

core = k8s.core.v1

PORT: Final = KialiAddon.port
METRICS: Final = 9090
FOLDER: Final = "/kiali-configuration"
SIGNING: Final = "kiali-signing-key"
"""Name of the Secret with the key that signs Kiali's sessions."""
KEY: Final = "signing-key"
KNOWN_KEY: Final = "CHANGEME"
"""The signing key of Istio's sample, which is public."""
API: Final = "monitoring.kiali.io"

_READ: Final = "get list watch"


def rules(write: bool) -> PolicyRules:
    """The rules of Kiali's ClusterRole: read, and with `write` also change Istio's objects and workloads."""
    patch, edit = (" patch", " create delete patch") if write else ("", "")
    return (
        ("core", "configmaps endpoints pods/log pods/proxy", _READ),
        ("core", "namespaces pods replicationcontrollers services", f"{_READ}{patch}"),
        ("core", "pods/portforward", "create post"),
        ("extensions apps", "daemonsets deployments replicasets statefulsets", f"{_READ}{patch}"),
        ("batch", "cronjobs jobs", f"{_READ}{patch}"),
        ("networking.istio.io security.istio.io", "*", f"{_READ}{edit}"),
        ("apps.openshift.io", "deploymentconfigs", f"{_READ}{patch}"),
        ("project.openshift.io", "projects", "get"),
        ("route.openshift.io", "routes", "get"),
        (API, "monitoringdashboards", "get list"),
        ("iter8.tools", "experiments", f"{_READ}{edit}"),
        ("authentication.k8s.io", "tokenreviews", "create"),
    )


class Kiali(Addon[KialiAddon]):
    """Kiali, by default read-only and with a login by the visitor's own Kubernetes token."""

    _selector: Final = {"app.kubernetes.io/name": "kiali", "app.kubernetes.io/instance": "kiali-server"}

    def __init__(self, name: str, args: AddonArgs[KialiAddon], opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, args, opts)
        version = args.mesh.release.addons.kiali
        self.labels = {
            **self._selector,
            "app": "kiali",
            "app.kubernetes.io/part-of": "kiali",
            "app.kubernetes.io/version": version,
            "version": version,
        }
        account = self._account()
        text = pulumi.Output.all(**args.urls).apply(
            lambda urls: documents.dump(config(args.mesh, urls, args.external_urls, args.insecure))
        )
        needed = [account, self._config_map({"config.yaml": text}), *self._permissions(account)]
        if not args.insecure:
            needed.append(self._secret(SIGNING, KEY, secrets.get("kialiSigningKey")))
        service = self._service({"http": PORT, "http-metrics": METRICS}, self._selector)
        notes: dict[str, pulumi.Input[str]] = {
            "kiali.io/runtimes": "go,kiali",
            "prometheus.io/port": str(METRICS),
            "prometheus.io/scrape": "true",
            CHECKSUM: text.apply(checksum),
        }
        self._deployment(
            self._pod(), self._selector, needed, labels=self.labels, annotations=notes, strategy=rolling_update(1)
        )
        self._dashboards()
        self._finish(service)

    def _permissions(self, account: core.ServiceAccount) -> list[pulumi.Resource]:
        if not self._args.insecure:
            return [self._grant(rbac.rules(rules(write=False)), account, "kiali-viewer")]
        return [self._grant(rbac.rules(rules(write=True)), account), self._reads_secrets()]

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

    def _pod(self) -> core.PodSpecArgs:
        optional = {"kiali-cert": "istio.kiali-service-account", "kiali-secret": self._name}
        return core.PodSpecArgs(
            service_account_name=self._name,
            containers=[self._container(optional)],
            volumes=[
                config_volume("kiali-configuration", self._name),
                *(
                    core.VolumeArgs(name=name, secret=core.SecretVolumeSourceArgs(secret_name=secret, optional=True))
                    for name, secret in optional.items()
                ),
            ],
        )

    def _container(self, mounted: Mapping[str, str]) -> core.ContainerArgs:
        settings = self._args.settings
        own = core.EnvVarSourceArgs(field_ref=core.ObjectFieldSelectorArgs(field_path="metadata.namespace"))
        key = [] if self._args.insecure else [from_secret("LOGIN_TOKEN_SIGNING_KEY", SIGNING, KEY)]
        health = probe(f"{KialiAddon.path}/healthz", "api-port", initial_delay_seconds=5, period_seconds=30)
        return core.ContainerArgs(
            name="kiali",
            image=settings.image or self._args.mesh.release.addons.images["kiali"],
            image_pull_policy="Always",
            command=["/opt/kiali/kiali", "-config", f"{FOLDER}/config.yaml"],
            env=[core.EnvVarArgs(name="ACTIVE_NAMESPACE", value_from=own), *environment(_LOG), *key],
            ports=[
                core.ContainerPortArgs(name="api-port", container_port=PORT),
                core.ContainerPortArgs(name="http-metrics", container_port=METRICS),
            ],
            readiness_probe=health,
            liveness_probe=health,
            resources=kube.resources(settings.resources),
            volume_mounts=[mount("kiali-configuration", FOLDER), *(mount(name, f"/{name}") for name in mounted)],
        )

    def _dashboards(self) -> None:
        """The MonitoringDashboards and their definition."""
        definition = _definition(self._child)
        after = pulumi.ResourceOptions(parent=self, depends_on=[definition])
        for name, dashboard in kiali_dashboards.DASHBOARDS.items():
            metadata = {"name": name, "labels": dict(self.labels)}
            manifest = {"apiVersion": f"{API}/v1alpha1", "kind": KIND, "metadata": metadata, "spec": dashboard}
            kube.custom_resource(manifest, self._args.namespace, after)


KIND: Final = "MonitoringDashboard"
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


def config(
    mesh: Installation, urls: Mapping[str, str], external_urls: Mapping[str, str], insecure: bool
) -> dict[str, Any]:
    """Kiali's configuration. `urls` are those of the other addons inside the cluster, `external_urls` for browsers."""
    return {
        "auth": {"strategy": "anonymous" if insecure else "token", "openshift": {"client_id_prefix": "kiali"}},
        "deployment": {"accessible_namespaces": ["**"], "namespace": mesh.root},
        "external_services": {"custom_dashboards": {"enabled": True}, **_istiod(mesh), **_others(urls, external_urls)},
        "istio_namespace": mesh.root,
        **({"login_token": {"signing_key": KNOWN_KEY}} if insecure else {}),
        "server": {"metrics_enabled": True, "metrics_port": METRICS, "port": PORT, "web_root": KialiAddon.path},
    }


def _istiod(mesh: Installation) -> dict[str, Any]:
    """The names of the control plane's objects, if a revision makes them differ from Kiali's defaults."""
    if not mesh.values.revision:
        return {}
    istiod = mesh.revisioned("istiod")
    names = {
        "config_map_name": mesh.revisioned(MESH_CONFIG),
        "istio_sidecar_injector_config_map_name": mesh.revisioned(INJECTOR),
        "istiod_deployment_name": istiod,
        "url_service_version": f"http://{istiod}:15014/version",
    }
    return {"istio": names}


def _others(urls: Mapping[str, str], external_urls: Mapping[str, str]) -> dict[str, Any]:
    """The URLs of Prometheus, Jaeger and Grafana; Jaeger and Grafana are disabled if they are not installed."""
    found: dict[str, Any] = {"prometheus": {"url": urls["prometheus"]}}
    for service, name in {"tracing": "jaeger", "grafana": "grafana"}.items():
        found[service] = {"enabled": name in urls}
        if name in urls:
            found[service]["in_cluster_url"] = urls[name]
        if name in external_urls:
            found[service]["url"] = external_urls[name]
    if "grafana" in urls:
        found["grafana"]["health_check_url"] = f"{urls['grafana']}/api/health"
    return found
