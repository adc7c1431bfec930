"""Intended differences from Istio's own installation, and the tables of docs/differences.md."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from commands.parity.compare import Difference
from mesh.core import kinds, secure
from mesh.core.diff import ABSENT
from mesh.core.names import INJECTOR, ZIPKIN, ZIPKIN_PORT
from mesh.proxy.proxy import USER

Test = Callable[[Difference], bool]

UNUSED: Final = frozenset(("grpc-simple", "grpc-agent", "agentgateway"))
"""Injection templates for kinds of proxies that nothing here uses."""
DEFAULT_TAG: Final = frozenset(("istio-revision-tag-default", "istiod-default-validator"))
"""The webhooks of the tag `default`."""
_PROBE: Final = re.compile(r"spec\.containers\[.*\]\.\w+Probe\.(httpGet|tcpSocket|grpc)\b")
"""The target of a probe: injection redirects the probes of a Pod to the agent."""


def _newer_api(found: Difference) -> bool:
    versions = ("policy/v1beta1", "autoscaling/v2beta1", "autoscaling/v2beta2")
    return found.path == "apiVersion" and found.theirs in versions


def _operator(found: Difference) -> bool:
    only_theirs = found.whole and found.ours is ABSENT
    return only_theirs and "install.istio.io" in (found.object.kind.group, _group(found.theirs))


def _group(definition: Any) -> str:
    return str((definition.get("spec") or {}).get("group", ""))


def _template(found: Difference) -> bool:
    texts = isinstance(found.theirs, str) and isinstance(found.ours, str)
    injector = found.object.name.startswith(INJECTOR) and found.object.kind == kinds.CONFIG_MAP
    return injector and texts and found.path.startswith("data.config.templates.")


def _unused_template(found: Difference) -> bool:
    injector = found.object.name.startswith(INJECTOR) and found.object.kind == kinds.CONFIG_MAP
    return injector and found.ours is ABSENT and found.path in {f"data.config.templates.{name}" for name in UNUSED}


def _default_tag(found: Difference) -> bool:
    webhooks = (kinds.MUTATING_WEBHOOK, kinds.VALIDATING_WEBHOOK)
    return found.whole and found.theirs is ABSENT and found.object.kind in webhooks and found.object.name in DEFAULT_TAG


def _namespace(found: Difference) -> bool:
    return found.whole and found.object.kind == kinds.NAMESPACE and found.theirs is ABSENT


def _injected_pod(found: Difference) -> bool:
    if found.object.kind != kinds.POD:
        return False
    group = found.path == "spec.securityContext.fsGroup" and found.theirs == USER
    alone = found.path == "spec.securityContext" and found.theirs == {"fsGroup": USER} and found.ours is ABSENT
    return group or alone or bool(_PROBE.match(found.path))


def _added_notes(found: Difference) -> bool:
    notes = re.match(r"metadata\.(labels|annotations)\b", found.path)
    return bool(notes) and found.ours is ABSENT


def _encrypted(found: Difference) -> bool:
    return isinstance(found.ours, str) and bool(secure.key_of(found.ours)) and found.theirs is not ABSENT


def _own_service(found: Difference) -> bool:
    path = re.fullmatch(r"webhooks\[.*\]\.clientConfig\.service\.name", found.path)
    ours = str(found.ours)
    return bool(path) and found.object.kind == kinds.VALIDATING_WEBHOOK and ours.startswith(f"{found.theirs}-")


def _told_annotations(found: Difference) -> bool:
    env = r"spec\.template\.spec\.containers\[.*\]\.env\[ISTIO_METAJSON_ANNOTATIONS\](\.value)?"
    if found.object.kind != kinds.DEPLOYMENT or not re.fullmatch(env, found.path) or found.ours is ABSENT:
        return False
    return found.theirs is ABSENT or _pairs(found.theirs) <= _pairs(found.ours)


def _pairs(text: Any) -> set[tuple[str, str]]:
    """The annotations in a variable's value."""
    return set(json.loads(text).items())


def _default_tracer(found: Difference) -> bool:
    if not found.path.endswith(".defaultConfig.tracing.zipkin") or found.ours is not ABSENT:
        return False
    return bool(found.theirs == {"address": f"{ZIPKIN}.{found.object.namespace}:{ZIPKIN_PORT}"})


@dataclass(frozen=True, kw_only=True)
class Intended:
    """A difference that is on purpose: a row of docs/differences.md."""

    here: str
    """The behavior of this project, in Markdown."""
    istio: str = ""
    """The behavior of Istio's own installation, in Markdown."""
    why: str = ""
    """The reason, in Markdown."""
    said: str = ""
    """The reason that `make parity` prints for such a difference."""
    holds: Test | None = None
    """Whether a difference is one of these. None if there is nothing to recognize: the normal form hides the
    difference, or a setting removes it."""


