"""Kubernetes types in settings are validated as the API server would validate them."""

import json
from typing import Any

import pytest

from mesh.config import loading
from mesh.config.settings import SettingsError


@pytest.mark.parametrize(
    ("key", "value", "problem"),
    [
        ("pilot", {"nodeSelector": {"a b": "c"}}, '.nodeSelector["a b"] (the key): "a b" is not a key'),
        ("pilot", {"nodeSelector": {"a": "b c"}}, '.nodeSelector.a: "b c" is not a label\'s value'),
        ("pilot", {"resources": {"requests": {"cpus": 1}}}, '"cpus" is not one of cpu, memory'),
        ("pilot", {"resources": {"requests": {"cpu": 2}, "limits": {"cpu": "500m"}}}, "more than the limit 500m"),
        (
            "pilot",
            {"resources": {"limits": {"example.com/gpu": "0.5"}}},
            "the limit of example.com/gpu must be a whole number",
        ),
        ("pilot", {"env": {"a=b": "c"}}, '["a=b"] (the key): "a=b" is not the name of an environment variable'),
        ("pilot", {"rollingMaxSurge": "some"}, '"some" is not a number of pods or a percentage'),
        ("pilot", {"rollingMaxSurge": 0, "rollingMaxUnavailable": "0%"}, "a rolling update could not start"),
        ("global", {"priorityClassName": "High"}, '"High" is not an object\'s name'),
        ("global", {"proxy": {"clusterDomain": "a=b"}}, '"a=b" is not a DNS name'),
        ("istiodRemote", {"injectionURL": "http://a"}, '"http://a" is not a URL'),
        ("addons", {"prometheus": {"persistence": {"size": "0"}}}, '"0" is not a size'),
        ("global", {"remotePilotAddress": "Gateway"}, '"Gateway" is neither an IP address nor a DNS name'),
        ("global", {"network": "/a"}, '"/a" is not a label\'s value'),
        ("gateways", {"0s": {}}, '["0s"] (the key): "0s" is not a Service\'s name'),
    ],
)
def test_an_invalid_kubernetes_value_is_refused(key: str, value: dict[str, Any], problem: str) -> None:
    with pytest.raises(SettingsError) as raised:
        loading.load({f"mesh:{key}": json.dumps(value)})
    assert problem in str(raised.value)


NEITHER = "exactly one of maxSurge and maxUnavailable must be 0, as Kubernetes requires"
TOGETHER = "localhostProfile and type Localhost go together"


@pytest.mark.parametrize(
    ("key", "value", "problem"),
    [
        ("istiodRemote", {"injectionPath": "/inject/:ENV:net=a"}, "is not a path of lower-case letters and digits"),
        ("istiodRemote", {"injectionPath": "inject"}, "is not a path of lower-case letters and digits"),
        ("istiodRemote", {"injectionPath": "/inject/net/a"}, ""),
        ("base", {"validationCABundle": "-----BEGIN CERTIFICATE-----"}, "is not base64"),
        ("base", {"validationCABundle": "YQ=="}, ""),
        ("pilot", {"seccompProfile": {"kind": "RuntimeDefault"}}, '"kind" is not one of type, localhostProfile'),
        ("pilot", {"seccompProfile": {"type": "Default"}}, "needs a type, one of RuntimeDefault, Unconfined"),
        ("pilot", {"seccompProfile": {"type": "Localhost"}}, TOGETHER),
        ("pilot", {"seccompProfile": {"type": "Unconfined", "localhostProfile": "a.json"}}, TOGETHER),
        ("pilot", {"seccompProfile": {"type": "Localhost", "localhostProfile": "a.json"}}, ""),
        (
            "cni",
            {"seLinuxOptions": {"levl": "s0"}},
            'did you mean "level"',
        ),
        ("cni", {"env": {"a/b": "c"}}, '"a/b" is not a ConfigMap\'s key'),
        ("pilot", {"trafficDistribution": "PreferNear"}, "PreferClose"),
        ("cni", {"updateStrategy": {"rollingUpdate": {"maxSurge": 1}}}, NEITHER),
        ("cni", {"updateStrategy": {"rollingUpdate": {"maxUnavailable": "0%"}}}, NEITHER),
        ("cni", {"updateStrategy": {"rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}}, ""),
    ],
)
def test_values_of_later_releases_are_refused_as_the_api_server_would(
    key: str, value: dict[str, Any], problem: str
) -> None:
    config = {"mesh:release": "1.30", f"mesh:{key}": json.dumps(value)}
    if not problem:
        loading.load(config)
        return
    with pytest.raises(SettingsError) as raised:
        loading.load(config)
    assert problem in str(raised.value)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("pilot", {"nodeSelector": {"kubernetes.io/arch": "amd64", "empty": ""}}),
        ("pilot", {"resources": {"requests": {"example.com/gpu": 1}, "limits": {"example.com/gpu": 1}}}),
        ("pilot", {"resources": {"requests": {"memory": "1Gi"}, "limits": {"memory": "1.5Gi"}}}),
        ("pilot", {"rollingMaxSurge": 0, "rollingMaxUnavailable": 1}),
        ("global", {"priorityClassName": "system-cluster-critical"}),
        ("addons", {"prometheus": {"persistence": {"size": "1.5Gi", "storageClass": "fast.ssd"}}}),
    ],
)
def test_a_valid_kubernetes_value_is_accepted(key: str, value: dict[str, Any]) -> None:
    loading.load({f"mesh:{key}": json.dumps(value)})
