"""Random mesh configs and pod annotations for the comparison with Istio's own validation, and its recorded verdicts.

`mesh_configs.json` has cases with the verdicts of Istio 1.10.3's own code. `python -m tests.mesh.config.mesh_configs
PROGRAM` makes them again. The program reads a JSON list of `{"Mesh": document, "Annotation": text}` and writes the list
of verdicts: `mesh` if `ApplyMeshConfigDefaults` refuses the document, `injector` if the injector's validation of
`proxy.istio.io/config` refuses the annotation, `agent` if `ApplyProxyConfig` or `ValidateProxyConfig` does, else "".
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

import yaml
from hypothesis import strategies as st

from mesh.config import loading
from mesh.core import documents
from mesh.core.merge import merged
from tests.generate import drawn

RECORDED: Final = Path(__file__).with_name("mesh_configs.json")
COUNT: Final = 600

DURATIONS: Final = (
    *("1s", "45s", "46s", "59s", "60s", "61s", "90s", "1m", "1h", "1h0m1s", "2h", "30s", "31s", "30.001s", "0s"),
    *("1ms", "100ms", "1500ms", "1.5s", "1us", "1500us", "10", "soon", ""),
)
ADDRESSES: Final = (
    *("istiod.istio-system.svc:15012", "zipkin:9411", "10.0.0.1:80", "[::1]:80", "a.:1", "A-b.c:65535"),
    *("$(HOST_IP):8126", "$(HOST_IP)", "$(POD_IP):80", "a_b:80", "a b:80", "::1:80", "[a]:80", "[::1:80", "a:0"),
    *("a:65536", "a:x", "a:", ":80", "a", "", "1.2:80", "a.1:80", "-a:80", "a..b:80", "http://a:80", "x" * 64 + ":1"),
)
DOMAINS: Final = ("cluster.local", "a", "a.", "1.2", "A.b", "a_b..c", "", ".", "-a", "a b", "*.a", "x" * 63, "x" * 64)
HOSTS: Final = (
    "*",
    "*.a.b",
    "a.b",
    "*-a.b",
    "*a.b",
    "a b",
    "",
    "a.*",
    "a.1",
    "a.",
    "a..b",
    "a_b",
    "1.2.3.4",
    "x" * 256,
)
PORTS: Final = (0, 1, 15000, 65535, 65536, -1)
TLS: Final = (
    {"mode": "SIMPLE"},
    {"mode": "MUTUAL"},
    {"mode": "MUTUAL", "clientCertificate": "/a", "privateKey": "/b"},
    {"mode": "SIMPLE", "credentialName": "a", "caCertificates": "/c"},
    {"mode": "ISTIO_MUTUAL"},
)
LOCALITIES: Final = (
    {"enabled": True},
    {"distribute": [{"from": "a/*", "to": {"b/*": 60, "c/*": 40}}]},
    {"distribute": [{"from": "a/*", "to": {"b/*": 60, "c/*": 41}}]},
    {"distribute": [{"from": "a", "to": {"b": 0, "c": 100}}]},
    {"distribute": [{"from": "a//c", "to": {"b": 100}}]},
    {"distribute": [{"from": "a/*/c", "to": {"b": 100}}]},
    {"distribute": [{"from": "a", "to": {"b": 100}}, {"from": "a/b", "to": {"b": 100}}]},
    {"distribute": [{"from": "a", "to": {"b": 100}}, {"from": "*", "to": {"b": 100}}]},
    {"distribute": [{"from": "*", "to": {"b": 100}}, {"from": "a", "to": {"b": 100}}]},
    {"distribute": [{"from": "a"}]},
    {"failover": [{"from": "a", "to": "b"}]},
    {"failover": [{"from": "a", "to": "a"}]},
    {"failover": [{"from": "a", "to": "b*"}]},
    {"failover": [{"from": "a", "to": "b"}], "distribute": [{"from": "a", "to": {"b": 100}}]},
)
TRACERS: Final[Mapping[str, Mapping[str, str]]] = {
    "zipkin": {"address": "zipkin.istio-system:9411"},
    "datadog": {"address": "$(HOST_IP):8126"},
    "lightstep": {},
    "openCensusAgent": {},
}
"""The tracers, with what the installation sets of each one that the mesh config names."""


@dataclass(frozen=True)
class Case:
    """A mesh config, and the annotation of a pod."""

    meshConfig: Mapping[str, Any] = field(default_factory=dict)
    tracer: str = "zipkin"
    """`mesh:global.proxy.tracer`."""
    annotation: Mapping[str, Any] | None = None

    @property
    def config(self) -> dict[str, str]:
        """The config of the stack that has it."""
        given = {"meshConfig": self.meshConfig, "global": {"proxy": {"tracer": self.tracer}}}
        return {f"mesh:{key}": json.dumps(value) for key, value in given.items()}

    @property
    def annotations(self) -> dict[str, str]:
        """The annotations of the pod."""
        return {} if self.annotation is None else {"proxy.istio.io/config": yaml.safe_dump(dict(self.annotation))}

    def document(self) -> dict[str, Any]:
        """What the installation would write for istiod, were the mesh config valid or not."""
        plain = loading.load({}).installation
        base = plain.release.mesh_config(plain)
        named = self.meshConfig.get("defaultConfig", {}).get("tracing", {})
        tracer = next((name for name in TRACERS if name in named), self.tracer)
        base["defaultConfig"] = {**base["defaultConfig"], "tracing": {tracer: dict(TRACERS[tracer])}}
        return merged(base, dict(self.meshConfig))


def _one_of(*fields: tuple[str, st.SearchStrategy[Any]], most: int = 3) -> st.SearchStrategy[dict[str, Any]]:
    """Mappings with a few of the fields."""
    names = st.lists(st.sampled_from([name for name, _ in fields]), max_size=most, unique=True)
    return names.flatmap(lambda chosen: st.fixed_dictionaries({name: dict(fields)[name] for name in chosen}))


_ADDRESS = st.sampled_from(ADDRESSES)
_DURATION = st.sampled_from(DURATIONS)
_PATH = st.sampled_from(["/a", ""])
_TRACER = st.one_of(
    st.fixed_dictionaries({"zipkin": st.fixed_dictionaries({}, optional={"address": _ADDRESS})}),
    st.fixed_dictionaries({"datadog": st.fixed_dictionaries({}, optional={"address": _ADDRESS})}),
    st.fixed_dictionaries(
        {
            "lightstep": st.fixed_dictionaries(
                {}, optional={"address": _ADDRESS, "accessToken": st.sampled_from(["t", ""])}
            )
        }
    ),
    st.fixed_dictionaries({"openCensusAgent": st.fixed_dictionaries({}, optional={"address": st.just("dns:a")})}),
    st.fixed_dictionaries({"sampling": st.sampled_from([0, 1.5, 100, 101])}),
    st.fixed_dictionaries({"tlsSettings": st.sampled_from(TLS)}),
)
PROXY_CONFIGS: Final = _one_of(
    ("drainDuration", _DURATION),
    ("parentShutdownDuration", _DURATION),
    ("terminationDrainDuration", _DURATION),
    ("configPath", _PATH),
    ("binaryPath", _PATH),
    ("serviceCluster", _PATH),
    ("discoveryAddress", _ADDRESS),
    ("statsdUdpAddress", _ADDRESS),
    ("proxyAdminPort", st.sampled_from(PORTS)),
    ("statusPort", st.sampled_from(PORTS)),
    ("controlPlaneAuthPolicy", st.sampled_from(["NONE", "MUTUAL_TLS", "SOME"])),
    ("interceptionMode", st.sampled_from(["REDIRECT", "TPROXY", "NONE"])),
    ("concurrency", st.sampled_from([0, 2, -1, 2**31, "2"])),
    ("holdApplicationUntilProxyStarts", st.sampled_from([True, "true"])),
    ("proxyMetadata", st.sampled_from([{"A": "1"}, {"A": 1}, {"A": "y"}, {"A": "12e03"}, {"A": "0o7"}])),
    ("tracing", _TRACER),
    ("envoyMetricsService", st.fixed_dictionaries({}, optional={"address": _ADDRESS})),
    (
        "envoyAccessLogService",
        st.fixed_dictionaries({"tlsSettings": st.sampled_from(TLS)}, optional={"address": _ADDRESS}),
    ),
)
MESH_CONFIGS: Final = _one_of(
    ("proxyListenPort", st.sampled_from(PORTS)),
    ("proxyHttpPort", st.sampled_from(PORTS)),
    ("connectTimeout", _DURATION),
    ("protocolDetectionTimeout", _DURATION),
    ("dnsRefreshRate", _DURATION),
    ("trustDomain", st.sampled_from(DOMAINS)),
    ("trustDomainAliases", st.lists(st.sampled_from(DOMAINS), max_size=2)),
    (
        "serviceSettings",
        st.lists(st.fixed_dictionaries({"hosts": st.lists(st.sampled_from(HOSTS), max_size=2)}), max_size=2),
    ),
    ("localityLbSetting", st.sampled_from(LOCALITIES)),
    ("outboundTrafficPolicy", st.sampled_from([{"mode": "REGISTRY_ONLY"}, {"mode": "NONE"}])),
    ("enableTracing", st.sampled_from([True, "yes"])),
    ("defaultConfig", PROXY_CONFIGS),
)
CASES: Final = st.builds(
    Case,
    meshConfig=MESH_CONFIGS | st.fixed_dictionaries({"defaultConfig": PROXY_CONFIGS}),
    tracer=st.sampled_from(["zipkin", "zipkin", "zipkin", "datadog", "lightstep"]),
) | st.builds(
    Case,
    meshConfig=st.sampled_from(
        [
            {},
            {"defaultConfig": {"drainDuration": "50s"}},
            {"defaultConfig": {"drainDuration": "10s", "parentShutdownDuration": "20s"}},
            {"defaultConfig": {"drainDuration": "60s", "parentShutdownDuration": "100s"}},
        ]
    ),
    annotation=PROXY_CONFIGS,
)


def verdicts(program: str, cases: Sequence[Case]) -> list[str]:
    """By which part Istio refuses each case: `mesh`, `injector`, `agent`; empty if it accepts it."""
    asked = [
        {"Mesh": documents.dump(case.document()), "Annotation": "".join(case.annotations.values())} for case in cases
    ]
    done = subprocess.run([program], input=json.dumps(asked), capture_output=True, text=True, timeout=300, check=True)
    found: list[str] = json.loads(done.stdout.splitlines()[-1])  # after what Istio logs
    return found


def recorded() -> list[tuple[Case, str]]:
    """The recorded cases with Istio's verdicts."""
    return [(Case(**entry["case"]), entry["refused"]) for entry in json.loads(RECORDED.read_text())]


if __name__ == "__main__":
    made = drawn(CASES, COUNT)
    lines = [
        json.dumps({"case": asdict(case), "refused": refused})
        for case, refused in zip(made, verdicts(sys.argv[1], made), strict=True)
    ]
    RECORDED.write_text("[\n" + ",\n".join(dict.fromkeys(lines)) + "\n]\n")
