"""Settings of the addons: `mesh:addons`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar, Final

from pydantic import AfterValidator, Field, field_validator

from mesh.config.existing import ExistingAddons
from mesh.core.errors import show
from mesh.core.kubernetes import ObjectName, Resources, Size
from mesh.core.typed import Deciding, Documented, Form, ShortForm
from mesh.releases import prometheus
from mesh.releases.addons import JAEGER_PATH, KIALI_PATH, KIALI_PORT, LOKI_PORT

_NO_ADDONS: Final = ("insecureDemo", "existing")
"""The settings of `mesh:addons` that are not addons."""
ASKED_BY: Final[Mapping[str, tuple[str, ...]]] = {
    "prometheus": ("kiali", "grafana"),
    "jaeger": ("kiali",),
    "grafana": ("kiali",),
}
"""The addons that query each addon, by its name."""
_OTHER_USES: Final = {"grafana": "dashboards", "jaeger": "collector"}
"""The setting that makes an existing program useful although no addon queries it."""
SECRETS: Final = "mesh-addons"
"""Config namespace of the addons' passwords and keys. It is separate from `mesh`, so that messages about settings never
show one."""


def _duration(units: str, *examples: str) -> AfterValidator:
    """A validator of durations: numbers with units. `units` is a regular expression."""
    pattern = re.compile(rf"([0-9]+({units}))+")

    def checked(value: str) -> str:
        if not pattern.fullmatch(value):
            raise ValueError(f'{show(value)} is not a duration: write it like "{examples[0]}" or "{examples[1]}"')
        return value

    return AfterValidator(checked)


PrometheusDuration = Annotated[str, _duration("ms|s|m|h|d|w|y", "15d", "12h")]
GoDuration = Annotated[str, _duration("s|m|h", "72h", "90m")]
HostName = Annotated[
    str,
    Field(pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)+$", max_length=253),
    Form("whole host name in lower case, such as grafana.example.com"),
    Deciding,
]


class Persistence(Documented):
    """A persistent volume, which outlives the pod. `make down` deletes it with its data."""

    size: Size
    """Size of the volume, such as `10Gi`."""
    storageClass: ObjectName | None = None
    """StorageClass of the volume; the cluster's default if not set."""


class Host(ShortForm):
    """A host of an addon at the ingress gateway."""

    short_forms = "a host name"

    name: HostName
    """Host name, which no other Gateway of the mesh may serve."""
    certificate: str | None = None
    """Name of a TLS Secret in the ingress gateway's namespace. Without it, traffic is plain HTTP."""

    @property
    def url(self) -> str:
        """The addon's URL at this host."""
        return f"{'https' if self.certificate else 'http'}://{self.name}"


class Addon(ShortForm):
    """Common settings of the addons."""

    short_forms = "true, false"
    needs: ClassVar[tuple[str, ...]] = ()
    """Addons that this one requires."""
    service: ClassVar[str]
    """Name of the Service of its web pages."""
    port: ClassVar[int]
    """Port of the Service for the web pages."""
    path: ClassVar[str] = ""
    """Path prefix of the web pages."""
    shown_by: ClassVar[str] = ""
    """The addon whose web pages show what is in it; empty if it has pages itself."""
    login: ClassVar[str] = ""
    """How to log in, with a command that begins with `{kubectl}`; empty if there is no login."""
    secrets: ClassVar[tuple[str, ...]] = ()
    """Names of config keys in `mesh-addons` that it requires, unless `insecureDemo` is set: passwords and keys."""

    image: str | None = None
    """Full reference of the image; that of the release's sample if not set."""
    host: Host | None = None
    """Host at the ingress gateway under which the addon is reached; only reachable inside the cluster if not set."""

    @field_validator("host", mode="before")
    @classmethod
    def _name_alone(cls, value: Any) -> Any:
        return {"name": value} if isinstance(value, str) else value


class PersistentAddon(Addon):
    """An addon that stores data."""

    persistence: Persistence | None = None
    """Persistent volume for the data; without it, the data is lost with the pod."""


class PrometheusAddon(PersistentAddon):
    """Prometheus, which collects the metrics of proxies and istiod."""

    service, port = "prometheus", prometheus.PORT

    reloadImage: str | None = None
    """Full reference of the image of the config reloader; that of the release's sample if not set."""
    retention: PrometheusDuration = "15d"
    """How long metrics are stored, such as `15d`: a number with `h`, `d`, `w` or `y`."""
    resources: Resources = Resources(requests={"cpu": "50m", "memory": "256Mi"})
    """Resource requests and limits of the server."""


class JaegerAddon(PersistentAddon):
    """Jaeger, which collects and shows traces of the mesh."""

    service, port, path = "tracing", 80, JAEGER_PATH

    retention: GoDuration | None = None
    """How long traces are stored, such as `72h`: a number with `h` or `m`; Jaeger's default, 72h, if not set."""
    resources: Resources = Resources(requests={"cpu": "10m", "memory": "128Mi"})
    """Resource requests and limits."""


