"""A state that an earlier version of this project recorded previews without a change."""

from __future__ import annotations

import gzip
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from commands import stackfiles
from mesh.core.names import EMBEDDED_CLUSTERS
from tests.e2e.conftest import NO_CHANGES, Checkout, counts

STATES = sorted((Path(__file__).parent / "states").glob("*.json.gz"))
"""States of the stacks of this project and of an example, each as the version that brought the stack left it on an
embedded cluster (`pulumi stack export`), without times and stack traces. `KUBECONFIG` stands where the path of its
kubeconfig stood."""
KUBECONFIG = "/recorded/kubeconfig"
PASSPHRASE = "recorded"
SECRETS = {"grafanaPassword": "recorded-password", "kialiSigningKey": "recorded-signing-key-0000000000000"}
"""The stacks' secrets in the recorded states."""


EXAMPLES = ("shop",)
"""Those that are a stack only once their file is copied."""


def name_of(file: Path) -> str:
    """The stack whose state is in a file."""
    return file.name.partition(".")[0]


@pytest.mark.parametrize("file", STATES, ids=name_of)
def test_a_recorded_state_previews_without_a_change(checkout: Checkout, file: Path) -> None:
    own = replace(checkout, stack=name_of(file))
    if own.stack in EXAMPLES:
        shutil.copy(own.root / "examples" / own.stack / "stack.yaml", own.root / "stacks" / f"Pulumi.{own.stack}.yaml")
    context = own.given("context") or checkout.context
    text = gzip.decompress(file.read_bytes()).decode()
    state = checkout.home.parent / "state.json"
    state.write_text(text.replace(KUBECONFIG, str(checkout.home / EMBEDDED_CLUSTERS[context] / "kubeconfig")))
    secrets = [f'config set --secret mesh-addons:{k} {v} --config-file "$STACK_FILE"' for k, v in SECRETS.items()]
    own.pulumi(*secrets, f"stack import --file {state}", PULUMI_CONFIG_PASSPHRASE=PASSPHRASE)
    command = own.command("preview", f"CONTEXT={context}", NO_CHANGES)
    shown = own.run(*command, PULUMI_CONFIG_PASSPHRASE=PASSPHRASE, MESH_OFFLINE="1")
    assert counts(shown).endswith("unchanged")
    assert counts(shown).count(" ") == 2, shown  # nothing but "Resources: 123 unchanged"


def test_every_stack_of_this_project_has_a_recorded_state() -> None:
    assert {name_of(file) for file in STATES} == {*stackfiles.names(), *EXAMPLES}
