"""The analysis finds what `istioctl analyze` finds in a mesh, at the same objects.

The istioctl is of the newest Istio: `EXCEPT` lists its findings that do not apply to this project, with reasons; what
it says of later releases only (`Fault.since`, `LATER`) does not apply to the earlier ones.
"""

from __future__ import annotations

import copy
import json
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

import pytest
import yaml

from commands import render, stackfiles, stacks
from mesh import api, releases
from mesh.analysis.analyse import analyse
from mesh.analysis.mesh import Mesh
from mesh.analysis.objects import Object
from mesh.core import kinds
from mesh.core.names import DEFAULT_NAMES
from mesh.proxy.proxy import CONTAINER
from tests import envoy, meshes
from tests.e2e.watched_api import KINDS, serving
from tests.faults import FAULTS
from tests.meshes import Fault, Manifest, manifest_of
from toolchain.checkers import checkers

Said = frozenset[tuple[str, str]]

EXCEPT: Mapping[str, frozenset[str]] = {
    "istioctl says of every EnvoyFilter that it may stop to work": frozenset({"IST0133 EnvoyFilter"}),
}
TELEMETRY = frozenset({"IST0151 EnvoyFilter", "IST0155 EnvoyFilter"})
"""Findings of istioctl on the EnvoyFilters of Istio's own telemetry."""
JWT = frozenset({"IST0133 AuthorizationPolicy", "IST0175 Deployment"})
"""Findings of istioctl on tokens at a gateway: that they close its plain TCP ports, which is intended; and that a
setting is missing that limits the networks from which istiod fetches keys, though it gets them with the policy."""
UNSEEN = frozenset({"IST0104", "IST0117", "IST0126"})
"""Codes that this istioctl does not say: those of earlier releases, and that of networks, which it asks the server for
in another way than for all else."""
LATER = {"1.10": frozenset({"IST0135 Pod"})}
"""By release, findings of istioctl on annotations that a later release has deprecated."""
OF_PODS = {"IST0146": "IST0147"}
"""Codes of findings on pods, by those on Deployments."""
LEGACY = "gateway in the deprecated form of a host name"
"""A case that istiod understands and istioctl does not, which reports IST0101 and IST0132."""


def pods(manifests: Sequence[Manifest], release: str) -> Iterator[Manifest]:
    """One pod of each Deployment, with the sidecar that it would get; called as the Deployment."""
    image = f"{releases.get(release).hub}/proxyv2:{releases.get(release).version}"
    mesh = Mesh(map(Object.read, manifests), DEFAULT_NAMES)
    for workload in mesh.workloads.all:
        thing = workload.object
        if thing.kind != kinds.DEPLOYMENT:
            continue
        template = copy.deepcopy(thing.spec["template"])
        names = [container["name"] for container in template["spec"]["containers"]]
        if workload.proxy and CONTAINER not in names:
            template["spec"]["containers"].append({"name": CONTAINER, "image": image})
        where = {"name": thing.name, "namespace": thing.namespace}
        yield {
            "apiVersion": "v1",
            "kind": "Pod",
            "spec": template["spec"],
            "metadata": {**template["metadata"], **where},
        }


def istioctl(manifests: Sequence[Manifest], folder: Path, release: str = releases.DEFAULT) -> Said:
    """istioctl's findings. It reads Istio's objects from a file, the others from an API server."""
    read = (m for m in manifests if m["kind"] != "CustomResourceDefinition" or "gateway." in m["metadata"]["name"])
    whole = [*read, *pods(manifests, release)]
    kubernetes = [manifest for manifest in whole if manifest["kind"] in KINDS.values()]
    file = folder / "istio.yaml"
    file.write_text(yaml.safe_dump_all(manifest for manifest in whole if manifest not in kubernetes))
    with serving(kubernetes) as address:
        config = folder / "kubeconfig"
        config.write_text(yaml.safe_dump(_kubeconfig(address)))
        options = ["--all-namespaces", f"--kubeconfig={config}", "--output=json", "--log_target=stderr", str(file)]
        command = [str(checkers() / "istioctl"), "analyze", *options]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    if not done.stdout.strip():
        assert "No validation issues" in done.stderr, done.stderr
        return frozenset()
    return frozenset((message["code"], message["origin"]) for message in json.loads(done.stdout))


def _kubeconfig(address: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "x", "cluster": {"server": address}}],
        "contexts": [{"name": "x", "context": {"cluster": "x", "user": "x"}}],
        "users": [{"name": "x", "user": {}}],
        "current-context": "x",
    }


