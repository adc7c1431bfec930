"""Objects that our types let pass, by chance, before the judges: the API server and Istio's own validation."""

import random
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, seed
from hypothesis import settings as limits

from components import api
from components.api import Kind
from tests.e2e.conftest import Checkout
from tests.generate import objects
from toolchain.checkers import checkers

EACH = 220  # of 12 kinds; some draws do not meet the rules between fields
SEED = 1103


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with random objects of every kind."""
    made: list[dict[str, Any]] = []
    random.seed(SEED)
    for kind in api.kinds():

        @limits(max_examples=EACH, database=None, deadline=None, suppress_health_check=list(HealthCheck))
        @seed(SEED)
        @given(objects(kind))
        def collect(item: Kind) -> None:
            made.append(item.manifest(f"{item.kind.lower()}-{len(made)}", "default"))

        collect()
    print(f"{len(made)} objects, seed {SEED}")
    assert len(made) > 2000
    file = tmp_path_factory.mktemp("drawn") / "objects.yaml"
    file.write_text(yaml.safe_dump_all(made))
    return file


def test_istio_itself_finds_every_object_valid(drawn: Path) -> None:
    done = subprocess.run(
        [str(checkers() / "istioctl"), "validate", "--filename", str(drawn)],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]


def test_the_api_server_accepts_every_object(checkout: Checkout, drawn: Path) -> None:
    checkout.make("sandbox")
    checkout.make("render", "STACK=demo", "OUT=../definitions")
    folder = checkout.root.parent / "definitions" / "1-namespaces-and-definitions"
    checkout.kubectl("apply", "--server-side", "--filename", str(folder))
    checkout.kubectl("wait", "crd", "--all", "--for=condition=Established", "--timeout=60s")
    text = checkout.kubectl("apply", "--server-side", "--dry-run=server", "--filename", str(drawn), code=None)
    refused = [line for line in text.splitlines() if "serverside-applied (server dry run)" not in line]
    checkout.kubectl("delete", "--filename", str(folder), "--ignore-not-found", "--wait=false", code=None)
    assert refused == []
