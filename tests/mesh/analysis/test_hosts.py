"""How names of hosts in objects are read."""

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
def test_a_servers_host_says_of_which_namespace_its_virtual_services_are(entry: str, read: tuple[str, str]) -> None:
    assert hosts.parse_server_host(entry, "edge") == read
