"""The graph of live traffic: rates and errors come from what Envoys count."""

from __future__ import annotations

from collections.abc import Mapping

from commands.docs_pictures import traffic
from mesh.pictures.model import Picture
from sandbox.live.plan import Workload
from sandbox.live.traffic import Count, Edge

PASSED: Mapping[Edge, Count] = {
    ("page-v1", "stars-v2"): Count(50, 5),
    ("gate", "page-v1"): Count(100),
    ("visitor", "gate"): Count(100),
    ("gate", "stars-v2"): Count(10),
    ("stars-v2", "page-v1"): Count(0),
}


def workload(name: str, version: str) -> Workload:
    labels = {"app": name, "version": version}
    key = f"{name}-{version}"
    return Workload(name=key, namespace="default", labels=labels, ports={}, key=key, address="", outbound="")


def graph() -> Picture:
    return traffic.graph(PASSED, [workload("page", "v1"), workload("stars", "v2")], 10.0)


def test_arrows_have_the_rate_and_the_share_of_errors() -> None:
    labels = {(arrow.source, arrow.target): (arrow.label, arrow.state) for arrow in graph().arrows}
    assert labels["page-v1", "stars-v2"] == ("5.0/s, 10 % errors", "failing")
    assert labels["gate", "page-v1"] == ("10.0/s", "")


def test_proxies_without_requests_to_each_other_are_not_connected() -> None:
    assert ("stars-v2", "page-v1") not in {(arrow.source, arrow.target) for arrow in graph().arrows}


def test_a_service_is_right_of_all_its_callers() -> None:
    columns = {box.id: box.column for box in graph().boxes}
    assert columns == {"visitor": 0, "gate": 1, "page-v1": 2, "stars-v2": 3}


def test_services_that_call_each_other_have_a_column_too() -> None:
    round_ = {edge: Count(1) for edge in (("a", "b"), ("b", "c"), ("c", "d"), ("d", "a"))}
    made = traffic.graph(round_, (), 1.0)
    assert max(box.column for box in made.boxes) < len(made.columns)


def test_boxes_name_service_and_version() -> None:
    assert {box.lines for box in graph().boxes} >= {("page", "v1"), ("stars", "v2"), ("gate",)}
