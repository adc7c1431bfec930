"""Intended differences from Istio's own installation, which docs/differences.md explains."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from commands.parity.compare import Difference
from mesh.core import kinds, secure
from mesh.core.diff import ABSENT
from mesh.core.names import INJECTOR

Test = Callable[[Difference], bool]

UNUSED: Final = frozenset(("grpc-simple", "grpc-agent", "agentgateway"))
"""Injection templates for proxies that nothing here asks for."""
DEFAULT_TAG: Final = frozenset(("istio-revision-tag-default", "istiod-default-validator"))
"""The webhooks of the tag `default`."""


def reason(found: Difference) -> str:
    """The reason why a difference is intended; empty if it is not."""
    said = f"by {found.by}" if found.by else ""
    return said or next((why for why, holds in REASONS.items() if holds(found)), "")


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


def _added_notes(found: Difference) -> bool:
    notes = re.match(r"metadata\.(labels|annotations)\b", found.path)
    return bool(notes) and found.ours is ABSENT


def _encrypted(found: Difference) -> bool:
    return isinstance(found.ours, str) and bool(secure.key_of(found.ours)) and found.theirs is not ABSENT


REASONS: Final[dict[str, Test]] = {
    "the old version of the API is gone since Kubernetes 1.25 and 1.26": _newer_api,
    "nothing here reads IstioOperator": _operator,
    "injection templates are compared by what they inject, see docs/injection.md": _template,
    "templates for gRPC without a proxy and for agentgateway are left out": _unused_template,
    "`istioctl manifest generate` leaves out the default tag, which `istioctl install` makes": _default_tag,
    "a stack makes its namespaces": _namespace,
    "labels and annotations of others stay": _added_notes,
    "encrypted values are not compared": _encrypted,
}
"""The tests of intended differences by their reasons; the first that holds counts."""
