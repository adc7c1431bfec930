"""The policy pack as Pulumi runs it: a process that prints its port and answers the engine over gRPC."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import Any

import grpc  # type: ignore[import-untyped]
import pytest
from google.protobuf import empty_pb2, struct_pb2
from pulumi.runtime.proto import analyzer_pb2 as wire
from pulumi.runtime.proto import analyzer_pb2_grpc as service
from pulumi_policy.proxy import UNKNOWN_STRING_VALUE

from commands import policy, render, stackfiles
from commands.stackfiles import ROOT
from engine.recorder import Resource
from mesh.analysis.policies import POLICIES

pytestmark = pytest.mark.slow

LEVELS = {wire.ADVISORY: "warning", wire.MANDATORY: "error"}


@cache
def recorded(stack: str) -> list[Resource]:
    """The resources of a stack; suppressions do not change them."""
    return render.record(stack)


class Pack:
    """A running pack, and the requests of the engine."""

    def __init__(self, stub: Any) -> None:
        self._stub = stub

    def configure(self, **chosen: Any) -> None:
        """Gives every policy its level, as the engine does: the policy's own, then the pack's, then `chosen`."""
        info = self._stub.GetAnalyzerInfo(empty_pb2.Empty())
        initial = {name: entry.enforcementLevel for name, entry in info.initialConfig.items()}
        levels = {}
        for one in info.policies:
            levels[one.name] = one.enforcementLevel
            for layer in (initial, chosen):
                levels[one.name] = layer.get(one.name, layer.get("all", levels[one.name]))
        config = {name: wire.PolicyConfig(enforcementLevel=level) for name, level in levels.items()}
        self._stub.Configure(wire.ConfigureAnalyzerRequest(policyConfig=config))

    def names(self) -> set[str]:
        return {one.name for one in self._stub.GetAnalyzerInfo(empty_pb2.Empty()).policies}

    def judge(self, resources: list[Resource]) -> list[Any]:
        """The violations of resources: of each one, then of the whole stack."""
        alone = [self._stub.Analyze(_request(wire.AnalyzeRequest, one)) for one in resources]
        whole = [_request(wire.AnalyzerResource, one, parent=one.parent) for one in resources]
        together = self._stub.AnalyzeStack(wire.AnalyzeStackRequest(resources=whole))
        return [said for answer in [*alone, together] for said in answer.diagnostics]


def _request(kind: Any, resource: Resource, **more: Any) -> Any:
    properties = struct_pb2.Struct()
    properties.update(json.loads(json.dumps(resource.inputs)))
    options = wire.AnalyzerResourceOptions(parent=resource.parent)
    named = {"type": resource.type, "urn": resource.urn, "name": resource.name}
    return kind(properties=properties, options=options, **named, **more)


@contextmanager
def started(config: Mapping[str, str] | None = None, **env: str) -> Iterator[Pack]:
    """Runs the pack as the engine's script does."""
    kept = {name: value for name, value in os.environ.items() if name not in ("STACK", "PULUMI_CONFIG")}
    given = {} if config is None else {"PULUMI_CONFIG": json.dumps(dict(config))}
    command = [sys.executable, "-u", "-m", "pulumi.policy", "127.0.0.1:1", "."]
    with subprocess.Popen(
        command, cwd=ROOT / "policies", env={**kept, **given, **env}, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        try:
            with grpc.insecure_channel(f"127.0.0.1:{int(process.stdout.readline())}") as channel:
                pack = Pack(service.AnalyzerStub(channel))
                pack.configure()
                yield pack
        finally:
            process.kill()


def said(diagnostics: list[Any]) -> list[str]:
    """Violations in the words of `make policy`."""
    return sorted(f"{LEVELS[one.enforcementLevel]}: {one.message.partition(chr(10))[2]}" for one in diagnostics)


@pytest.mark.parametrize("stack", ["demo", "hardened", "production"])
def test_the_pack_reports_the_same_violations_as_make_policy(stack: str) -> None:
    config = stackfiles.config(stack)
    with started(config) as pack:
        heard = said(pack.judge(recorded(stack)))
    assert heard == sorted(f"{finding.severity}: {finding}" for finding in policy.findings(stack))


def test_the_pack_reports_violations_that_the_stack_hardened_does_not_suppress() -> None:
    config = {**stackfiles.config("hardened"), "mesh:analysis": "{}"}
    with started(config) as pack:
        heard = pack.judge(recorded("hardened"))
    assert {one.enforcementLevel for one in heard} == {wire.MANDATORY}
    assert {one.policyName for one in heard} == {"image-without-digest", "missing-limits", "end-of-life"}


def test_the_pack_reports_a_suppression_that_matches_nothing() -> None:
    entry = {"code": "MESH0301", "object": "Deployment x/y", "reason": "none"}
    with started({"mesh:analysis": json.dumps({"suppress": [entry]})}) as pack:
        assert [one.policyName for one in pack.judge([])] == ["unused-suppression"]


def test_a_violation_of_a_stack_policy_is_reported_at_its_resource() -> None:
    resources = recorded("demo")
    with started({}) as pack:
        urns = {one.urn for one in pack.judge(resources) if one.policyName == "wildcard-host"}
    assert urns == {one.urn for one in resources if one.name == "bookinfo-gateway"}


def test_unknown_values_do_not_stop_a_policy() -> None:
    meta = {"name": "x", "namespace": "y", "annotations": {"mesh/id": UNKNOWN_STRING_VALUE}}
    pod = {"containers": [{"name": "app", "image": UNKNOWN_STRING_VALUE}]}
    inputs = {"metadata": meta, "spec": {"template": {"metadata": {}, "spec": pod}}}
    with started({"mesh:policies": '{"all": "mandatory"}'}) as pack:
        heard = pack.judge([Resource("kubernetes:apps/v1:Deployment", "x", inputs, None)])
    assert [one.policyName for one in heard] == ["missing-limits"]


def test_a_level_in_pulumis_pack_config_overrides_the_stacks() -> None:
    with started(stackfiles.config("hardened")) as pack:
        pack.configure(all=wire.DISABLED)
        assert pack.judge(recorded("hardened")) == []


def test_the_stack_file_is_read_if_pulumi_passes_no_config() -> None:
    with started(STACK="hardened") as pack:
        assert said(pack.judge(recorded("hardened"))) == []


def test_a_wrong_config_ends_the_pack_with_one_message() -> None:
    config = json.dumps({"mesh:policies": '{"all": "strict"}'})
    command = [sys.executable, "-u", "-m", "pulumi.policy", "127.0.0.1:1", "."]
    done = subprocess.run(
        command,
        cwd=ROOT / "policies",
        env={**os.environ, "PULUMI_CONFIG": config},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("error: mesh:policies.all")
    assert "Traceback" not in done.stderr


def test_every_policy_is_in_the_pack() -> None:
    with started() as pack:
        assert pack.names() == {one.slug for one in POLICIES.values()}
