"""Unknown keys: the message names the key that was meant, where it is valid."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mesh.config import loading
from mesh.config.settings import SettingsError


@pytest.mark.parametrize(
    ("config", "hint"),
    [
        ({"meshConfig": {"sampling": 5}}, "it belongs at mesh:meshConfig.defaultConfig.tracing.sampling"),
        (
            {"meshConfig": {"defaultConfig": {"sampling": 5}}},
            "it belongs at mesh:meshConfig.defaultConfig.tracing.sampling",
        ),
        ({"sampling": "{}"}, None),  # no place for it takes a mapping
        ({"meshConfig": {"tracing": {"sampling": 5}}}, "it belongs at mesh:meshConfig.defaultConfig.tracing"),
        ({"global": {"tracing": {"sampling": 5}}}, 'did you mean "tracer"?'),
        ({"meshConfig": {"defaultConfig": {"trustDomain": "a"}}}, "it belongs at mesh:meshConfig.trustDomain"),
        ({"meshConfig": {"mode": "REGISTRY_ONLY"}}, "it belongs at mesh:meshConfig.outboundTrafficPolicy.mode"),
        ({"mtls": {"mesh": "STRICT"}}, "it belongs at mesh:security.mtls"),
        ({"tracer": "zipkin"}, "it belongs at mesh:global.proxy.tracer"),
        (
            {"logLevel": "debug"},
            "it belongs at mesh:cni.logLevel or mesh:ztunnel.logLevel or mesh:global.proxy.logLevel",
        ),
        (
            {"gateways": {"istio-ingressgateway": {"nodePort": 31000}}},
            "it belongs at mesh:gateways.istio-ingressgateway.ports[0].nodePort",
        ),
        ({"meshConfig": {"accesLogFile": "x"}}, 'did you mean "accessLogFile"?'),
        ({"traffic": {"hosts": {"shop": {"host": "a.b"}}}}, 'did you mean "hosts"?'),
    ],
)
def test_the_hint_names_the_whole_key(config: dict[str, Any], hint: str | None) -> None:
    text = {f"mesh:{key}": value if isinstance(value, str) else json.dumps(value) for key, value in config.items()}
    with pytest.raises(SettingsError) as caught:
        loading.load(text)
    (line,) = [line for line in str(caught.value).splitlines() if "unknown field" in line]
    assert line.partition(" (fields: ")[0].partition('"; ')[2] == (hint or "")
