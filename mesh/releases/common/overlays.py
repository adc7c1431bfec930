"""Settings of pods that are merged over a release's templates, as Istio merges `components.*.k8s`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from mesh.core.merge import merged, merged_by
from mesh.proxy.proxy import CONTAINER
from mesh.releases.release import PodTemplate
from mesh.values.gateway import Gateway
from mesh.values.workload import PodSettings


def with_settings(template: PodTemplate, own: PodSettings, main: str) -> PodTemplate:
    """The template with the settings of its pods and of their main container, which is called `main`."""
    spec = dict(template["spec"])
    if own.priorityClassName:
        spec["priorityClassName"] = own.priorityClassName
    if own.securityContext:
        spec["securityContext"] = merged(spec.get("securityContext") or {}, own.securityContext)
    spec["containers"] = [_container(one, own) if one["name"] == main else one for one in spec["containers"]]
    return {**template, "spec": spec}


def _container(body: Mapping[str, Any], own: PodSettings) -> Mapping[str, Any]:
    more: dict[str, Any] = {}
    if own.readinessProbe:
        more["readinessProbe"] = merged(body.get("readinessProbe") or {}, own.readinessProbe)
    if own.envVarFrom:
        more["env"] = with_variables(body.get("env") or (), own.envVarFrom)
    return {**body, **more}


def with_gateway_settings(template: PodTemplate, spec: Gateway) -> PodTemplate:
    """The template of a gateway's pods with further settings of them and of the proxy's container."""
    found = with_settings(template, spec, CONTAINER)
    fields = {
        "initContainers": [*found["spec"].get("initContainers", ()), *spec.initContainers],
        "volumes": [*found["spec"].get("volumes", ()), *spec.volumes],
        "topologySpreadConstraints": [*spec.topologySpreadConstraints],
        "terminationGracePeriodSeconds": spec.terminationGracePeriodSeconds,
        "containers": [_proxy(one, spec) if one["name"] == CONTAINER else one for one in found["spec"]["containers"]],
    }
    given = {name: value for name, value in fields.items() if value not in ([], None)}
    return {**found, "spec": {**found["spec"], **given}}


def _proxy(body: Mapping[str, Any], spec: Gateway) -> Mapping[str, Any]:
    fields = {
        "imagePullPolicy": spec.imagePullPolicy,
        "securityContext": spec.containerSecurityContext,
        "lifecycle": spec.lifecycle,
        "volumeMounts": [*body.get("volumeMounts", ()), *spec.volumeMounts],
    }
    return {**body, **{name: value for name, value in fields.items() if value}}


def with_variables(env: Iterable[Mapping[str, Any]], more: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Environment variables and further ones, which take the places of those with their names: a variable may refer to
    those before it. One with a source has no value besides."""
    return merged_by("name", env, more, whole=True)
