"""Bookinfo of each release, compared with Istio's own sample."""

import os
from pathlib import Path
from typing import Any

import pytest
import yaml

from commands import render
from mesh import releases
from tests.mesh.config.test_installation import Object, installed

REFERENCE = os.environ.get("MESH_REFERENCE", "")
FILES = ("bookinfo.yaml", "networking/bookinfo-gateway.yaml")


def placed(manifest: dict[str, Any]) -> dict[str, Any]:
    """An object without its namespace and the version of its API, and with volume mounts sorted by name, since their
    order has no meaning."""
    meta = {key: value for key, value in manifest["metadata"].items() if key != "namespace"}
    pod = manifest.get("spec", {}).get("template", {}).get("spec", {})
    for container in pod.get("containers", []):
        container.get("volumeMounts", []).sort(key=lambda mount: mount["name"])
    return {**manifest, "metadata": meta, "apiVersion": manifest["apiVersion"].rpartition("/")[0]}


def by_name(manifests: list[dict[str, Any]]) -> dict[tuple[str, str], dict[str, Any]]:
    return {(m["kind"], m["metadata"]["name"]): placed(m) for m in manifests}


@pytest.mark.skipif(not REFERENCE, reason="MESH_REFERENCE does not name a folder with Istio's own output")
@pytest.mark.parametrize("release", releases.NAMES)
def test_bookinfo_equals_istios_sample_but_for_the_number_of_the_gateways_port(release: str) -> None:
    config = {"mesh:release": release, "mesh:injectedNamespaces": '{"default": "existing"}', "mesh:bookinfo": "true"}
    recorded = render.manifests(render.record("x", config))
    ours = by_name([m for m in recorded if m["metadata"].get("namespace") == "default"])
    folder = Path(REFERENCE, f"istio-{releases.get(release).version}", "bookinfo")
    theirs = by_name([m for name in FILES for m in yaml.safe_load_all((folder / name).read_text()) if m])
    assert len(theirs) == 16
    (server,) = theirs["Gateway", "bookinfo-gateway"]["spec"]["servers"]
    assert server["port"]["number"] in (80, 8080)  # the Service's port, or that of the pods behind it
    server["port"]["number"] = 80
    assert ours == theirs


def bookinfo(release: str) -> dict[str, Object]:
    return installed(release=release, injectedNamespaces={"default": "existing"}, bookinfo=True)


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
