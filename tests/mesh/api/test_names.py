"""Hosts, addresses, labels and headers."""

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from mesh.api import names

LONG = "x" * 63
TOO_LONG = "x" * 64
LONG_PREFIX = ".".join([LONG] * 3 + ["x" * 61])  # 253 characters, the most before the slash of a label's key


def accepts(kind: Any, value: Any) -> bool:
    try:
        TypeAdapter(kind).validate_python(value)
    except ValidationError:
        return False
    return True


def test_a_dns_name_consists_of_labels_the_last_of_which_is_not_a_number() -> None:
    assert all(map(names.is_domain, ["a", "a.b", "a.b.", "1.a", LONG, "A-b.c"]))
    assert not any(map(names.is_domain, ["", "*.a", "a_b", "a..b", "1.2", "-a", TOO_LONG, "é"]))


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        (
            names.Host,
            ["a", "*", "*.a.b", "*-a.b", "*a.b", f"*{LONG[1:]}", ".".join([LONG] * 4)],
            ["", "a.*", "**.a", "1.2.3.4", "*.1", f"*{LONG}", ".".join([LONG] * 4) + "."],
        ),
        (names.SomeHost, ["a", "*.a"], ["*", ""]),
        (names.HostOrIp, ["a", "*", "1.2.3.4", "::1"], ["1.2.3", "a/b"]),
        (names.TrustDomain, ["cluster.local", "a.", "1.2", "A-b"], ["", ".", "a..b", "a_b", "*.a", "a b", TOO_LONG]),
        (
            names.ProxyAddress,
            ["a:1", "a.b.:65535", "1.2.3.4:80", "[::1]:80"],
            ["", "a", "a:", ":80", "a:0", "a:65536", "a:http", "a_b:80", "1.2:80", "::1:80", "$(HOST_IP):80"],
        ),
        (names.ProxyAddressOrNone, ["", "a:1"], ["a"]),
        (names.TracerAddress, ["$(HOST_IP):80", "a:1"], ["", "$(HOST_IP)", "$(POD_IP):80"]),
        (names.Label, ["a", "A1", "a-b", LONG], ["", "a.b", "a-", TOO_LONG, "a\n"]),
        (names.IpAddress, ["1.2.3.4", "::1"], ["1.2.3", "01.2.3.4", "fe80::1%eth0", "10.0.0.0/8", ""]),
        (
            names.Subnet,
            ["1.2.3.4", "10.0.0.0/8", "::/0", "::1/128"],
            ["10.0.0.0/33", "10.0.0.0/", "10.0.0.0/08", "a/8"],
        ),
        (names.Bind, ["1.2.3.4", "unix:///a/b", "unix://@a"], ["unix://a", "unix:///a/", "unix://", "a"]),
        (names.Address, ["1.2.3.4", "a.b", "unix:///a"], ["*.a", "unix://a", ""]),
        (names.Protocol, ["HTTP", "http", "GRPC-Web", "Mongo", ""], ["HTP", "QUIC"]),
        (names.GatewayName, ["mesh", "a.b", "ns/a"], ["ns/a.b", "/a", "a/", "a/b/c", "*", ""]),
        (names.HeaderName, ["x-a", "X_1", "a.b"], ["", "a b", "a:b", ":path"]),
        (
            names.Labels,
            [{}, {"a": ""}, {"a.b/c-d": "E_f"}, {"a": LONG}, {f"{LONG_PREFIX}/{LONG}": ""}],
            [{"": "a"}, {"a": "-"}, {"a": TOO_LONG}, {"/a": ""}, {TOO_LONG: ""}, {f"{LONG_PREFIX}x/a": ""}],
        ),
        (names.Selector, [{"app": "x"}], [{"app": "*"}, {"a*": "x"}, {"": "x"}]),
        (names.ExportTo, [["."], ["*"], ["a", "."], []], [["~"], ["*", "a"], ["a", "a"], ["a_b"], [""]]),
        (names.ServiceExportTo, [["~"], ["a"]], [["~", "a"], ["*", "~"]]),
    ],
)
def test_each_type_of_name_accepts_and_refuses_what_istio_does(kind: Any, good: list[Any], bad: list[Any]) -> None:
    assert [value for value in good if not accepts(kind, value)] == []
    assert [value for value in bad if accepts(kind, value)] == []


def test_an_unknown_protocol_is_refused_with_the_list_and_the_nearest_name() -> None:
    with pytest.raises(ValidationError, match=r'"HTPS" is not one of HTTP, .*; did you mean "HTTPS"\?'):
        TypeAdapter(names.Protocol).validate_python("HTPS")


@pytest.mark.parametrize(
    ("wide", "narrow", "covered"),
    [
        ("a.b", "a.b", True),
        ("a.b", "b", False),
        ("*.b", "a.b", True),
        ("*.b", "c.a.b", True),
        ("*.b", "b", False),
        ("*.b", "*.a.b", True),
        ("*.a.b", "*.b", False),
        ("*", "*.b", True),
        ("*", "a", True),
        ("a.b", "*.b", False),
    ],
)
def test_a_wildcard_host_covers_the_hosts_with_its_suffix(wide: str, narrow: str, covered: bool) -> None:
    assert names.covers(wide, narrow) == covered


@pytest.mark.parametrize("text", ["ns/a.b", "./a.b", "*/a.b"])
def test_the_namespace_before_a_host_is_a_name_or_a_special_character(text: str) -> None:
    assert names.host_in_namespace(text, "*.") == "a.b"


@pytest.mark.parametrize("text", ["a.b", "ab", "/a.b", "_/a.b", "~/a.b", "*./a.b"])
def test_a_host_without_a_valid_namespace_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not namespace/host, where namespace is a name or one of"):
        names.host_in_namespace(text, "*.")


@pytest.mark.parametrize("text", ["*", "a.b", "*.b", "*.a.b"])
def test_a_fully_qualified_host_has_several_labels_or_is_a_wildcard(text: str) -> None:
    assert names.whole_host(text) == text


@pytest.mark.parametrize("text", ["a", "*a.b", "*-a.b", "1.2.3.4", "::1", ""])
def test_a_host_that_is_not_fully_qualified_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a fully qualified DNS name"):
        names.whole_host(text)


def test_an_ip_address_is_a_fully_qualified_host_only_with_the_option_ip() -> None:
    assert names.whole_host("1.2.3.4", ip=True) == "1.2.3.4"
    with pytest.raises(ValueError, match="is not a fully qualified DNS name"):
        names.whole_host("1.2.3.4.5", ip=True)
