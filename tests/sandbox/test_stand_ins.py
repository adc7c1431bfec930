"""The stand-ins for Bookinfo, with simulated calls to each other, and the server of all stand-ins."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import requests

from sandbox.live.plan import Workload
from sandbox.live.standins import calls, productpage, server, services
from sandbox.live.standins.calls import Answer
from sandbox.live.standins.productpage import respond
from tests.sandbox.snapshots import workload

PAGE = workload("productpage")
RATED = {"ratings": {"Reader A": 5, "Reader B": 4}}


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, dict[str, str]]]:
    """Records every call with its headers; all services answer."""
    made: list[tuple[str, dict[str, str]]] = []

    def answered(caller: Workload, url: str, headers: dict[str, str], patience: float) -> Answer:
        assert patience > 0
        made.append((url, headers))
        service = url.split("/")[2].partition(":")[0]
        if service == "ratings":
            return Answer(200, RATED)
        assert caller == PAGE
        answer = services.SERVICES[service](workload(service), "GET", f"/{service}/0", {}, "")
        return Answer(answer.status, answer.body)

    monkeypatch.setattr(services, "call", answered)
    monkeypatch.setattr(productpage, "call", answered)
    return made


@pytest.fixture
def deaf(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Records every call; no service answers."""
    made: list[str] = []

    def unanswered(_: Workload, url: str, *__: object) -> Answer:
        made.append(url)
        return Answer(0)

    monkeypatch.setattr(services, "call", unanswered)
    monkeypatch.setattr(productpage, "call", unanswered)
    return made


def ratings_of(version: str) -> list[Any]:
    answer = services.reviews(workload("reviews", version), "GET", "/reviews/0", {}, "")
    assert answer.status == 200
    assert isinstance(answer.body, dict)
    found: Any = answer.body["reviews"]
    return [review.get("rating") for review in found]


def test_reviews_v1_does_not_call_ratings(asked: list[Any]) -> None:
    assert ratings_of("v1") == [None, None]
    assert asked == []


@pytest.mark.parametrize(("version", "color"), [("v2", "black"), ("v3", "red")])
@pytest.mark.usefixtures("asked")
def test_reviews_v2_and_v3_have_stars_of_their_color(version: str, color: str) -> None:
    assert ratings_of(version) == [{"stars": 5, "color": color}, {"stars": 4, "color": color}]


@pytest.mark.usefixtures("deaf")
def test_reviews_without_ratings_have_an_error_message() -> None:
    assert ratings_of("v3") == [{"error": services.RATINGS_ARE_MISSING}] * 2


def test_reviews_is_called_twice_and_details_once(deaf: list[str]) -> None:
    page = respond(PAGE, "GET", "/productpage", {}, "")
    assert page.status == 200
    assert "The reviews are not available" in str(page.body)
    assert "The details are not available" in str(page.body)
    assert [url.split("/")[2] for url in deaf] == ["details:9080", "reviews:9080", "reviews:9080"]


def test_the_signed_in_user_is_sent_to_the_services(asked: list[Any]) -> None:
    signed_in = respond(PAGE, "POST", "/login", {}, "username=jason&passwd=")
    assert (signed_in.status, signed_in.headers["Location"]) == (302, "/productpage")
    cookie = signed_in.headers["Set-Cookie"].partition(";")[0]
    page = respond(PAGE, "GET", "/productpage", {"cookie": cookie}, "")
    assert "jason" in str(page.body)
    assert {headers.get("end-user") for _, headers in asked} == {"jason"}


def test_a_visitors_end_user_header_is_not_forwarded(asked: list[Any]) -> None:
    respond(PAGE, "GET", "/productpage", {"end-user": "jason", "x-request-id": "1"}, "")
    assert asked
    assert all("end-user" not in headers and headers["x-request-id"] == "1" for _, headers in asked)


@pytest.mark.parametrize("name", ["", "<script>", "a b", "a\r\nSet-Cookie: x=y", "x" * 41])
def test_an_unsafe_user_name_is_refused(name: str) -> None:
    assert respond(PAGE, "POST", "/login", {}, f"username={quote(name)}").status == 400
    assert productpage._user({"cookie": f'session="{name}"'}) == ""


def test_signing_out_removes_the_cookie() -> None:
    assert "Max-Age=0" in respond(PAGE, "GET", "/logout", {}, "").headers["Set-Cookie"]


@pytest.mark.usefixtures("asked")
def test_the_page_is_available_as_json() -> None:
    assert json.dumps(respond(PAGE, "GET", "/api/v1/products", {}, "").body).count("title") == 1
    answer = respond(PAGE, "GET", "/api/v1/products/0/reviews", {}, "").body
    assert isinstance(answer, dict)
    assert answer["version"] == "v1"
    assert respond(PAGE, "GET", "/api/v1/products/0/nothing", {}, "").status == 404


@pytest.mark.usefixtures("deaf")
def test_json_without_an_answer_of_the_service_is_a_gateway_timeout() -> None:
    assert respond(PAGE, "GET", "/api/v1/products/0/ratings", {}, "").status == 504


def test_only_headers_of_tracing_and_routing_are_forwarded() -> None:
    given = {"X-Request-Id": "1", "Cookie": "a=b", "Host": "here", "Content-Length": "3"}
    assert calls.forwarded(given) == {"x-request-id": "1", "cookie": "a=b"}


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, Path]]:
    """The address of a running stand-in for details, and the file of its switches."""
    monkeypatch.setattr(server, "APP_PORT", 0)
    switches = tmp_path / "switches.json"
    made = server.Server(workload("details"), services.details, server.Switches(switches))
    threading.Thread(target=made.serve_forever, args=(0.05,), daemon=True).start()
    yield f"http://127.0.0.1:{made.server_port}/details/0", switches
    made.shutdown()
    made.server_close()


def test_a_switch_makes_every_second_answer_fail(served: tuple[str, Path]) -> None:
    url, switches = served
    assert [requests.get(url, timeout=5).status_code for _ in range(2)] == [200, 200]
    switches.write_text('{"details-v1": {"failEvery": 2}}')
    assert [requests.get(url, timeout=5).status_code for _ in range(4)] == [200, 500, 200, 500]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"ratings-v1": {"failEvery": 1}}'])
def test_empty_or_invalid_switches_change_nothing(served: tuple[str, Path], text: str) -> None:
    url, switches = served
    switches.write_text(text)
    assert requests.get(url, timeout=5).json()["author"] == "William Shakespeare"
