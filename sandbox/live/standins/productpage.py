"""The stand-in for the product page: calls details and reviews, and answers with HTML, or with JSON below `/api/v1`."""

import re
from collections.abc import Mapping
from http.cookies import CookieError, SimpleCookie
from typing import Final
from urllib.parse import parse_qs

from sandbox.live.plan import Workload
from sandbox.live.standins import books, pages
from sandbox.live.standins.calls import Answer, call, forwarded
from sandbox.live.standins.page import Page

SESSION: Final = "session"
"""Name of the cookie with the signed-in user. It is not secret: signing in needs no password."""

PATIENCE: Final = 3.0
"""Timeout of a call, in seconds."""
TRIES: Final = 2
"""Number of calls to reviews. Both values are those of the application; examples of delays and timeouts depend on
them."""

_USER: Final = re.compile(r"[\w.@-]{1,40}")


def respond(workload: Workload, method: str, path: str, headers: Mapping[str, str], body: str) -> Page:
    """The answer to one request."""
    path = path.partition("?")[0]
    user = _user(headers)
    if path == "/login" and method == "POST":
        return _signed_in(parse_qs(body).get("username", [""])[0])
    if path == "/logout":
        return _back(f"{SESSION}=; Max-Age=0; Path=/; SameSite=Lax")
    if path in ("/", "/productpage"):
        return _product_page(workload, user, headers)
    if path.startswith("/api/v1/products"):
        return _data(workload, path, user, headers)
    if path == "/static/page.css":
        return Page(200, pages.CSS.read_bytes(), {"Content-Type": "text/css", "Cache-Control": "max-age=60"})
    return Page(404, {"error": f"there is nothing at {path}"})


def _user(headers: Mapping[str, str]) -> str:
    """The signed-in user; empty if there is no valid cookie."""
    try:
        cookie = SimpleCookie(headers.get("cookie", "")).get(SESSION)
    except CookieError:
        return ""
    return cookie.value if cookie and _USER.fullmatch(cookie.value) else ""


def _signed_in(name: str) -> Page:
    if not _USER.fullmatch(name):
        return Page(400, {"error": "a user name is 1 to 40 letters, digits, or one of . @ _ -"})
    return _back(f"{SESSION}={name}; Path=/; HttpOnly; SameSite=Lax")


def _back(cookie: str) -> Page:
    return Page(302, b"", {"Location": "/productpage", "Set-Cookie": cookie})


def _product_page(workload: Workload, user: str, headers: Mapping[str, str]) -> Page:
    details = _ask(workload, "details", user, headers)
    reviews = _ask(workload, "reviews", user, headers)
    return Page(200, pages.product(user, details, reviews), {"Content-Type": "text/html; charset=utf-8"})


def _data(workload: Workload, path: str, user: str, headers: Mapping[str, str]) -> Page:
    """`/api/v1/products`, and below it `/0`, `/0/reviews`, `/0/ratings`."""
    _, _, rest = path.partition("/api/v1/products")
    match rest.strip("/").split("/"):
        case [""]:
            return Page(200, [{"id": 0, "title": books.TITLE}])
        case [_]:
            answer = _ask(workload, "details", user, headers)
        case [_, "reviews" | "ratings" as service]:
            answer = _ask(workload, service, user, headers)
        case _:
            return Page(404, {"error": f"there is nothing at {path}"})
    return Page(answer.status or 504, answer.data if answer.good else {"error": str(answer.data or "no answer")})


def _ask(workload: Workload, service: str, user: str, headers: Mapping[str, str]) -> Answer:
    """The answer of a service about the book; reviews is called a second time if the first call fails."""
    handed_on = {k: v for k, v in forwarded(headers).items() if k != "end-user"}
    if user:
        handed_on["end-user"] = user
    answer = Answer(0)
    for _ in range(TRIES if service == "reviews" else 1):
        answer = call(workload, f"http://{service}:9080/{service}/0", handed_on, PATIENCE)
        if answer.good:
            break
    return answer
