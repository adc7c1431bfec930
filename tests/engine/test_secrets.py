"""What the engine gets: decrypted values in their places, and secrets in place of what is not to be shown."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any

import pulumi
import pulumi_kubernetes as k8s
import pytest
import yaml

from engine import config
from engine.secrets import Secrets
from mesh.config import stack_file
from mesh.config.settings import SettingsError
from mesh.core import secure
from mesh.core.disclosure import DEFAULT
from mesh.core.secure import HIDDEN

TOKEN = secure.placeholder("mesh:pilot.env.TOKEN", "v1:a")
VALUE = 'say "hello":\n- 1'
SECRETS = {TOKEN: VALUE}
CONTENT = {"a": {"token": TOKEN}, "b": 1}
DEPLOYMENT = "kubernetes:apps/v1:Deployment"


def protected(secrets: Secrets, token: str, **props: Any) -> dict[str, Any] | None:
    nothing: Any = None
    found = secrets.protect(
        pulumi.ResourceTransformationArgs(nothing, type_=token, name="x", props=props, opts=pulumi.ResourceOptions())
    )
    return dict(found.props) if found else None


@pytest.fixture(autouse=True)
def loop() -> Iterator[None]:
    """The event loop in which outputs are resolved."""
    before, own = asyncio.get_event_loop(), asyncio.new_event_loop()
    asyncio.set_event_loop(own)
    yield
    asyncio.set_event_loop(before)
    own.run_until_complete(own.shutdown_asyncgens())


def secret(value: Any) -> Any:
    """The value of an output, which must be secret."""
    assert isinstance(value, pulumi.Output)
    resolve = asyncio.get_event_loop().run_until_complete
    assert resolve(value.is_secret())
    return resolve(value.future())


def containers(*env: tuple[str, str]) -> k8s.apps.v1.DeploymentSpecArgs:
    variables = [k8s.core.v1.EnvVarArgs(name=name, value=value) for name, value in env]
    pod = k8s.core.v1.PodSpecArgs(containers=[k8s.core.v1.ContainerArgs(name="discovery", env=variables)])
    template = k8s.core.v1.PodTemplateSpecArgs(spec=pod)
    return k8s.apps.v1.DeploymentSpecArgs(selector=k8s.meta.v1.LabelSelectorArgs(), template=template)


def test_a_resource_without_secrets_is_left_as_it_is() -> None:
    secrets = Secrets(SECRETS, DEFAULT)
    assert protected(secrets, DEPLOYMENT, spec=containers(("FLAG", "a"))) is None


def test_a_decrypted_value_is_a_secret_where_its_placeholder_stood() -> None:
    secrets = Secrets(SECRETS, DEFAULT)
    found = protected(secrets, DEPLOYMENT, spec=containers(("FLAG", "a"), ("TOKEN", TOKEN)))
    assert found
    flag, token = found["spec"]["template"]["spec"]["containers"][0]["env"]
    assert flag.value == "a"
    assert secret(token["value"]) == VALUE


def test_a_secrets_own_values_are_decrypted_and_all_else_of_it_is_left_alone() -> None:
    secrets = Secrets(SECRETS, DEFAULT)
    assert protected(secrets, "kubernetes:core/v1:Secret", stringData={"password": "in clear"}) is None
    found = protected(secrets, "kubernetes:core/v1:Secret", stringData={"token": TOKEN, "b": "1"})
    assert found
    assert (secret(found["stringData"]["token"]), found["stringData"]["b"]) == (VALUE, "1")


def test_a_credential_in_clear_is_a_secret_too() -> None:
    found = protected(Secrets({}, DEFAULT), DEPLOYMENT, spec=containers(("PASSWORD", "a")))
    assert found
    assert secret(found["spec"]["template"]["spec"]["containers"][0]["env"][0]["value"]) == "a"


@pytest.mark.parametrize(
    ("text", "read"),
    [
        (yaml.safe_dump({"a": {"token": TOKEN}, "b": 1}), yaml.safe_load),
        (json.dumps({"a": {"token": TOKEN}, "b": 1}), json.loads),
    ],
)
def test_a_document_with_a_secret_is_one_secret_and_stays_well_formed(text: str, read: Any) -> None:
    found = protected(Secrets(SECRETS, DEFAULT), "kubernetes:core/v1:ConfigMap", data={"mesh": text, "other": "x"})
    assert found
    assert found["data"]["other"] == "x"
    assert read(secret(found["data"]["mesh"])) == {"a": {"token": VALUE}, "b": 1}


def test_a_placeholder_within_a_text_is_replaced() -> None:
    found = protected(Secrets({TOKEN: "v"}, DEFAULT), DEPLOYMENT, spec={"args": f"--token={TOKEN}"})
    assert found
    assert secret(found["spec"]["args"]) == "--token=v"


def test_what_the_engine_hides_with_a_secret_is_recorded_without_it() -> None:
    secrets = Secrets(SECRETS, DEFAULT)
    protected(secrets, DEPLOYMENT, spec=containers(("FLAG", "a"), ("TOKEN", TOKEN), ("PASSWORD", "b")))
    protected(secrets, "kubernetes:core/v1:ConfigMap", data={"mesh": f"a: 1\ntoken: '{TOKEN}'\n"})
    env, text = secrets._readable
    assert env["resource"] == f"{DEPLOYMENT}::x"
    assert env["path"] == ["spec", "template", "spec", "containers"]
    assert [one["value"] for one in env["value"][0]["env"]] == ["a", TOKEN, HIDDEN]
    assert (text["path"], yaml.safe_load(text["value"])) == (["data", "mesh"], {"a": 1, "token": TOKEN})


def test_the_config_has_placeholders_where_the_stack_file_has_encrypted_values(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    file = tmp_path / "Pulumi.x.yaml"
    file.write_text("config:\n  mesh:pilot: {env: {1: {secure: 'v1:a'}, B: b}}\n  mesh:hub: {secure: 'v1:b'}\n")
    given = {"mesh:pilot": '{"env": {"1": "decrypted", "B": "b"}}', "mesh:hub": "decrypted too", "mesh:profile": "demo"}
    monkeypatch.setenv(stack_file.VARIABLE, str(file))
    monkeypatch.setattr(config, "from_environment", lambda: given)
    monkeypatch.setenv("PULUMI_CONFIG_SECRET_KEYS", json.dumps(["mesh:pilot", "mesh:hub"]))
    empty: ContextVar[dict[str, str]] = ContextVar("empty")
    empty.set({})
    monkeypatch.setattr("pulumi.runtime.config.CONFIG", empty)
    found = config.of_stack("x")
    assert {key: secure.key_of(value) for key, value in found.values.items()} == {
        "mesh:pilot": "mesh:pilot.env[1]",
        "mesh:hub": "mesh:hub",
        "mesh:profile": "",
    }
    assert sorted(found.secrets.values()) == ["decrypted", "decrypted too"]
    assert "decrypted" not in repr(found)
    monkeypatch.delenv(stack_file.VARIABLE)
    with pytest.raises(SettingsError, match=r"mesh:pilot, mesh:hub: encrypted, and .* does not say which"):
        config.of_stack("x")
