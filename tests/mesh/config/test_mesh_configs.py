"""Mesh configs and annotations `proxy.istio.io/config`: what Istio's own validation refuses is refused."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable

import pytest

from commands import render
from mesh import releases
from mesh.config import loading
from mesh.config.settings import SettingsError
from mesh.proxy import proxyconfig
from tests.generate import drawn
from tests.mesh.config import mesh_configs
from tests.mesh.config.mesh_configs import Case

RELEASE = releases.get("1.10")
JUDGE = os.environ.get("MESH_ISTIO_VALIDATION", "")
STRICTER = (
    r"tracing\.sampling: 101 is not in 0\.\.100",
    r"concurrency: -1 is not in",
    r'concurrency: expected a whole number, got "2"',
    r"(statusPort|proxyHttpPort): (-1|0|65536) is not in",
    r"envoyAccessLogService\.tlsSettings\.",
)
"""Problems of settings that Istio's validation accepts, as docs/differences.md lists them."""
MESH = "mesh:meshConfig."
WHOLE = "; istiod would refuse the whole mesh config and go on without it"


def problems(case: Case) -> list[str]:
    """What is refused here of a case."""
    try:
        mesh = loading.load(case.config).installation
    except SettingsError as error:
        return str(error).splitlines()
    document = RELEASE.mesh_config(mesh)
    assert {**document, "defaultConfig": None} == {**document, **case.document(), "defaultConfig": None}
    if not case.annotations:
        return []
    return list(
        proxyconfig.problems(
            RELEASE.proxy_config, RELEASE.refused_proxy_config, document, case.annotations, injected=True
        )
    )


def with_proxies(**fields: object) -> Case:
    return Case({"defaultConfig": fields})


@pytest.mark.parametrize(
    ("case", "lines"),
    [
        (
            Case({"outboundTrafficPolicy": {"mode": "REGISTRY_ONLY"}, "defaultConfig": {"drainDuration": "60s"}}),
            [
                f'{MESH}defaultConfig.drainDuration: "60s" must be shorter than parentShutdownDuration, "60s"; set both'
                + WHOLE
            ],
        ),
        (
            with_proxies(parentShutdownDuration="45s"),
            [
                f'{MESH}defaultConfig.parentShutdownDuration: "45s" must be longer than drainDuration, "45s"; set both'
                + WHOLE
            ],
        ),
        (with_proxies(drainDuration="60s", parentShutdownDuration="90s"), []),
        (
            with_proxies(drainDuration="1500ms"),
            [f'{MESH}defaultConfig.drainDuration: "1500ms" is not a whole number of seconds, 1s to 1h{WHOLE}'],
        ),
        (Case({"connectTimeout": "30s"}), []),
        (
            Case({"connectTimeout": "31s"}),
            [f'{MESH}connectTimeout: "31s" is longer than 30s, the longest that Istio accepts'],
        ),
        (
            Case({"protocolDetectionTimeout": "10us"}),
            [f'{MESH}protocolDetectionTimeout: "10us" is not a whole number of milliseconds'],
        ),
        (Case({"proxyListenPort": 0}), [f"{MESH}proxyListenPort: 0 is not in 1..65535"]),
        (
            Case({"trustDomain": "a_b..c"}),
            [
                f'{MESH}trustDomain: "a_b..c" is not a trust domain: write labels of letters, digits and inner hyphens,'
                " separated by dots, such as cluster.local"
            ],
        ),
        (
            Case({"trustDomainAliases": ["old.example", "a b"]}),
            [
                f'{MESH}trustDomainAliases[1]: "a b" is not a trust domain: write labels of letters, digits and inner'
                " hyphens, separated by dots, such as cluster.local"
            ],
        ),
        (
            Case({"serviceSettings": [{"hosts": ["*.shop", "a b"]}]}),
            [f'{MESH}serviceSettings[0].hosts[1]: "a b" is not a host: write a DNS name, or one that starts with *'],
        ),
        (
            with_proxies(tracing={"lightstep": {}}),
            [
                f"{MESH}defaultConfig.tracing.lightstep.{name}: is required{WHOLE}"
                for name in ("address", "accessToken")
            ],
        ),
        (with_proxies(tracing={"lightstep": {"address": "pool:443", "accessToken": "t"}}), []),
        (
            Case(tracer="lightstep"),
            [
                f"mesh:global.proxy.tracer: lightstep is chosen, and {MESH}defaultConfig.tracing.lightstep.{name}: is"
                f" required{WHOLE}"
                for name in ("address", "accessToken")
            ],
        ),
        (with_proxies(tracing={"datadog": {}}), []),  # it gets the address that istiod's charts give it
        (
            with_proxies(tracing={"datadog": {"address": ""}}),
            [
                f'{MESH}defaultConfig.tracing.datadog.address: "" is not host:port, where host is a DNS name, an IP'
                " address or [an IPv6 address]"
            ],
        ),
        (with_proxies(tracing={"datadog": {"address": "$(HOST_IP):8126"}}), []),
        (
            with_proxies(discoveryAddress="istiod:0"),
            [f'{MESH}defaultConfig.discoveryAddress: "istiod:0": the port "0" is not in 1..65535'],
        ),
        (with_proxies(configPath=""), [f"{MESH}defaultConfig.configPath: must not be empty"]),
    ],
)
def test_the_message_has_key_value_and_reason(case: Case, lines: list[str]) -> None:
    assert problems(case) == lines


