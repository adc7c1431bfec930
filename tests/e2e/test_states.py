"""A state that an earlier version of this project recorded previews without a change."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from tests.e2e.conftest import NO_CHANGES, Checkout, counts

STATES = sorted((Path(__file__).parent / "states").glob("*.json.gz"))
"""States of the stacks of this project as version 0.1 left them on an embedded cluster (`pulumi stack export`), without
times and stack traces. `KUBECONFIG` stands where the path of its kubeconfig stood."""
KUBECONFIG = "/recorded/kubeconfig"
PASSPHRASE = "recorded"
SECRETS = {"grafanaPassword": "recorded-password", "kialiSigningKey": "recorded-signing-key-0000000000000"}
"""The stacks' secrets in the recorded states."""


def recorded(checkout: Checkout, file: Path) -> str:
    """Imports a recorded state into its stack; the stack's name."""
    stack = file.name.partition(".")[0]
    text = gzip.decompress(file.read_bytes()).decode()
    state = checkout.home.parent / "state.json"
    state.write_text(text.replace(KUBECONFIG, str(checkout.cluster / "kubeconfig")))
    by_hand = [f'eval "$(make -s env STACK={stack})"']
    by_hand += [
        f'pulumi config set --secret mesh-addons:{key} {value} --stack {stack} --config-file "$STACK_FILE"'
        for key, value in SECRETS.items()
    ]
    by_hand.append(f"pulumi stack import --stack {stack} --file {state}")
    checkout.run("bash", "-c", " && ".join(by_hand), PULUMI_CONFIG_PASSPHRASE=PASSPHRASE)
    return stack


@pytest.mark.parametrize("file", STATES, ids=lambda file: file.name.partition(".")[0])
def test_a_recorded_state_previews_without_a_change(checkout: Checkout, file: Path) -> None:
    stack = recorded(checkout, file)
    command = ("make", "--silent", "preview", f"STACK={stack}", "CONTEXT=mesh-dev", NO_CHANGES)
    shown = checkout.run(*command, PULUMI_CONFIG_PASSPHRASE=PASSPHRASE, MESH_OFFLINE="1")
    assert counts(shown).endswith("unchanged")
    assert counts(shown).count(" ") == 2, shown  # nothing but "Resources: 123 unchanged"


def test_every_stack_of_version_0_1_has_a_recorded_state() -> None:
    assert [file.name.partition(".")[0] for file in STATES] == ["demo", "dev", "hardened"]
