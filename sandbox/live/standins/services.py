"""The stand-ins for Bookinfo's workloads, which answer as the application does."""

from collections.abc import Mapping
from typing import Any, Final

from sandbox.live.plan import Workload
from sandbox.live.standins import books, productpage
from sandbox.live.standins.calls import call, forwarded
from sandbox.live.standins.page import Page, Respond

RATINGS_ARE_MISSING: Final = "The ratings service does not answer."


def details(_: Workload, __: str, path: str, ___: Mapping[str, str], ____: str) -> Page:
    """`/details/<id>`: author, publisher and the like."""
    return Page(200, books.DETAILS) if path.startswith("/details/") else _nothing(path)


def ratings(_: Workload, __: str, path: str, ___: Mapping[str, str], ____: str) -> Page:
    """`/ratings/<id>`: the number of stars by reviewer."""
    return Page(200, {"id": 0, "ratings": books.RATINGS}) if path.startswith("/ratings/") else _nothing(path)


def reviews(workload: Workload, _: str, path: str, headers: Mapping[str, str], __: str) -> Page:
    """`/reviews/<id>`: the reviews. From v2 on they have stars, for which it calls ratings."""
    if not path.startswith("/reviews/"):
        return _nothing(path)
    color = books.COLORS[workload.version]
    entries: list[dict[str, Any]] = [{"reviewer": name, "text": text} for name, text in books.REVIEWS]
    if color:
        url, patience = "http://ratings:9080/ratings/0", books.PATIENCE[workload.version]
        answer = call(workload, url, forwarded(headers), patience)
        for entry in entries:
            entry["rating"] = (
                {"stars": answer.data["ratings"][entry["reviewer"]], "color": color}
                if answer.good
                else {"error": RATINGS_ARE_MISSING}
            )
    return Page(200, {"id": "0", "podname": workload.name, "version": workload.version, "reviews": entries})


def _nothing(path: str) -> Page:
    return Page(404, {"error": path})


SERVICES: Final[Mapping[str, Respond]] = {
    "productpage": productpage.respond,
    "details": details,
    "ratings": ratings,
    "reviews": reviews,
}
"""By the label `app` of the pods."""