def ours(manifests: Sequence[Manifest], release: str) -> Said:
    """The same of this project; what is said of a workload is said of its pods, too."""
    names = replace(DEFAULT_NAMES, release=release)
    found = {(finding.code, str(finding.ref)) for finding in analyse(map(Object.read, manifests), names)}
    of_pods = {(OF_PODS.get(code, code), ref.replace("Deployment ", "Pod ")) for code, ref in found}
    return frozenset(found | of_pods)


def unexpected(said: Said, found: Said, *more: str) -> list[tuple[str, str]]:
    """The findings of istioctl that this project lacks, without the exceptions."""
    known = frozenset(more).union(*EXCEPT.values())
    return sorted((code, ref) for code, ref in said - found if f"{code} {ref.split(' ')[0]}" not in known)


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Said]:
    """istioctl's findings for each faulty mesh, by the fault's name. It mostly waits, so several run at once."""
    checkers()

    def judge(objects: Sequence[Manifest]) -> Said:
        return istioctl(meshes.changed(objects), tmp_path_factory.mktemp("analysis"))

    with ThreadPoolExecutor(8) as pool:
        names = [fault.name for fault in FAULTS]
        return dict(zip(names, pool.map(judge, [fault.objects for fault in FAULTS]), strict=True))


def test_istioctl_finds_nothing_in_the_good_mesh(tmp_path: Path) -> None:
    assert istioctl(meshes.valid_mesh(), tmp_path) == frozenset()


@pytest.mark.parametrize("release", releases.NAMES)
def test_analysis_has_istioctls_findings_at_the_same_objects(judged: dict[str, Said], release: str) -> None:
    found = {fault.name: ours(meshes.changed(fault.objects), release) for fault in FAULTS}
    missing = {f.name: unexpected(judged[f.name], found[f.name], *_excused(f, release)) for f in FAULTS}
    assert {name for name, lacking in missing.items() if lacking} == {LEGACY}


def _excused(fault: Fault, release: str) -> frozenset[str]:
    """What istioctl says of tokens, and of later releases."""
    tokens = JWT if any(one["kind"] == "RequestAuthentication" for one in fault.objects) else frozenset()
    later = fault.said - fault.said_of(release)
    as_pods = ((code, ref.split(" ")[0].replace("Deployment", "Pod")) for code, ref in later)
    return tokens | {f"{code} {kind}" for code, kind in as_pods}


def test_istioctl_has_the_analysis_findings_of_its_codes(judged: dict[str, Said]) -> None:
    codes = {code for fault in FAULTS for code, _ in fault.said if code.startswith("IST")}
    assert codes - {code for said in judged.values() for code, _ in said} == UNSEEN


PATCHES = 2000
"""Number of drawn EnvoyFilters; istioctl reads them in 4 s."""


def test_istioctl_refuses_the_same_values_of_envoys_types(tmp_path: Path) -> None:
    drawn = islice(envoy.patches(Random(1)), PATCHES)
    filters = {f"filter-{i}": patching(*patch) for i, patch in enumerate(drawn)}
    file = tmp_path / "filters.yaml"
    file.write_text("\n---\n".join(json.dumps(manifest_of("EnvoyFilter", *one)) for one in filters.items()))
    options = ["--use-kube=false", "--all-namespaces", "--output=json", str(file)]
    command = [str(checkers() / "istioctl"), "analyze", *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    said = [message for message in json.loads(done.stdout) if message["code"] == "IST0106"]
    theirs = {message["origin"].rpartition("/")[2]: message["message"] for message in said}
    assert {name for name, spec in filters.items() if refused(spec)} == set(theirs)
    assert 0 < len(theirs) < PATCHES


def patching(sort: str, value: Mapping[str, Any]) -> dict[str, Any]:
    """The spec of an EnvoyFilter with one patch."""
    patch = {"operation": "MERGE", "value": value}
    return {"configPatches": [{"applyTo": sort, "match": {"context": "ANY"}, "patch": patch}]}


def refused(spec: dict[str, Any]) -> bool:
    try:
        api.EnvoyFilter.from_wire(spec)
    except api.ApiError:
        return True
    return False


@pytest.mark.parametrize("stack", stackfiles.names())
def test_istioctl_finds_nothing_in_the_shipped_stacks(stack: str, tmp_path: Path) -> None:
    manifests = list(render.manifests(render.record(stack)))
    release = stacks.load(stack).settings.release
    known = TELEMETRY | JWT | LATER.get(release, frozenset())
    assert unexpected(istioctl(manifests, tmp_path, release), ours(manifests, release), *known) == []
