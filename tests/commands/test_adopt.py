"""`make adopt`: which objects may be taken over, and which are imported."""

from __future__ import annotations

from typing import Any

import pytest

from commands import adopt
from commands.parity import sources
from commands.stackfiles import CommandError
from mesh.analysis.objects import Ref
from tests import fake_api
from tests.commands.test_imports import COMPONENT, resource
from tests.commands.test_parity import DEPLOYMENT, ROLE, SECRET, SERVICE, changed, containers

HERE = sources.StackObjects(fake_api.only(SERVICE, DEPLOYMENT, SECRET), {})


def compare(*theirs: Any, force: bool = False) -> None:
    adopt._compare("demo", HERE, theirs, force)


def test_objects_equal_to_the_stacks_may_be_taken_over() -> None:
    compare(SERVICE, DEPLOYMENT, SECRET)


def test_objects_that_the_stack_does_not_have_do_not_prevent_a_takeover() -> None:
    compare(SERVICE, DEPLOYMENT, SECRET, ROLE)


def test_missing_secrets_do_not_prevent_a_takeover() -> None:
    compare(SERVICE, DEPLOYMENT)


def test_a_differing_field_is_refused_and_named(capsys: pytest.CaptureFixture[str]) -> None:
    other = changed(DEPLOYMENT, lambda m: containers(m)[0].update(image="front:2"))
    with pytest.raises(CommandError, match="the cluster differs from stack demo"):
        compare(SERVICE, other)
    assert "image: front:2 there, front:1 here" in capsys.readouterr().out
    compare(SERVICE, other, force=True)


def test_a_missing_object_is_refused() -> None:
    with pytest.raises(CommandError, match="the cluster differs from stack demo"):
        compare(SERVICE)


def test_a_cluster_without_the_stacks_objects_cannot_be_taken_over() -> None:
    with pytest.raises(CommandError, match="`make up STACK=demo` installs it"):
        compare(ROLE, force=True)


def test_only_existing_whole_objects_other_than_secrets_are_imported() -> None:
    service, patch, hidden = resource("Service", "front"), resource("NamespacePatch", "shop"), resource("Secret", "s")
    for one in (service, patch, hidden):
        one["inputs"]["apiVersion"] = "v1"
    there = {Ref.of(one["inputs"]) for one in (service, patch, hidden)}
    absent = resource("ConfigMap", "absent")
    absent["inputs"]["apiVersion"] = "v1"
    imported = [r for r in (COMPONENT, service, patch, hidden, absent) if adopt._can_be_imported(r, there)]
    assert imported == [COMPONENT, service]
