"""The normal form of an object: equal for two manifests with the same effect on a cluster and on istiod."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

import yaml

from mesh.api import MeshConfig, spelling
from mesh.core import kinds, pods, quantities
from mesh.core.kinds import GroupKind
from mesh.proxy.manual import STATUS

Manifest = Mapping[str, Any]

_TOOLS: Final = re.compile(
    r"^(chart|heritage|release|helm\.sh/.*|meta\.helm\.sh/.*|app\.kubernetes\.io/managed-by|.*operator\.istio\.io/.*"
    r"|kubectl\.kubernetes\.io/last-applied-configuration|deployment\.kubernetes\.io/.*|kubernetes\.io/metadata\.name"
    r"|deprecated\.daemonset\.template\.generation|(batch\.kubernetes\.io/)?(controller-uid|job-name)"
    r"|pulumi\.com/.*|mesh/.*)$"
)
"""Labels and annotations of installation tools, which have no effect, and those with which a Job finds its pods."""
_TOKEN: Final = re.compile(r"kube-api-access-\w{5}$")
"""Name of the volume with the token of a Pod's service account."""
_INJECTED: Final = ("initContainers", "containers", "volumes")
_TOLERATED: Final = ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable")
_REQUIRED: Final = "requiredDuringSchedulingIgnoredDuringExecution"
_QUANTITIES: Final = ("cpu", "memory", "storage", "ephemeral-storage", "sizeLimit", "divisor")

_NAMED: Final[Mapping[str, Sequence[str]]] = {
    "containers": ("name",),
    "initContainers": ("name",),
    "env": ("name",),
    "imagePullSecrets": ("name",),
    "ports": ("containerPort", "name", "port"),
    "versions": ("name",),
    "volumeMounts": ("mountPath",),
    "volumes": ("name",),
    "webhooks": ("name",),
}
"""Lists whose items are identified by one of these fields, so that their order does not matter."""

_SETS: Final = frozenset(
    (
        *("verbs", "apiGroups", "apiVersions", "resources", "resourceNames", "nonResourceURLs", "operations"),
        *("accessModes", "categories", "shortNames", "required", "enum", "subjects"),
    )
)
"""Lists of values whose order does not matter."""


@dataclass(frozen=True)
class Amount:
    """A quantity of CPU, memory or storage; compared by value, so that 2000m equals 2."""

    number: Decimal
    text: str = field(compare=False)

    def __str__(self) -> str:
        return self.text


def normal(manifest: Manifest) -> dict[str, Any]:
    """The normal form of a manifest, without status and without the values of Secrets."""
    found: Manifest = {key: value for key, value in manifest.items() if key not in ("metadata", "status")}
    kept = _metadata(manifest["metadata"])
    kind = GroupKind.of(manifest)
    if kind == kinds.POD:
        found = _before_injection(manifest["metadata"], found)
    found = _BY_KIND.get(kind, dict)(found)
    if kind in pods.TEMPLATES:
        found = _with_pods(kind, found)
    own = ".istio.io/" in str(manifest["apiVersion"])
    shaped: dict[str, Any] = _tidy({**found, "metadata": kept}, keep_empty=own, named=not own)
    return shaped


def _before_injection(meta: Manifest, pod: Manifest) -> Manifest:
    """A Pod without the containers and volumes that Istio's injector has added, which notes their names."""
    added = json.loads((meta.get("annotations") or {}).get(STATUS, "{}"))
    spec = {
        part: [one for one in items if one["name"] not in (added.get(part) or ())] if part in _INJECTED else items
        for part, items in pod["spec"].items()
    }
    return {**pod, "spec": spec}


def _metadata(meta: Manifest) -> Manifest:
    """Name, namespace, and the labels and annotations that have an effect."""
    found = {key: meta[key] for key in ("name", "namespace") if meta.get(key)}
    for notes in ("labels", "annotations"):
        found[notes] = {k: v for k, v in (meta.get(notes) or {}).items() if not _TOOLS.match(k)}
    return {key: value for key, value in found.items() if value}