class LokiAddon(PersistentAddon):
    """Loki, which stores logs that a collector sends to it, such as proxies' access logs. Grafana searches them."""

    service, port, shown_by = "loki", LOKI_PORT, "grafana"

    rulesImage: str | None = None
    """Full reference of the image of the container that copies rules from ConfigMaps; that of the release's sample if
    not set."""
    resources: Resources = Resources(requests={"cpu": "50m", "memory": "256Mi"})
    """Resource requests and limits of the server."""


class GrafanaAddon(PersistentAddon):
    """Grafana, with dashboards for the mesh and Bookinfo."""

    service, port = "grafana", 3000
    login = (
        "user admin, password: {kubectl} get secret grafana --output jsonpath='{{.data.admin-password}}' | base64 -d"
    )
    needs = ("prometheus",)
    secrets = ("grafanaPassword",)

    resources: Resources = Resources(requests={"cpu": "10m", "memory": "64Mi"})
    """Resource requests and limits."""


class KialiAddon(Addon):
    """Kiali, which shows the mesh as a graph."""

    service, port, path = "kiali", KIALI_PORT, KIALI_PATH
    login = "token: {kubectl} create token kiali (or one of your own, to see what you may see)"
    needs = ("prometheus",)
    secrets = ("kialiSigningKey",)

    resources: Resources = Resources(requests={"cpu": "10m", "memory": "64Mi"})
    """Resource requests and limits."""


class Addons(ShortForm):
    """The addons by name. A list of names is short for a map."""

    short_forms = "list of names"

    prometheus: PrometheusAddon | None = None
    """Prometheus, for metrics."""
    jaeger: JaegerAddon | None = None
    """Jaeger, for traces."""
    loki: LokiAddon | None = None
    """Loki, for logs."""
    grafana: GrafanaAddon | None = None
    """Grafana, for dashboards; needs `prometheus`, or an existing one."""
    kiali: KialiAddon | None = None
    """Kiali, for the graph of the mesh; needs `prometheus`, or an existing one."""
    existing: ExistingAddons = ExistingAddons()
    """Existing installations of Prometheus, Jaeger and Grafana, in place of the stack's own; none if not set."""
    insecureDemo: bool = False
    """Whether the addons are as open as in Istio's samples: without logins, and Kiali may change the mesh. Only for a
    local demo."""

    @classmethod
    def expanded(cls, value: Any) -> Any:
        """The map of addons for the short forms: a list of names, or `true`, `false` and null for a single addon."""
        if isinstance(value, list | tuple) and all(isinstance(name, str) for name in value):
            return {name: {} for name in value}
        if not isinstance(value, dict):
            return value
        return {name: addon if name in _NO_ADDONS else _switched(addon) for name, addon in value.items()}

    @property
    def chosen(self) -> Mapping[str, Addon]:
        """The enabled addons by name, in the order of installation."""
        found = {name: getattr(self, name) for name in type(self).model_fields}
        return {name: addon for name, addon in found.items() if isinstance(addon, Addon)}

    @property
    def secrets(self) -> tuple[str, ...]:
        """Names of the config keys in `mesh-addons` that the enabled addons require."""
        return () if self.insecureDemo else tuple(key for addon in self.chosen.values() for key in addon.secrets)

    @property
    def credentials(self) -> tuple[str, ...]:
        """Names of the config keys in `mesh-addons` with the logins to existing programs, which the enabled addons
        use."""
        return tuple(one.secret for one in self.existing.chosen.values() if one.secret and self._askers(one.name))

    def _askers(self, name: str) -> list[str]:
        """The enabled addons that query the addon `name`."""
        return [other for other in ASKED_BY[name] if other in self.chosen]

    def problems(self, ingress: bool) -> Iterator[str]:
        """Problems that depend on several keys. `ingress`: whether the stack has an ingress gateway."""
        hosts: dict[str, str] = {}
        for name, addon in self.chosen.items():
            for other in addon.needs:
                if other not in {**self.chosen, **self.existing.chosen}:
                    where = f"mesh:addons.existing.{other} names an existing one"
                    yield f"mesh:addons.{name}: it needs {other}; add {other} to mesh:addons, unless {where}"
            if addon.host is None:
                continue
            if not ingress:
                yield f"mesh:addons.{name}.host is set, but the stack has no ingress gateway"
            if addon.host.name in hosts:
                yield f"mesh:addons.{name}.host: {addon.host.name} is also the host of {hosts[addon.host.name]}"
            hosts[addon.host.name] = name
        yield from self._existing_problems()

    def _existing_problems(self) -> Iterator[str]:
        """Problems of existing programs: the stack installs the same addon itself, or nothing uses the program."""
        used = {"jaeger": self.existing.collector, "grafana": self.existing.dashboards}
        for name in self.existing.chosen:
            key = f"mesh:addons.existing.{name}"
            if name in self.chosen:
                yield f"{key}: the stack installs {name} itself (mesh:addons.{name}): leave one of them out"
            elif not (self._askers(name) or used.get(name)):
                setting = f", set {_OTHER_USES[name]}" if name in _OTHER_USES else ""
                remedy = f"add {' or '.join(ASKED_BY[name])} to mesh:addons{setting}, or leave it out"
                yield f"{key}: no addon of the stack uses it: {remedy}"


def _switched(addon: Any) -> Any:
    if addon is True or addon is None:
        return {}
    return None if addon is False else addon
