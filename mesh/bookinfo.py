"""Bookinfo, the application of Istio's tutorial: its services, who calls them, and where visitors find it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

PRODUCT_PAGE: Final = "productpage"
REVIEWS: Final = "reviews"
VERSIONS: Final[Mapping[str, tuple[str, ...]]] = {
    PRODUCT_PAGE: ("v1",),
    "details": ("v1",),
    REVIEWS: ("v1", "v2", "v3"),
    "ratings": ("v1",),
}
"""The services, callers first, and the versions of each."""
PORT: Final = 9080
"""Port of every service, and of its pods."""

CALLERS: Final[Mapping[str, tuple[str, ...]]] = {
    PRODUCT_PAGE: (),
    "details": (PRODUCT_PAGE,),
    REVIEWS: (PRODUCT_PAGE,),
    "ratings": (REVIEWS,),
}
"""Which services call each. Visitors come to the product page by a gateway."""
METHODS: Final[Mapping[str, tuple[Literal["GET", "POST"], ...]]] = {PRODUCT_PAGE: ("GET", "POST")}
"""The methods with which a service is called, where it is more than GET: the product page has a form to log in."""

PAGE_PATH: Final = "/productpage"
LOGIN_PATH: Final = "/login"
API_PATH: Final = "/api/v1/products"
REVIEWS_PATH: Final = f"{API_PATH}/0/reviews"
"""Where the product page hands on what reviews answers, as JSON."""
VISITOR_PATHS: Final[tuple[Mapping[str, str], ...]] = (
    {"exact": PAGE_PATH},
    {"prefix": "/static"},
    {"exact": LOGIN_PATH},
    {"exact": "/logout"},
    {"prefix": API_PATH},
)
"""What visitors ask the product page for, as conditions of a route."""

GATEWAY: Final = "bookinfo-gateway"
VIRTUAL_SERVICE: Final = "bookinfo"
"""Names of its own Gateway and VirtualService."""

STARS: Final[Mapping[str | None, str]] = {None: "v1", "black": "v2", "red": "v3"}
"""The versions of reviews by the colour of their stars; those with stars ask ratings for them."""


def service_account(service: str) -> str:
    """The service account of one of the services."""
    return f"bookinfo-{service}"