def _tidy(value: Any, keep_empty: bool, named: bool, at: str = "") -> Any:
    """The value without empty fields, with lists of named items as mappings. In Istio's API, empty values and the order
    of lists have a meaning, so that both stay (`keep_empty`, `named`)."""
    if isinstance(value, Mapping):
        pairs = ((str(k), _tidy(v, keep_empty, named, str(k))) for k, v in value.items())
        return {k: v for k, v in pairs if not _is_empty(v, keep_empty)}
    if not isinstance(value, list | tuple):
        return _quantity(value) if at in _QUANTITIES else value
    items = [_tidy(item, keep_empty, named) for item in value]
    if not named:
        return items
    if at in _SETS:
        return sorted(items, key=lambda item: json.dumps(item, sort_keys=True))
    names = [_name(item, _NAMED.get(at, ())) for item in items]
    unique = all(names) and len(set(names)) == len(names)
    return {f"[{name}]": item for name, item in zip(names, items, strict=True)} if unique else items


def _is_empty(value: Any, keep_empty: bool) -> bool:
    return value is None or (not keep_empty and value in ("", {}, []))


def _name(item: Any, fields: Sequence[str]) -> str:
    return next((str(item[f]) for f in fields if f in item), "") if isinstance(item, Mapping) else ""


def _quantity(value: Any) -> Any:
    """The value as an Amount; unchanged if it is not a quantity."""
    try:
        return Amount(quantities.parse(str(value)), str(value))
    except ValueError:
        return value


def _config_map(manifest: Manifest) -> Manifest:
    """A ConfigMap with the YAML and JSON texts of its data parsed, and the mesh configuration's field names in one
    spelling."""
    data = {name: _document(text) for name, text in (manifest.get("data") or {}).items()}
    if isinstance(data.get("mesh"), Mapping):
        data["mesh"] = _one_spelling(data["mesh"])
    return {**manifest, "data": data}


def _one_spelling(config: Mapping[str, Any]) -> dict[str, Any]:
    """A mesh configuration with field names in istiod's own spelling: istiod also reads them in snake case."""
    found = copy.deepcopy(dict(config))
    spelling.respell(MeshConfig, found)  # if a field is present in both spellings, istiod's own one counts
    return found


def _document(text: Any) -> Any:
    try:
        found = yaml.load(text, Loader=yaml.CSafeLoader) if isinstance(text, str) else text
    except yaml.YAMLError:
        return text
    return found if isinstance(found, dict | list) else text


def _secret(manifest: Manifest) -> Manifest:
    """A Secret without its values: only Pulumi knows those of the stack's Secrets."""
    return {key: value for key, value in manifest.items() if key not in ("data", "stringData")}


def _service(manifest: Manifest) -> Manifest:
    spec = manifest.get("spec") or {}
    ports = [{"targetPort": port["port"], **port} for port in spec.get("ports") or []]
    return {**manifest, "spec": {**spec, "ports": ports}}


def _with_pods(kind: GroupKind, manifest: Manifest) -> Manifest:
    """A workload or a Pod, with the normal form of its pod template."""
    if kind == kinds.POD:
        return {**manifest, "spec": _own_pod(_pod(manifest["spec"]))}
    whole = copy.deepcopy(dict(manifest))
    template = pods.template(kind, whole)
    template |= {"metadata": _metadata(template.get("metadata") or {}), "spec": _pod(template["spec"])}
    return whole


def _pod(pod: Manifest) -> Manifest:
    """A pod's spec with the default imagePullPolicy, which depends on the tag, with the limits as requests where there
    are none, and without the deprecated field serviceAccount."""
    spec = {key: value for key, value in pod.items() if key != "serviceAccount"}
    if account := pod.get("serviceAccount"):
        spec.setdefault("serviceAccountName", account)
    for group in ("containers", "initContainers"):
        spec[group] = [_container(one) for one in spec.get(group) or []]
    return _with_node_selector(spec)


def _with_node_selector(spec: dict[str, Any]) -> Manifest:
    """A pod's spec with requirements for a single value of a node's label as node selector: a node affinity can also
    express them."""
    spec = copy.deepcopy(spec)
    required = ((spec.get("affinity") or {}).get("nodeAffinity") or {}).get(_REQUIRED) or {}
    terms = required.get("nodeSelectorTerms") or []
    if len(terms) != 1:
        return spec
    asked = terms[0].get("matchExpressions") or []
    single = [one for one in asked if one.get("operator") == "In" and len(one.get("values") or []) == 1]
    if len(single) < len(asked):
        terms[0]["matchExpressions"] = [one for one in asked if one not in single]
        spec["nodeSelector"] = {**(spec.get("nodeSelector") or {}), **{one["key"]: one["values"][0] for one in single}}
    return spec