SLOW = {"defaultConfig": {"drainDuration": "50s", "parentShutdownDuration": "90s"}}


@pytest.mark.parametrize(
    ("mesh", "annotation", "lines"),
    [
        (
            {},
            {"drainDuration": "60s"},
            ['drainDuration: "60s" must be shorter than parentShutdownDuration, "60s"; set both'],
        ),
        (
            SLOW,
            {"parentShutdownDuration": "50s"},
            [
                'drainDuration: "50s" must be shorter than parentShutdownDuration, "50s"; set both (with the mesh\'s'
                " defaultConfig)"
            ],
        ),
        (
            SLOW,
            {"drainDuration": "80s"},
            [
                'drainDuration: "80s" must be shorter than parentShutdownDuration, "60s"; set both (the injector uses'
                " Istio's defaults, not the mesh's defaultConfig)"
            ],
        ),
        (SLOW, {"drainDuration": "80s", "parentShutdownDuration": "90s"}, []),
        ({}, {"tracing": {"zipkin": {}}}, ["tracing.zipkin.address: is required"]),
        (
            {},
            {"proxyMetadata": {"GIT": "12e03"}},
            ['12e03 has no quotes, and Go reads it as a number: put it in quotes: "12e03"'],
        ),
        ({}, {"concurency": 1}, ['unknown field "concurency"; did you mean "concurrency"?']),
        ({}, {"concurrency": "2"}, []),  # Istio reads numbers in quotes, too
        (
            {},
            {"holdApplicationUntilProxyStarts": "yes"},
            ['holdApplicationUntilProxyStarts: expected true or false, got "yes"'],
        ),
    ],
)
def test_an_annotation_is_checked_as_injector_and_agent_do(
    mesh: dict[str, object], annotation: dict[str, object], lines: list[str]
) -> None:
    assert problems(Case(mesh, annotation=annotation)) == [f"proxy.istio.io/config: {line}" for line in lines]


@pytest.mark.parametrize(
    ("key", "config"),
    [
        (
            "gateways.istio-ingressgateway.podAnnotations",
            {"gateways": {"istio-ingressgateway": {"podAnnotations": "?"}}},
        ),
        ("sidecarInjectorWebhook.injectedAnnotations", {"sidecarInjectorWebhook": {"injectedAnnotations": "?"}}),
    ],
)
def test_annotations_in_the_settings_are_refused_with_their_key(key: str, config: dict[str, object]) -> None:
    text = json.dumps(config).replace('"?"', json.dumps({"proxy.istio.io/config": "drainDuration: 2h"}))
    with pytest.raises(SettingsError) as caught:
        loading.load({f"mesh:{name}": json.dumps(value) for name, value in json.loads(text).items()})
    assert str(caught.value) == (
        f'mesh:{key}: proxy.istio.io/config: drainDuration: "2h" is not a whole number of seconds, 1s to 1h'
    )


def test_texts_that_go_takes_for_something_else_stand_in_quotes_in_the_config_map() -> None:
    metadata = {"GIT": "12e03", "DEBUG": "y"}
    config = {"profile": "minimal", "meshConfig": {"defaultConfig": {"proxyMetadata": metadata}}}
    text = {f"mesh:{key}": value if isinstance(value, str) else json.dumps(value) for key, value in config.items()}
    (found,) = [m for m in render.manifests(render.record("x", text)) if "mesh" in (m.get("data") or {})]
    assert "DEBUG: 'y'\n    GIT: '12e03'\n" in found["data"]["mesh"]


def test_without_a_mesh_config_of_the_stack_nothing_is_said_of_it() -> None:
    config = {"global": {"proxy": {"tracer": "lightstep"}}, "pilot": {"configMap": False}}
    loading.load({f"mesh:{key}": json.dumps(value) for key, value in config.items()})


def compare(judged: Iterable[tuple[Case, str]]) -> None:
    """Fails if Istio refuses a case that is accepted here, or accepts one that is refused here for no listed reason."""
    too_lax, too_strict = [], []
    for case, refused in judged:
        found = problems(case)
        if refused and not found:
            too_lax.append((refused, case))
        if not refused and not all(any(re.search(text, line) for text in STRICTER) for line in found):
            too_strict.append((found, case))
    assert (too_lax, too_strict) == ([], [])


@pytest.mark.slow
def test_what_istio_refuses_is_refused_and_little_else() -> None:
    compare(mesh_configs.recorded())


if JUDGE:

    def test_what_istio_refuses_of_other_mesh_configs_is_refused() -> None:
        cases = drawn(mesh_configs.CASES, 3000, start=int.from_bytes(os.urandom(4)))
        compare(zip(cases, mesh_configs.verdicts(JUDGE, cases), strict=True))
