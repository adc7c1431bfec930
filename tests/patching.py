"""Drawn objects and patches, for the comparison of merges with Kubernetes' own."""

from __future__ import annotations

from typing import Any, Final

from hypothesis import strategies as st

Data = dict[str, Any]

NAMES: Final = ("a", "b", "c", "d")
PORTS: Final = (80, 81, 82, 83)
DELETE: Final[Data] = {"$patch": "delete"}
REPLACE: Final[Data] = {"$patch": "replace"}


def _texts(draw: st.DrawFn) -> Data:
    return draw(st.dictionaries(st.sampled_from(NAMES), st.sampled_from(("x", "y")), max_size=3))


def _some(draw: st.DrawFn, values: tuple[Any, ...]) -> list[Any]:
    return draw(st.lists(st.sampled_from(values), unique=True, max_size=3))


def _maybe(draw: st.DrawFn, body: Data) -> Data:
    """Some of the fields."""
    return {key: value for key, value in body.items() if draw(st.booleans())}


def _container(draw: st.DrawFn, name: str) -> Data:
    fields = {
        "args": _some(draw, NAMES),
        "env": [{"name": one, "value": draw(st.sampled_from(NAMES))} for one in _some(draw, NAMES)],
        "image": draw(st.sampled_from(NAMES)),
        "ports": [{"containerPort": one, "name": f"p{one}"} for one in _some(draw, PORTS)],
        "resources": {"limits": _maybe(draw, {"cpu": "1", "memory": "1Gi"})},
        "volumeMounts": [{"mountPath": f"/{one}", "name": one} for one in _some(draw, NAMES)],
    }
    return {"name": name, **_maybe(draw, fields)}


def _pod(draw: st.DrawFn) -> Data:
    fields = {
        "hostAliases": [{"ip": f"10.0.0.{one}", "hostnames": _some(draw, NAMES)} for one in _some(draw, PORTS)],
        "imagePullSecrets": [{"name": one} for one in _some(draw, NAMES)],
        "initContainers": [_container(draw, one) for one in _some(draw, NAMES)],
        "nodeSelector": _texts(draw),
        "priorityClassName": draw(st.sampled_from(NAMES)),
        "tolerations": [{"key": one, "operator": "Exists"} for one in _some(draw, NAMES)],
        "topologySpreadConstraints": [
            {"topologyKey": one, "maxSkew": 1, "whenUnsatisfiable": "DoNotSchedule"} for one in _some(draw, NAMES)
        ],
        "volumes": [{"name": one, draw(st.sampled_from(("emptyDir", "configMap"))): {}} for one in _some(draw, NAMES)],
    }
    return {"containers": [_container(draw, one) for one in _some(draw, NAMES)], **_maybe(draw, fields)}


def _deployment(draw: st.DrawFn) -> Data:
    template = {"metadata": {"labels": _texts(draw), "annotations": _texts(draw)}, "spec": _pod(draw)}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "front", "namespace": "shop", **_maybe(draw, {"labels": _texts(draw)})},
        "spec": {**_maybe(draw, {"replicas": 2, "strategy": {"type": "Recreate"}}), "template": template},
    }


def _service(draw: st.DrawFn) -> Data:
    ports = [
        {"port": one, "name": f"p{one}", "targetPort": one + draw(st.integers(0, 1))} for one in _some(draw, PORTS)
    ]
    spec = {"ports": ports, "selector": _texts(draw), "externalIPs": _some(draw, NAMES)}
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "front", "namespace": "shop"},
        "spec": _maybe(draw, spec),
    }


def _account(draw: st.DrawFn) -> Data:
    fields = {
        "secrets": [{"name": one} for one in _some(draw, NAMES)],
        "imagePullSecrets": [{"name": one} for one in _some(draw, NAMES)],
        "automountServiceAccountToken": draw(st.booleans()),
    }
    return {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": {"name": "front", "namespace": "shop"},
        **_maybe(draw, fields),
    }


def _webhooks(draw: st.DrawFn) -> Data:
    hooks = [
        {
            "name": f"{one}.example.com",
            "timeoutSeconds": draw(st.integers(1, 3)),
            "clientConfig": {"url": f"https://{one}.example.com"},
            "admissionReviewVersions": _some(draw, NAMES),
            "sideEffects": "None",
        }
        for one in _some(draw, NAMES)
    ]
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "MutatingWebhookConfiguration",
        "metadata": {"name": "front"},
        **_maybe(draw, {"webhooks": hooks}),
    }


def _budget(draw: st.DrawFn) -> Data:
    spec = _maybe(draw, {"minAvailable": 1, "selector": {"matchLabels": _texts(draw)}})
    return {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": "front"}, "spec": spec}


_KINDS: Final = (_deployment, _deployment, _deployment, _service, _account, _webhooks, _budget)
_KEYS: Final = ("containerPort", "port", "mountPath", "ip", "topologyKey", "name")
_WHOLE: Final = ("tolerations", "externalIPs", "args", "hostnames", "admissionReviewVersions")
"""Lists that have no merge key; the pull secrets of an account have none either."""
_FIXED: Final = ("apiVersion", "kind", "metadata")


def _as_patch(draw: st.DrawFn, value: Any, name: str = "", of_account: bool = False) -> Any:
    """A part of another object as a part of a patch: with nulls, replacements, and items to remove."""
    if isinstance(value, list):
        whole = name in _WHOLE or (of_account and name == "imagePullSecrets")
        return value if whole else _as_list(draw, value)
    if not isinstance(value, dict):
        return value
    known = {key: item for key, item in value.items() if key in _KEYS}
    rest = {key: _as_patch(draw, item, key, of_account) for key, item in value.items() if key not in known}
    if rest and name and not known and "$patch" not in str(rest) and draw(_SELDOM):
        return {**rest, **REPLACE}
    return {**known, **{key: None if draw(_SELDOM) else item for key, item in rest.items()}}


def _as_list(draw: st.DrawFn, items: list[Any]) -> list[Any]:
    patched = [_as_patch(draw, item) for item in items]
    named = [next({key: item[key]} for key in _KEYS if key in item) for item in patched]
    found = [{**name, **DELETE} if draw(_SELDOM) else item for name, item in zip(named, patched, strict=True)]
    return [REPLACE, *found] if found and draw(_SELDOM) else found


_SELDOM: Final[st.SearchStrategy[Any]] = st.integers(0, 9).map(lambda one: one == 7)


@st.composite
def cases(draw: st.DrawFn) -> tuple[Data, Data]:
    """An object, and a strategic merge patch for it."""
    kind = draw(st.sampled_from(_KINDS))
    body, other = kind(draw), kind(draw)
    patch = {key: item for key, item in other.items() if key not in _FIXED}
    return body, _as_patch(draw, patch, of_account=kind is _account)


def cleaned(value: Any) -> Any:
    """A value without the nulls and directives that kubectl leaves in new items of lists, and the API server drops or
    refuses."""
    if isinstance(value, dict):
        return {key: cleaned(item) for key, item in value.items() if item is not None and key != "$patch"}
    if isinstance(value, list):
        return [cleaned(item) for item in value if not (isinstance(item, dict) and "$patch" in item)]
    return value
