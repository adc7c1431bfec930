"""MeshConfig and ProxyConfig are read in both spellings that protobuf takes, wherever they stand."""

from __future__ import annotations

from typing import Any

import pytest

from mesh.analysis import reading, trusted_proxies
from mesh.analysis.mesh import Mesh
from mesh.analysis.objects import Object
from mesh.api import MeshConfig, spelling
from mesh.core.names import DEFAULT_NAMES
from mesh.proxy import InjectionError, proxyconfig
from tests.releases import RELEASE


def effective(annotation: str) -> dict[str, Any]:
    return proxyconfig.effective(RELEASE.proxy_config, {}, {proxyconfig.ANNOTATION: annotation})


def test_names_that_users_choose_keep_their_spelling() -> None:
    data = {"default_config": {"proxy_metadata": {"my_name": "a"}}}

    assert spelling.respell(MeshConfig, data) == []
    assert data == {"defaultConfig": {"proxyMetadata": {"my_name": "a"}}}


def test_fields_in_lists_are_respelled() -> None:
    data = {"extension_providers": [{"name": "a", "envoy_ext_authz_grpc": {"fail_open": True}}]}

    assert spelling.respell(MeshConfig, data) == []
    assert data == {"extensionProviders": [{"name": "a", "envoyExtAuthzGrpc": {"failOpen": True}}]}


def test_the_annotation_of_a_pod_is_read_in_both_spellings() -> None:
    assert effective("drain_duration: 9s")["drainDuration"] == "9s"


def test_an_annotation_with_a_field_in_both_spellings_is_refused() -> None:
    with pytest.raises(InjectionError, match="drain_duration and drainDuration are the same: leave one of them out"):
        effective("{drain_duration: 9s, drainDuration: 8s}")


def test_the_mesh_config_of_an_installation_is_read_in_both_spellings() -> None:
    assert reading.mesh_config("default_config: {status_port: 1}") == ({"defaultConfig": {"statusPort": 1}}, [])


def test_a_gateway_that_trusts_proxies_is_known_in_both_spellings() -> None:
    annotations = {proxyconfig.ANNOTATION: "gateway_topology: {num_trusted_proxies: 1}"}
    metadata = {"name": "edge", "namespace": "a", "labels": {"app": "edge"}, "annotations": annotations}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {"containers": []}}
    mesh = Mesh([Object.read(pod)], DEFAULT_NAMES)

    (edge,) = mesh.workloads.select({"app": "edge"})
    assert trusted_proxies.trusted(mesh, edge)
