"""Existing installations of Prometheus, Jaeger and Grafana, outside of the stack: `mesh:addons.existing`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Final, Literal

from annotated_types import MinLen
from pydantic import AfterValidator

from mesh.core.errors import show
from mesh.core.kubernetes import Annotations, Labels, Name
from mesh.core.typed import Deciding, Documented, Findings, ShortForm
from mesh.releases.addons import Login

_URL: Final = re.compile(r"https?://[^\s/@?#]+(/[^\s?#]*)?")
_ADDRESS: Final = re.compile(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?:[1-9][0-9]{0,4}")


def _url(value: str) -> str:
    if "@" in value:
        raise ValueError("contains a user name or a password: set login, and the password as a secret of mesh-addons")
    if not _URL.fullmatch(value):
        raise ValueError(f'{show(value)} is not a URL: write it like "http://prometheus.monitoring:9090"')
    return value.rstrip("/")


def _address(value: str) -> str:
    if not _ADDRESS.fullmatch(value):
        raise ValueError(f'{show(value)} is not an address: write it like "otel-collector.monitoring:4317"')
    return value


Url = Annotated[str, AfterValidator(_url), Deciding]


class Existing(ShortForm):
    """An existing program, which the stack does not install."""

    short_forms = "a URL"
    name: ClassVar[str]
    """Its name among the addons."""

    url: Url
    """URL by which pods reach it, such as `http://prometheus.monitoring:9090`."""
    externalUrl: Url | None = None
    """URL for browsers, to which pages of other addons link; no links if not set."""
    login: Literal["none", "basic", "token"] = "none"
    """How Kiali and Grafana log in: not at all, with `user` and a password, or with a bearer token. The password or
    token is a secret of the config, such as `mesh-addons:prometheusPassword` or `mesh-addons:prometheusToken`."""
    user: str | None = None
    """Name of the user, with login `basic`."""

    @classmethod
    def expanded(cls, value: Any) -> Any:
        return {"url": value} if isinstance(value, str) else value

    def check(self) -> Findings:
        if self.login == "basic" and not self.user:
            yield ("user",), "is required with login basic"
        if self.user and self.login != "basic":
            yield ("user",), "is only for login basic"

    @property
    def as_login(self) -> Login | None:
        """How Kiali and Grafana log in; None if they do not."""
        return None if self.login == "none" else Login(kind=self.login, user=self.user or "")

    @property
    def secret(self) -> str:
        """Name of the config key in `mesh-addons` with the password or the token; empty without a login."""
        login = self.as_login
        return f"{self.name}{login.part.title()}" if login else ""


class ExistingPrometheus(Existing):
    """An existing Prometheus, which scrapes the mesh."""

    name = "prometheus"


class Dashboards(ShortForm):
    """Where the ConfigMaps with the dashboards of the mesh go, and how the sidecar of Grafana's chart finds them."""

    short_forms = "a namespace"

    namespace: Name
    """Namespace in which the sidecar looks for ConfigMaps: Istio's, or one that the stack declares."""
    labels: Annotated[Labels, MinLen(1)] = {"grafana_dashboard": "1"}
    """Labels that the sidecar looks for."""
    annotations: Annotations = {}
    """Annotations, such as the one from which the sidecar reads the name of a folder: `{ grafana_folder: Istio }`."""

    @classmethod
    def expanded(cls, value: Any) -> Any:
        return {"namespace": value} if isinstance(value, str) else value


class ExistingGrafana(Existing):
    """An existing Grafana."""

    name = "grafana"

    dashboards: Dashboards | None = None
    """ConfigMaps with the dashboards of the mesh, for its sidecar; none if not set."""


class ExistingJaeger(Existing):
    """An existing Jaeger, or a program with the same interfaces."""

    name = "jaeger"

    collector: Annotated[str, AfterValidator(_address), Deciding] | None = None
    """`host:port` to which proxies send spans: with Istio 1.30 by OTLP over gRPC, to a service that the mesh knows;
    with 1.10 in Zipkin's format. If not set, the proxies send it no spans."""


class ExistingAddons(Documented):
    """Existing programs, each in place of the stack's own addon of the same name."""

    prometheus: ExistingPrometheus | None = None
    """Prometheus, which Kiali and Grafana query."""
    jaeger: ExistingJaeger | None = None
    """Jaeger, which Kiali queries and to which proxies may send spans."""
    grafana: ExistingGrafana | None = None
    """Grafana, to which Kiali links, and which may show the dashboards of the mesh."""

    @property
    def chosen(self) -> Mapping[str, Existing]:
        """The existing programs that are set, by name."""
        found = (self.prometheus, self.jaeger, self.grafana)
        return {one.name: one for one in found if one}

    @property
    def dashboards(self) -> Dashboards | None:
        """Where the dashboards go; None if no Grafana gets them."""
        return self.grafana.dashboards if self.grafana else None

    @property
    def collector(self) -> str:
        """`host:port` to which proxies send spans; empty if it is not set."""
        return (self.jaeger.collector if self.jaeger else None) or ""
