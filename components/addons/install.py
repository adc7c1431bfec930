"""Installs the addons of a stack, and passes the URLs of the others to each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pulumi

from components.addons.addon import Addon, AddonArgs
from components.addons.dashboards import Dashboards
from components.addons.grafana import Grafana
from components.addons.jaeger import Jaeger
from components.addons.kiali import Kiali
from components.addons.loki import Loki
from components.addons.prometheus import Prometheus
from mesh.config.addons import ASKED_BY, Addons
from mesh.config.settings import INGRESS
from mesh.releases.release import Installation

COMPONENTS: Final[Mapping[str, Callable[[str, AddonArgs[Any], pulumi.ResourceOptions], Addon[Any]]]] = {
    "prometheus": Prometheus,
    "jaeger": Jaeger,
    "loki": Loki,
    "grafana": Grafana,
    "kiali": Kiali,
}
"""The component of each addon in `mesh:addons`."""

OPEN: Final = (
    "mesh:addons.insecureDemo: whoever reaches Grafana is its administrator, and whoever reaches Kiali can change the"
    " mesh: there is no login, and Kiali's signing key is publicly known. Use it on a laptop only"
)


@dataclass(frozen=True, kw_only=True)
class AddonsArgs:
    """Arguments of `install`."""

    mesh: Installation
    namespace: pulumi.Input[str]
    """Name of Istio's namespace, known when that exists."""
    namespaces: Mapping[str, pulumi.Input[str]]
    """The name of each namespace of the stack, known when that exists."""
    addons: Addons
    """The settings in `mesh:addons`."""
    api: Sequence[pulumi.Resource]
    """Istio's custom resource definitions and the validation webhook: custom resources are created after these."""


def _warnings(addons: Addons) -> Iterator[str]:
    """A warning for each addon that the stack opens to others without login or encryption."""
    if addons.insecureDemo and addons.chosen:
        yield OPEN
    for name, addon in addons.chosen.items():
        key, host = f"mesh:addons.{name}.host", addon.host
        if host and not addon.login:
            yield f"{key}: {name} has no login, so whoever reaches {host.name} can read everything"
        if host and not host.certificate:
            yield f"{key}: there is no certificate, so traffic between visitors and {host.name} is not encrypted"


def install(args: AddonsArgs, opts: pulumi.ResourceOptions) -> dict[str, Addon[Any]]:
    """Installs the addons that the stack enables, and returns them by name. Each gets the URLs of those before it."""
    installed: dict[str, Addon[Any]] = {}
    chosen = args.addons.chosen
    for text in _warnings(args.addons):
        pulumi.log.warn(text)
    gateway = args.mesh.values.gateways.get(INGRESS)
    existing = args.addons.existing.chosen
    external_urls = {
        **{name: one.externalUrl for name, one in existing.items() if one.externalUrl},
        **{name: addon.host.url for name, addon in chosen.items() if addon.host},
    }
    there = {name: pulumi.Output.from_input(one.url) for name, one in existing.items()}
    for name, addon in chosen.items():
        of_one: AddonArgs[Any] = AddonArgs(
            mesh=args.mesh,
            namespace=args.namespace,
            settings=addon,
            insecure=args.addons.insecureDemo,
            urls={**there, **{earlier: other.url for earlier, other in installed.items()}},
            external_urls=external_urls,
            existing={other: one for other, one in existing.items() if name in ASKED_BY[other]},
            api=args.api,
            ingress=gateway.selector(INGRESS) if gateway else {},
        )
        installed[name] = COMPONENTS[name](name, of_one, opts)
    if wanted := args.addons.existing.dashboards:
        sample, namespace = args.mesh.release.addons.grafana, args.namespaces[wanted.namespace]
        Dashboards("dashboards", sample, args.mesh.root, wanted, namespace, opts)
    return installed
