"""Bookinfo of each release; tests/parity compares it with Istio's own sample."""

import pytest

from tests.mesh.config.test_installation import Object, installed


def bookinfo(release: str) -> dict[str, Object]:
    return installed(release=release, injectedNamespaces={"default": "existing"}, bookinfo=True)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("release", "image", "user"),
    [
        ("1.10", "docker.io/istio/examples-bookinfo-reviews-v2:1.16.2", {"runAsUser": 1000}),
        ("1.30", "registry.istio.io/release/examples-bookinfo-reviews-v2:1.20.3", None),
    ],
)
def test_bookinfo_has_the_images_of_its_release(release: str, image: str, user: object) -> None:
    (container,) = bookinfo(release)["Deployment/reviews-v2"]["spec"]["template"]["spec"]["containers"]
    assert (container["image"], container.get("securityContext")) == (image, user)


def test_prometheus_scrapes_the_product_page_of_the_release_that_has_metrics() -> None:
    (old, new) = (bookinfo(name)["Deployment/productpage-v1"]["spec"]["template"] for name in ("1.10", "1.30"))
    assert "annotations" not in old["metadata"]
    assert new["metadata"]["annotations"]["prometheus.io/port"] == "9080"
