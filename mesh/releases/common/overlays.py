"""Settings of pods that are merged over what a release's templates say, as Istio merges `components.*.k8s`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from mesh.core.merge import merged, merged_by
from mesh.releases.release import PodTemplate
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


def with_variables(env: Iterable[Mapping[str, Any]], more: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Environment variables and further ones, which take the places of those with their names: a variable may refer to
    those before it. One with a source has no value besides."""
    return merged_by("name", env, more, whole=True)
