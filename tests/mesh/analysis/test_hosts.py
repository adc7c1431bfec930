"""Host names in Istio's objects."""

import pytest

from mesh.analysis import hosts


@pytest.mark.parametrize(
    ("entry", "read"),
    [
        ("shop.example.com", ("*", "shop.example.com")),
        ("*/shop.example.com", ("*", "shop.example.com")),
        ("/shop.example.com", ("*", "shop.example.com")),
        ("./*.example.com", ("edge", "*.example.com")),
        ("shop/*", ("shop", "*")),
    ],
)
def test_the_hosts_of_a_gateways_server_may_name_the_namespace_of_virtual_services(
    entry: str, read: tuple[str, str]
) -> None:
    assert hosts.parse_server_host(entry, "edge") == read
