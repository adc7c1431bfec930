"""What a stack can say of its addons."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar, Final

from pydantic import AfterValidator, Field, field_validator

from mesh.core.errors import show
from mesh.core.kubernetes import ObjectName, Resources, Size
from mesh.core.typed import Documented, ShortForm

SECRETS: Final = "mesh-addons"
"""The config namespace of passwords and keys alone; apart from `mesh`, so that no message about settings shows one."""


def _period(units: str, *examples: str) -> AfterValidator:
    """A check of numbers with these units, a regular expression."""
    pattern = re.compile(rf"([0-9]+({units}))+")

    def checked(value: str) -> str:
        if not pattern.fullmatch(value):
            raise ValueError(f'{show(value)} is not a period: write it like "{examples[0]}" or "{examples[1]}"')
        return value

    return AfterValidator(checked)


PrometheusPeriod = Annotated[str, _period("ms|s|m|h|d|w|y", "15d", "12h")]
GoPeriod = Annotated[str, _period("s|m|h", "72h", "90m")]
HostName = Annotated[
    str, Field(pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)+$", max_length=253)
]


class Persistence(Documented):
    """A volume that outlives the pod. `down` removes it with its data."""

    size: Size
    """How much it holds, such as `10Gi`."""
    storageClass: ObjectName | None = None
    """Class of the volume; the cluster's default if not set."""


class Host(ShortForm):
    """A way in from outside, through the ingress gateway."""

    short_forms = "a host name"

    name: HostName
    """The host that visitors ask for; nobody else's in the mesh."""
    certificate: str | None = None
    """A TLS Secret in the ingress gateway's namespace. Without it, what visitors send and read goes in clear."""

    @property
    def url(self) -> str:
        """What a browser asks for."""
        return f"{'https' if self.certificate else 'http'}://{self.name}"


class Addon(ShortForm):
    """What all addons have in common."""

    short_forms = "true, false"
    needs: ClassVar[tuple[str, ...]] = ()
    """Addons without which it is of no use."""
    service: ClassVar[str]
    """The Service of its pages."""
    port: ClassVar[int]
    """The Service's port for them."""
    path: ClassVar[str] = ""
    """Under which they are."""
    login: ClassVar[str] = ""
    """How one gets in, as a command that begins with `{kubectl}`; nothing where everybody does."""
    secrets: ClassVar[tuple[str, ...]] = ()
    """Passwords and keys that it needs unless the stack wants it open, by their names in the config."""

    image: str | None = None
    """Full reference of its image; that of the release's sample if not set."""
    host: Host | None = None
    """The host under which it is reached from outside; not at all if not set."""

    @field_validator("host", mode="before")
    @classmethod
    def _name_alone(cls, value: Any) -> Any:
        return {"name": value} if isinstance(value, str) else value


class PersistentAddon(Addon):
    """One that keeps what it has collected, or what was made in it."""

    persistence: Persistence | None = None
    """A volume for that; otherwise it is gone with the pod."""


class PrometheusAddon(PersistentAddon):
    """Prometheus, which collects what proxies and istiod measure."""

    service, port = "prometheus", 9090

    reloadImage: str | None = None
    """Full reference of the image that tells Prometheus of a changed configuration."""
    retention: PrometheusPeriod = "15d"
    """For how long it keeps what it has collected: a number and `h`, `d`, `w` or `y`."""
    resources: Resources = Resources(requests={"cpu": "50m", "memory": "256Mi"})
    """Requests and limits of the server."""


class JaegerAddon(PersistentAddon):
    """Jaeger, which collects and shows the mesh's traces."""

    service, port, path = "tracing", 80, "/jaeger"

    retention: GoPeriod | None = None
    """For how long it keeps traces: a number and `h` or `m`; Jaeger's own 72h if not set."""
    resources: Resources = Resources(requests={"cpu": "10m", "memory": "128Mi"})
    """Requests and limits."""


class GrafanaAddon(PersistentAddon):
    """Grafana, with dashboards of the mesh and of Bookinfo."""

    service, port = "grafana", 3000
    login = (
        "user admin, password: {kubectl} get secret grafana --output jsonpath='{{.data.admin-password}}' | base64 -d"
    )
    needs = ("prometheus",)
    secrets = ("grafanaPassword",)

    resources: Resources = Resources(requests={"cpu": "10m", "memory": "64Mi"})
    """Requests and limits."""


class KialiAddon(Addon):
    """Kiali, which shows the mesh as a graph."""

    service, port, path = "kiali", 20001, "/kiali"
    login = "token: {kubectl} create token kiali (or one of your own, to see what you may see)"
    needs = ("prometheus",)
    secrets = ("kialiSigningKey",)

    resources: Resources = Resources(requests={"cpu": "10m", "memory": "64Mi"})
    """Requests and limits."""


class Addons(ShortForm):
    """The addons by their names, in the order in which they are installed; a list of names stands for a map."""

    short_forms = "list of names"

    prometheus: PrometheusAddon | None = None
    """Metrics."""
    jaeger: JaegerAddon | None = None
    """Traces."""
    grafana: GrafanaAddon | None = None
    """Dashboards; needs Prometheus."""
    kiali: KialiAddon | None = None
    """The graph of the mesh; needs Prometheus."""
    insecureDemo: bool = False
    """Whether the addons are as open as in Istio's samples: no logins, and Kiali may change the mesh. For a laptop."""

    @property
    def chosen(self) -> Mapping[str, Addon]:
        """Those that are wanted, by name."""
        found = {name: getattr(self, name) for name in type(self).model_fields}
        return {name: addon for name, addon in found.items() if isinstance(addon, Addon)}

    @property
    def secrets(self) -> tuple[str, ...]:
        """The passwords and keys that are needed."""
        return () if self.insecureDemo else tuple(key for addon in self.chosen.values() for key in addon.secrets)

    def problems(self, ingress: bool) -> Iterator[str]:
        """What no single key can know is wrong; `ingress`: whether there is a gateway to come in through."""
        hosts: dict[str, str] = {}
        for name, addon in self.chosen.items():
            for other in addon.needs:
                if other not in self.chosen:
                    yield f"mesh:addons.{name}: it is of no use without {other}; add {other} to mesh:addons"
            if addon.host is None:
                continue
            if not ingress:
                yield f"mesh:addons.{name}.host is set, but there is no ingress gateway to come in through"
            if addon.host.name in hosts:
                yield f"mesh:addons.{name}.host: {addon.host.name} is also the host of {hosts[addon.host.name]}"
            hosts[addon.host.name] = name


def expanded(value: Any) -> Any:
    """The map of addons for what may stand for it: a list of names; `true` or nothing for an addon as it is."""
    if isinstance(value, list | tuple) and all(isinstance(name, str) for name in value):
        return {name: {} for name in value}
    if not isinstance(value, dict):
        return value
    return {name: how if name == "insecureDemo" else _switched(how) for name, how in value.items()}


def _switched(how: Any) -> Any:
    if how is True or how is None:
        return {}
    return None if how is False else how
