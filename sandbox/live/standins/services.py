"""The stand-ins for details, ratings and reviews. Each turns a request into a status and data for a JSON body."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from sandbox.live.plan import Workload
from sandbox.live.standins import books
from sandbox.live.standins.calls import call, forwarded

Reply = tuple[int, Any]
Service = Callable[[Workload, str, Mapping[str, str]], Reply]

RATINGS_ARE_MISSING: Final = "The ratings service does not answer."


def details(_: Workload, path: str, __: Mapping[str, str]) -> Reply:
    """`/details/<id>`: author, publisher and the like."""
    return (200, books.DETAILS) if path.startswith("/details/") else (404, {"error": path})


def ratings(_: Workload, path: str, __: Mapping[str, str]) -> Reply:
    """`/ratings/<id>`: the number of stars by reviewer."""
    return (200, {"id": 0, "ratings": books.RATINGS}) if path.startswith("/ratings/") else (404, {"error": path})


def reviews(workload: Workload, path: str, headers: Mapping[str, str]) -> Reply:
    """`/reviews/<id>`: the reviews; from v2 on with stars, for which it calls ratings."""
    if not path.startswith("/reviews/"):
        return 404, {"error": path}
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
    return 200, {"id": "0", "podname": workload.name, "version": workload.version, "reviews": entries}


SERVICES: Final[dict[str, Service]] = {"details": details, "ratings": ratings, "reviews": reviews}
