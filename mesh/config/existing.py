"""Prometheus, Jaeger and Grafana that are there already, outside of the stack: `mesh:addons.existing`."""

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
        raise ValueError("has a name or a password in it: set login, and the password as a secret of mesh-addons")
    if not _URL.fullmatch(value):
        raise ValueError(f'{show(value)} is no URL: write it like "http://prometheus.monitoring:9090"')
    return value.rstrip("/")


def _address(value: str) -> str:
    if not _ADDRESS.fullmatch(value):
        raise ValueError(f'{show(value)} is no address: write it like "otel-collector.monitoring:4317"')
    return value


Url = Annotated[str, AfterValidator(_url), Deciding]


class Existing(ShortForm):
    """A program that is there already."""

    short_forms = "a URL"
    name: ClassVar[str]
    """Its name among the addons."""

    url: Url
    """URL by which pods reach it, such as `http://prometheus.monitoring:9090`."""
    externalUrl: Url | None = None
    """URL for browsers, to which pages link; no links if not set."""
    login: Literal["none", "basic", "token"] = "none"
    """How Kiali and Grafana log in: not, by `user` and password, or by a bearer token. The password or token is a
    secret of the config, such as `mesh-addons:prometheusPassword` or `mesh-addons:prometheusToken`."""
    user: str | None = None
    """Name of the user, with login `basic`."""

    @classmethod
    def expanded(cls, value: Any) -> Any:
        return {"url": value} if isinstance(value, str) else value

    def check(self) -> Findings:
        if self.login == "basic" and not self.user:
            yield ("user",), "is required with login basic"
        if self.user and self.login != "basic":
            yield ("user",), "is for login basic"

    @property
    def as_login(self) -> Login | None:
        """How others log in; None if not."""
        return None if self.login == "none" else Login(kind=self.login, user=self.user or "")

    @property
    def secret(self) -> str:
        """Name of the config key in `mesh-addons` with the password or the token; empty without a login."""
        login = self.as_login
        return f"{self.name}{login.part.title()}" if login else ""


class ExistingPrometheus(Existing):
    """A Prometheus that is there already, and scrapes the mesh."""

    name = "prometheus"


class Dashboards(ShortForm):
    """Where the ConfigMaps with the dashboards of the mesh go, and how the sidecar of Grafana's chart finds them."""

    short_forms = "a namespace"

    namespace: Name
    """Namespace in which the sidecar looks for ConfigMaps: Istio's, or one that the stack declares."""
    labels: Annotated[Labels, MinLen(1)] = {"grafana_dashboard": "1"}
    """Labels that the sidecar looks for."""
    annotations: Annotations = {}
    """Annotations, such as the one that the sidecar is told to read a folder from: `{ grafana_folder: Istio }`."""

    @classmethod
    def expanded(cls, value: Any) -> Any:
        return {"namespace": value} if isinstance(value, str) else value


class ExistingGrafana(Existing):
    """A Grafana that is there already."""

    name = "grafana"

    dashboards: Dashboards | None = None
    """ConfigMaps with our dashboards for its sidecar; none if not set."""


class ExistingJaeger(Existing):
    """A Jaeger, or what speaks as it does, that is there already."""

    name = "jaeger"

    collector: Annotated[str, AfterValidator(_address), Deciding] | None = None
    """`host:port` to which proxies send spans: in Istio 1.30 by OTLP over gRPC to a service that the mesh knows, in
    1.10 in Zipkin's format; elsewhere, or nowhere, if not set."""


class ExistingAddons(Documented):
    """What is there already, and takes the place of the stack's own addon of the name."""

    prometheus: ExistingPrometheus | None = None
    """Prometheus, which Kiali and Grafana ask."""
    jaeger: ExistingJaeger | None = None
    """Jaeger, which Kiali asks and to which proxies may send spans."""
    grafana: ExistingGrafana | None = None
    """Grafana, to which Kiali links, and which may show the dashboards of the mesh."""

    @property
    def chosen(self) -> Mapping[str, Existing]:
        """Those that are set, by name."""
        found = (self.prometheus, self.jaeger, self.grafana)
        return {one.name: one for one in found if one}

    @property
    def dashboards(self) -> Dashboards | None:
        """Where dashboards go; None if nowhere."""
        return self.grafana.dashboards if self.grafana else None

    @property
    def collector(self) -> str:
        """`host:port` to which proxies send spans; empty if nothing is said of it."""
        return (self.jaeger.collector if self.jaeger else None) or ""