def _container(container: Manifest) -> Manifest:
    given = container.get("resources") or {}
    requests = {**(given.get("limits") or {}), **(given.get("requests") or {})}
    policy = _pull_policy(container.get("image", ""))
    return {"imagePullPolicy": policy, **container, "resources": {**given, "requests": requests}}


def _own_pod(spec: Manifest) -> Manifest:
    """The spec of a bare Pod without the additions of admission plugins: the token of its service account, and the
    tolerations of nodes that do not answer."""
    volumes = [one for one in spec.get("volumes") or [] if not _TOKEN.match(one["name"])]
    tolerations = [one for one in spec.get("tolerations") or [] if one.get("key") not in _TOLERATED]
    found = {**spec, "volumes": volumes, "tolerations": tolerations}
    for group in ("containers", "initContainers"):
        found[group] = [
            {**one, "volumeMounts": [m for m in one.get("volumeMounts") or [] if not _TOKEN.match(m["name"])]}
            for one in spec[group]
        ]
    return found


def _job(manifest: Manifest) -> Manifest:
    """A Job with the default number of completions, which depends on the parallelism."""
    spec = manifest["spec"]
    counted = {} if "parallelism" in spec else {"completions": 1}
    return {**manifest, "spec": {**counted, **spec}}


def _stateful_set(manifest: Manifest) -> Manifest:
    """A StatefulSet without the status of its claims."""
    spec = manifest["spec"]
    claims = [{k: v for k, v in one.items() if k != "status"} for one in spec.get("volumeClaimTemplates") or []]
    return {**manifest, "spec": {**spec, "volumeClaimTemplates": claims}}


def _pull_policy(image: str) -> str:
    tag = image.rpartition("/")[2].partition("@")[0].partition(":")[2]
    return "Always" if tag in ("", "latest") and "@" not in image else "IfNotPresent"


def _roles(manifest: Manifest) -> Manifest:
    """A role with sorted rules, since their order does not matter."""
    rules = [_tidy(rule, keep_empty=False, named=True) for rule in manifest.get("rules") or []]
    return {**manifest, "rules": sorted(rules, key=lambda rule: json.dumps(rule, sort_keys=True))}


def _definition(manifest: Manifest) -> Manifest:
    """A definition without descriptions and without the format `string`, which has no meaning; with the default names
    of its kind."""
    spec = _schema(manifest["spec"])
    kind = spec["names"]["kind"]
    names = {"listKind": f"{kind}List", "singular": kind.lower(), **spec["names"]}
    return {**manifest, "spec": {**spec, "names": names}}


def _schema(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {k: _schema(v) for k, v in value.items() if not _is_text(k, v)}
    return [_schema(item) for item in value] if isinstance(value, list) else value


def _is_text(key: str, value: Any) -> bool:
    return (key == "description" and isinstance(value, str)) or (key, value) == ("format", "string")


def _autoscaler(manifest: Manifest) -> Manifest:
    """An autoscaler with metrics in the format of autoscaling/v2."""
    metrics = [_metric(metric) for metric in manifest["spec"].get("metrics") or []]
    return {**manifest, "spec": {**manifest["spec"], "metrics": metrics}}


def _metric(metric: Manifest) -> Manifest:
    old = metric.get("resource") or {}
    if "targetAverageUtilization" not in old:
        return metric
    target = {"type": "Utilization", "averageUtilization": old["targetAverageUtilization"]}
    return {**metric, "resource": {"name": old["name"], "target": target}}


_BY_KIND: Final[Mapping[GroupKind, Callable[[Manifest], Manifest]]] = {
    kinds.CLUSTER_ROLE: _roles,
    kinds.CONFIG_MAP: _config_map,
    kinds.CUSTOM_RESOURCE_DEFINITION: _definition,
    kinds.HORIZONTAL_POD_AUTOSCALER: _autoscaler,
    kinds.JOB: _job,
    kinds.ROLE: _roles,
    kinds.SECRET: _secret,
    kinds.SERVICE: _service,
    kinds.STATEFUL_SET: _stateful_set,
}
