"""Istio's API as a whole: wire forms of common objects, completeness of exports and descriptions, and the docs."""

import contextlib
import io
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mesh import api

ROOT = Path(__file__).parents[3]
GUIDE = ROOT / "docs" / "api.md"


def problems(message: type[api.Message], fields: dict[str, Any]) -> list[str]:
    """The problems for which a message cannot be built."""
    with pytest.raises(api.ApiError) as caught:
        message(**fields)
    return caught.value.problems


def reference() -> Path:
    """The folder of what Istio itself produces; skips the test where there is none."""
    folder = os.environ.get("MESH_REFERENCE")
    if not folder:
        pytest.skip("MESH_REFERENCE names no folder with Istio's own definitions and samples")
    return Path(folder) / "istio-1.10.3"


def messages(parent: type[api.Message] = api.Message) -> Iterator[type[api.Message]]:
    for message in parent.__subclasses__():
        if message.__module__.startswith("mesh."):
            yield message
        yield from messages(message)


def to(subset: str, weight: int | None = None, host: str = "reviews") -> api.HTTPRouteDestination:
    return api.HTTPRouteDestination(destination=api.Destination(host=host, subset=subset), weight=weight)


def jason() -> list[api.HTTPMatchRequest]:
    return [api.HTTPMatchRequest(headers={"end-user": api.StringMatch(exact="jason")})]


def test_a_gateway_and_its_routes_have_istios_wire_form() -> None:
    port = api.Port(number=80, name="http", protocol="HTTP")
    gateway = api.Gateway(selector={"istio": "ingressgateway"}, servers=[api.Server(port=port, hosts=["*"])])
    assert gateway.spec() == {
        "servers": [{"port": {"number": 80, "protocol": "HTTP", "name": "http"}, "hosts": ["*"]}],
        "selector": {"istio": "ingressgateway"},
    }
    pages = [api.StringMatch(exact="/productpage"), api.StringMatch(prefix="/static")]
    destination = api.Destination(host="productpage", port=api.PortSelector(number=9080))
    route = api.HTTPRoute(
        match=[api.HTTPMatchRequest(uri=page) for page in pages],
        route=[api.HTTPRouteDestination(destination=destination)],
    )
    assert api.VirtualService(hosts=["*"], gateways=["bookinfo-gateway"], http=[route]).spec() == {
        "hosts": ["*"],
        "gateways": ["bookinfo-gateway"],
        "http": [
            {
                "match": [{"uri": {"exact": "/productpage"}}, {"uri": {"prefix": "/static"}}],
                "route": [{"destination": {"host": "productpage", "port": {"number": 9080}}}],
            }
        ],
    }


def test_a_destination_rule_with_subsets_has_istios_wire_form() -> None:
    tls = api.ClientTLSSettings(mode="ISTIO_MUTUAL")
    subsets = [api.Subset(name=version, labels={"version": version}) for version in ("v1", "v2")]
    rule = api.DestinationRule(host="reviews", trafficPolicy=api.TrafficPolicy(tls=tls), subsets=subsets)
    assert rule.spec() == {
        "host": "reviews",
        "trafficPolicy": {"tls": {"mode": "ISTIO_MUTUAL"}},
        "subsets": [{"name": "v1", "labels": {"version": "v1"}}, {"name": "v2", "labels": {"version": "v2"}}],
    }


def test_a_weighted_route_has_istios_wire_form() -> None:
    split = api.VirtualService(hosts=["reviews"], http=[api.HTTPRoute(route=[to("v1", 80), to("v3", 20)])])
    (route,) = split.spec()["http"]
    assert [(r["destination"]["subset"], r["weight"]) for r in route["route"]] == [("v1", 80), ("v3", 20)]


def test_a_route_by_header_has_istios_wire_form() -> None:
    routes = [api.HTTPRoute(match=jason(), route=[to("v2")]), api.HTTPRoute(route=[to("v1")])]
    first, last = api.VirtualService(hosts=["reviews"], http=routes).spec()["http"]
    assert first["match"] == [{"headers": {"end-user": {"exact": "jason"}}}]
    assert "match" not in last