ALWAYS: Final = (
    Intended(
        here="`policy/v1`, `autoscaling/v2`",
        istio="`policy/v1beta1`, `autoscaling/v2beta1`",
        why="the old versions were removed in Kubernetes 1.25 and 1.26",
        said="the old versions of the API were removed in Kubernetes 1.25 and 1.26",
        holds=_newer_api,
    ),
    Intended(
        here="`caBundle`, and the validation's `failurePolicy`, are not set",
        istio="empty, and `Ignore`",
        why="istiod sets them; two writers would be drift",
    ),
    Intended(
        here="no definition of IstioOperator",
        istio="it has one",
        why="nothing on a cluster reads it; [`make import`](import.md) reads the file",
        said="nothing on a cluster reads IstioOperator",
        holds=_operator,
    ),
    Intended(
        here="definitions have other descriptions, and no `format: string`",
        why="this format does not exist, and API servers warn about it",
    ),
    Intended(
        here="no labels that only tell which tool installed an object",
        istio="`install.operator.istio.io/…`, `operator.istio.io/…`, `release`",
        why="no such tool was used",
        said="labels and annotations that the stack does not set stay",
        holds=_added_notes,
    ),
    Intended(
        here="injection templates with another text",
        why="they are generated from the model of the proxy, and inject the same, see [injection.md](injection.md)",
        said="injection templates are compared by what they inject, see docs/injection.md",
        holds=_template,
    ),
    Intended(
        here="no injection templates `grpc-simple`, `grpc-agent` and `agentgateway` (1.30)",
        istio="it has them",
        why="nothing here uses these kinds of proxies",
        said="templates for gRPC without a proxy and for agentgateway are left out",
        holds=_unused_template,
    ),
    Intended(
        here="the webhooks of the tag `default` (1.30)",
        istio="`istioctl install` makes them, `istioctl manifest generate` does not print them",
        why="without them istiod validates only objects that name its revision",
        said="`istioctl manifest generate` leaves out the default tag, which `istioctl install` makes",
        holds=_default_tag,
    ),
    Intended(
        here="beside newer definitions, the validation webhook of 1.10 is only for `v1alpha3` and `v1beta1`",
        istio="it is for all versions",
        why="it refuses versions that it does not know, no matter who writes them ([upgrade.md](upgrade.md))",
    ),
    Intended(
        here="the namespaces belong to the stack, and carry its marks",
        istio="`istioctl manifest generate` does not print them",
        why="see [state.md](state.md)",
        said="the stack creates its namespaces",
        holds=_namespace,
    ),
    Intended(
        here="a bare Pod is as its manifest says",
        istio="injection adds to it, and changes its probes and `fsGroup`",
        why="it stays as it is until it changes itself ([apps.md](apps.md))",
        said="istiod injects Pods",
        holds=_injected_pod,
    ),
    Intended(
        here="annotations `pulumi.com/waitFor`, `pulumi.com/skipAwait` and `mesh/digest` on Services and webhooks",
        why="see [Readiness and order](readiness.md)",
    ),
    Intended(
        here="encrypted values",
        istio="any value",
        why="only Pulumi can decrypt them, so they are not compared",
        said="encrypted values are not compared",
        holds=_encrypted,
    ),
)
"""Differences in every installation."""

BY_SETTINGS: Final = (
    Intended(
        here="with a revision, validation asks the Service `istiod-<revision>`",
        istio="always `istiod`",
        why="without a default revision nothing would answer there, and nothing would be validated",
        said="with a revision, validation asks the Service of that revision",
        holds=_own_service,
    ),
    Intended(
        here="a further gateway has the labels `app: <name>` and `istio: <name without istio->`",
        istio="the labels of Istio's own gateway of its kind",
        why="otherwise its Service and Deployment would select the pods of that gateway; `labels` sets others",
    ),
    Intended(
        here="a further gateway has the defaults of Istio's own gateway of its kind",
        istio="it also gets the profile's changes to that gateway in `values`, such as the autoscaler's limits",
        why="all its defaults are in one table; `make import` writes the settings for the changes",
    ),
    Intended(
        here="annotations of a gateway's pods are also passed to istiod",
        istio="only if they are given in `values`, not in `k8s`",
        why="there is only one setting for them here",
        said="annotations of a gateway's pods are also passed to istiod",
        holds=_told_annotations,
    ),
    Intended(
        here="a tracer in `meshConfig.defaultConfig.tracing` replaces the default one",
        istio="both are set, and istiod refuses them, unless `global.proxy.tracer` names the tracer, too",
        said="a tracer replaces the default one",
        holds=_default_tracer,
    ),
    Intended(
        here="`pilot.traceSampling` takes effect in every profile",
        istio="profile demo keeps its 100 regardless of `values`, since it sets the pods' `PILOT_TRACE_SAMPLING`",
        why="the stack file overrides its profile",
    ),
    Intended(
        here="with `pilot.enabled: false` there is no validation webhook",
        istio="it stays, and calls an istiod that does not exist",
        why="it would admit everything, or nothing",
    ),
    Intended(
        here="`cni.resources` and `cni.pullPolicy` apply to all containers of the plugin's pods",
        istio="those in `components.cni.k8s` apply to the installer only",
        why="there is only one setting for them here",
    ),
    Intended(
        here="a node selector in `values` becomes a node selector of the pods",
        istio="it becomes a node affinity",
        why="the effect is the same",
    ),
    Intended(here="the network plugin's configuration is the same JSON with other line breaks"),
    Intended(
        here="profiles for a control plane elsewhere are refused without its [address or URL](clusters.md)",
        istio="they are installed",
        why="the injection webhook would call nothing, and all pods would be refused",
    ),
    Intended(
        here="a host name as `remotePilotAddress` beside an istiod is refused",
        istio="it creates Endpoints with the name as an IP address",
        why="the API server refuses these",
    ),
    Intended(
        here="without an istiod here, the injection values say so (`global.enabled`, `global.externalIstiod`)",
        istio="both are true",
        why="no template reads them",
    ),
)
"""Differences that depend on settings that differ from the profile."""


def reason(found: Difference) -> str:
    """The reason why a difference is intended; empty if it is not."""
    said = f"by {found.by}" if found.by else ""
    return said or next((one.said for one in (*ALWAYS, *BY_SETTINGS) if one.holds and one.holds(found)), "")
