"""Bookinfo, Istio's sample application: its services, their callers, and the paths of its product page."""

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
"""Versions by service; callers come before the services that they call."""
PORT: Final = 9080
"""Port of every Service and of its pods."""

CALLERS: Final[Mapping[str, tuple[str, ...]]] = {
    PRODUCT_PAGE: (),
    "details": (PRODUCT_PAGE,),
    REVIEWS: (PRODUCT_PAGE,),
    "ratings": (REVIEWS,),
}
"""Callers by service. The product page is called through a gateway."""
METHODS: Final[Mapping[str, tuple[Literal["GET", "POST"], ...]]] = {PRODUCT_PAGE: ("GET", "POST")}
"""HTTP methods by service, if there are others than GET: the product page has a login form."""

PAGE_PATH: Final = "/productpage"
LOGIN_PATH: Final = "/login"
API_PATH: Final = "/api/v1/products"
REVIEWS_PATH: Final = f"{API_PATH}/0/reviews"
"""Path at which the product page returns the response of reviews, as JSON."""
VISITOR_PATHS: Final[tuple[Mapping[str, str], ...]] = (
    {"exact": PAGE_PATH},
    {"prefix": "/static"},
    {"exact": LOGIN_PATH},
    {"exact": "/logout"},
    {"prefix": API_PATH},
)
"""Paths that visitors request, as URI matches of a VirtualService."""

GATEWAY: Final = "bookinfo-gateway"
VIRTUAL_SERVICE: Final = "bookinfo"
"""Names of Bookinfo's own Gateway and VirtualService."""

STARS: Final[Mapping[str | None, str]] = {None: "v1", "black": "v2", "red": "v3"}
"""Versions of reviews by the color of their stars. v1 shows none; the others call the service ratings."""


def service_account(service: str) -> str:
    """Name of the service account of a service."""
    return f"bookinfo-{service}"