@pytest.mark.parametrize(
    ("fault", "wire"),
    [
        (
            api.HTTPFaultInjection(delay=api.Delay(percentage=api.Percent(value=100), fixedDelay="7s")),
            {"delay": {"fixedDelay": "7s", "percentage": {"value": 100}}},
        ),
        (
            api.HTTPFaultInjection(abort=api.Abort(percentage=api.Percent(value=12.5), httpStatus=500)),
            {"abort": {"httpStatus": 500, "percentage": {"value": 12.5}}},
        ),
    ],
)
def test_fault_injection_has_istios_wire_form(fault: api.HTTPFaultInjection, wire: dict[str, Any]) -> None:
    route = api.HTTPRoute(match=jason(), fault=fault, route=[to("v1", host="ratings")])
    assert api.VirtualService(hosts=["ratings"], http=[route]).spec()["http"][0]["fault"] == wire


def test_a_wire_form_builds_the_same_object_as_types() -> None:
    spec = {
        "hosts": ["reviews"],
        "http": [{"match": [{"uri": {"exact": "/"}}], "route": [{"destination": {"host": "a"}}]}],
    }
    typed = api.HTTPRoute(
        match=[api.HTTPMatchRequest(uri=api.StringMatch(exact="/"))],
        route=[api.HTTPRouteDestination(destination=api.Destination(host="a"))],
    )
    assert api.VirtualService.from_wire(spec) == api.VirtualService(hosts=["reviews"], http=[typed])


def test_the_api_has_fifteen_kinds() -> None:
    assert [kind.__name__ for kind in api.kinds()] == [
        "AuthorizationPolicy",
        "DestinationRule",
        "EnvoyFilter",
        "Gateway",
        "PeerAuthentication",
        "ProxyConfig",
        "RequestAuthentication",
        "ServiceEntry",
        "Sidecar",
        "Telemetry",
        "TrafficExtension",
        "VirtualService",
        "WasmPlugin",
        "WorkloadEntry",
        "WorkloadGroup",
    ]


def test_every_message_is_exported_by_the_package() -> None:
    assert [m.__name__ for m in messages() if getattr(api, m.__name__, None) is not m] == []


def test_every_message_and_field_has_a_description() -> None:
    for message in messages():
        assert message.__doc__
        assert message.__doc__ != api.Message.__doc__
        for name, field in message.model_fields.items():
            assert field.description, f"{message.__name__}.{name}"
            assert field.description.endswith("."), f"{message.__name__}.{name}"


def test_every_one_of_group_names_existing_fields() -> None:
    for message in messages():
        assert set(message.one_of) <= set(message.model_fields), message.__name__


def test_the_examples_of_the_api_docs_print_what_the_docs_show() -> None:
    blocks = re.findall(r"```python\n(.*?)```\n+```text\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    assert len(blocks) > 2
    names: dict[str, Any] = {}
    for code, printed in blocks:
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            exec(code, names)
        assert out.getvalue() == printed


def test_the_diff_of_the_api_docs_is_all_that_a_new_kind_needs(tmp_path: Path) -> None:
    (diff,) = re.findall(r"```diff\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    (session,) = re.findall(r"```text\n(>>>.*?)```", GUIDE.read_text(), re.DOTALL)
    shutil.copytree(ROOT / "mesh", tmp_path / "mesh")
    subprocess.run(["git", "apply", "-"], input=diff, text=True, cwd=tmp_path, check=True)
    code = (
        f"from mesh import api, releases\nimport doctest\nprint(doctest.run_docstring_examples({session!r}, globals()))"
    )
    out = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert (out.stdout, out.stderr) == ("None\n", "")


def test_importing_the_package_builds_no_validators() -> None:
    code = "from mesh import api; print(api.VirtualService.__pydantic_complete__)"
    out = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
    assert out.stdout.strip() == "False", "each of the validators costs milliseconds that most programs never use"
