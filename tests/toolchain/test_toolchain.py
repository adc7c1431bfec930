"""The toolchain without a real build: small scripts on PATH take the place of Go and Pulumi."""

import io
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

import toolchain
from toolchain import ToolchainError, installed, paths, pins

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]

FAKE_GO = f"""#!{sys.executable}
import json, os, pathlib, sys, time
words = sys.argv[1:]
with open(os.environ["CALLS"], "a") as calls:
    calls.write(" ".join(words) + "\\n")
exec(os.environ.get("MISDEED", ""))
if words[0] == "env":
    print("go1.99.0")
elif words[:2] == ["mod", "download"]:
    source = pathlib.Path(os.environ["CALLS"]).parent / "module"
    for script in ("python/cmd/pulumi-language-python-exec", "python/dist/pulumi-analyzer-policy-python"):
        (source / script).parent.mkdir(parents=True, exist_ok=True)
        (source / script).write_text("launcher")
    parts = ("yaml/v2/kinds", "yaml/v2/init", "core/v1/pod")
    for file in ("go.mod", *(f"go/kubernetes/{{part}}.go" for part in parts)):
        (source / file).parent.mkdir(parents=True, exist_ok=True)
        (source / file).write_text("of the module")
    print(json.dumps({{"Dir": str(source)}}))
elif words[0] == "list":
    print("a/package\\nanother/package")
elif words[0] == "build":
    print("a/package", file=sys.stderr)
    folder = pathlib.Path(words[words.index("-o") + 1])
    for package in words[words.index("-o") + 2:]:
        names = [name for name in package.split("/") if name != "v3"]
        (folder / names[-1]).write_text(package)
"""


@pytest.fixture(autouse=True)
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine whose PATH only has a `go` that records its calls."""
    (tmp_path / "bin").mkdir()
    script(tmp_path / "bin" / "go", FAKE_GO)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}")
    monkeypatch.setenv("CALLS", f"{tmp_path / 'calls'}")
    monkeypatch.setenv("MESH_CACHE", f"{tmp_path / 'cache'}")
    monkeypatch.setenv("PULUMI_HOME", f"{tmp_path / 'pulumi-home'}")
    return tmp_path


def script(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


def install_pulumi(folder: Path, version: str, plugin: str = "exit 1", host: bool = True) -> Path:
    """Installs a `pulumi` that records its calls, prints `version`, and runs `plugin` for `pulumi plugin`."""
    text = f'#!/bin/sh\necho "pulumi $*" >> "$CALLS"\nif [ "$1" = plugin ]; then\n{plugin}\nfi\necho {version}\n'
    if host:
        script(folder / "pulumi-language-python", "#!/bin/sh\n")
    return script(folder / "pulumi", text)


def calls(machine: Path, program: str = "") -> list[str]:
    noted = machine / "calls"
    lines = noted.read_text().splitlines() if noted.exists() else []
    return [line for line in lines if line.startswith(program)]


def built(tools: toolchain.Toolchain) -> set[str]:
    place = tools.bin.parent
    return {file.name for folder in ("bin", "engine") for file in (place / folder).glob("*")}


PINS = pins.read()
KEY = PINS.key
EVERYTHING = {*pins.PACKAGES, *pins.HOST_PACKAGES, *pins.SCRIPTS}


# Building


def test_all_programs_are_built_if_none_exists() -> None:
    tools = toolchain.ensure(io.StringIO())
    assert built(tools) == EVERYTHING
    assert (tools.bin / "etcd").read_text() == pins.PACKAGES["etcd"]
    assert (tools.bin / "pulumi-resource-kubernetes").read_text() == "mesh.local/toolchain/provider"
    assert tools.pulumi.read_text() == pins.PACKAGES["pulumi"]
    assert all(os.access(tools.pulumi.with_name(name), os.X_OK) for name in pins.SCRIPTS)


def test_nothing_is_run_if_all_programs_exist(monkeypatch: pytest.MonkeyPatch) -> None:
    first = toolchain.ensure(io.StringIO())

    def no_process(*_: object, **__: object) -> None:
        raise AssertionError("a complete cache must be used without starting a program")

    monkeypatch.setattr(subprocess, "Popen", no_process)
    assert toolchain.ensure() == first


def test_only_missing_programs_are_built(machine: Path) -> None:
    tools = toolchain.ensure(io.StringIO())
    (tools.bin / "kwok").unlink()
    (machine / "calls").unlink()
    toolchain.ensure(io.StringIO())
    [command] = calls(machine, "build")
    assert command.split("/ ")[-1] == pins.PACKAGES["kwok"]
    assert built(tools) == EVERYTHING


def test_the_schema_overlays_the_file_that_the_provider_embeds(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = machine / "overlay.json"
    overlay = "pathlib.Path(words[words.index('-overlay') + 1]).read_text()"
    keep = f"if words[0] == 'build' and '-overlay' in words: pathlib.Path({str(kept)!r}).write_text({overlay})"
    monkeypatch.setenv("MISDEED", keep)
    toolchain.ensure(io.StringIO())
    [(embedded, schema)] = json.loads(kept.read_text())["Replace"].items()
    assert Path(embedded) == pins.MODULE / "provider" / "schema.json"
    assert schema.endswith("cmd/pulumi-resource-kubernetes/schema.json")


def test_the_provider_is_built_with_a_part_of_the_sdk_and_with_our_registration(
    machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept, copy = machine / "go.mod", machine / "sdk"
    keep = f"""
if words[0] == "build" and "-modfile" in words:
    import shutil
    modules = pathlib.Path(words[words.index("-modfile") + 1]).read_text()
    pathlib.Path({str(kept)!r}).write_text(modules)
    shutil.copytree(json.loads(modules.rpartition(" => ")[2]), {str(copy)!r})
"""
    monkeypatch.setenv("MISDEED", keep)
    toolchain.ensure(io.StringIO())
    own, _, _ = kept.read_text().partition(f"replace {pins.KUBERNETES_SDK} => ")
    assert own.strip() == (pins.MODULE / "go.mod").read_text().strip()
    files = {str(file.relative_to(copy)): file.read_text() for file in copy.rglob("*") if file.is_file()}
    assert files == {
        "go.mod": "of the module",
        "go/kubernetes/yaml/v2/init.go": "of the module",
        "go/kubernetes/yaml/v2/kinds.go": (pins.MODULE / "kubernetes-sdk" / "kinds.go").read_text(),
    }


def test_a_failed_build_reports_its_last_lines_and_log_and_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    misdeed = "if words[0] == 'build': [print(f'line {n}', file=sys.stderr) for n in range(99)]; sys.exit(2)"
    monkeypatch.setenv("MISDEED", misdeed)
    with pytest.raises(ToolchainError) as failure:
        toolchain.ensure(io.StringIO())
    message = str(failure.value)
    assert "`go build` failed with code 2" in message
    assert "line 98" in message
    assert "line 80" not in message
    log = Path(re.findall(r"output is in (\S+)\.", message)[0])
    assert "line 0\n" in log.read_text()
    assert not [*log.parent.glob("*/*"), *log.parent.glob("build-*")], "nothing half built may be left"


def test_leftovers_of_a_killed_build_are_deleted() -> None:
    place = paths.cache() / "toolchain" / KEY
    leftover = script(place / "build-killed" / "half-of-etcd", "")
    toolchain.ensure(io.StringIO())
    assert not leftover.parent.exists()


def test_an_unreachable_network_is_reported_as_the_cause(monkeypatch: pytest.MonkeyPatch) -> None:
    misdeed = "if words[0] == 'list': sys.exit('dial tcp: lookup proxy: no such host')"
    monkeypatch.setenv("MISDEED", misdeed)
    with pytest.raises(ToolchainError, match="cannot fetch the modules: check the network and GOPROXY"):
        toolchain.ensure(io.StringIO())


def test_a_killed_go_is_reported_as_the_cause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MISDEED", "if words[0] == 'build': os.kill(os.getpid(), 9)")
    with pytest.raises(ToolchainError, match="ended by signal 9"):
        toolchain.ensure(io.StringIO())


def test_a_missing_go_is_reported_before_the_build(machine: Path) -> None:
    (machine / "bin" / "go").unlink()
    with pytest.raises(ToolchainError, match=rf"Go {PINS.go} or later .* no `go` on PATH"):
        toolchain.ensure(io.StringIO())


def test_an_old_go_is_reported_before_the_build(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MISDEED", "if words[0] == 'env': print('go1.9.7'); sys.exit()")
    with pytest.raises(ToolchainError, match=r"too old \(1\.9\.7\).*GOTOOLCHAIN=auto"):
        toolchain.ensure(io.StringIO())
    assert calls(machine) == ["env GOVERSION"]


def test_a_go_that_refuses_the_modules_go_line_is_too_old(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MISDEED", "sys.exit('go.mod requires go >= 1.24.7 (running go 1.22.1)')")
    with pytest.raises(ToolchainError, match=r"too old \(go.mod requires go >= 1.24.7"):
        toolchain.ensure(io.StringIO())


def test_go_ignores_variables_for_other_platforms(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOOS", "plan9")
    monkeypatch.setenv("MISDEED", "assert 'GOOS' not in os.environ and os.environ['GOWORK'] == 'off'")
    toolchain.ensure(io.StringIO())


@pytest.fixture
def other_build(machine: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process with a build that does not end by itself."""
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}"}
    note = f"pathlib.Path({str(machine / 'go.pid')!r}).write_text(str(os.getpid()))"
    environment["MISDEED"] = f"if words[0] == 'build': {note}; time.sleep(60)"
    command = [sys.executable, "-m", "toolchain"]
    # A shell's job in the background ignores Ctrl-C, and so would what it starts.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True, start_new_session=True)
    signal.signal(signal.SIGINT, before)
    deadline = time.monotonic() + 20
    while not (machine / "go.pid").exists():
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.05)
    yield process
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def test_a_second_build_names_the_process_that_it_waits_for(other_build: subprocess.Popen[str]) -> None:
    said = io.StringIO()
    second = threading.Thread(target=toolchain.ensure, args=[said])
    second.start()
    deadline = time.monotonic() + 20
    while "waiting" not in said.getvalue() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert f"(process {other_build.pid}, since " in said.getvalue()
    assert "building" not in said.getvalue()
    other_build.send_signal(signal.SIGKILL)
    second.join(timeout=20)
    assert built(toolchain.ensure()) == EVERYTHING, "a killed build must not block the next one"


def test_an_interrupted_build_ends_go_and_prints_one_line(machine: Path, other_build: subprocess.Popen[str]) -> None:
    other_build.send_signal(signal.SIGINT)
    _, said = other_build.communicate(timeout=20)
    assert other_build.returncode == 130
    assert "interrupted" in said
    assert "Traceback" not in said
    with pytest.raises(ProcessLookupError):
        os.kill(int((machine / "go.pid").read_text()), 0)
    place = paths.cache() / "toolchain" / KEY
    assert not [*place.glob("*/*"), *place.glob("build-*")]


# An installed Pulumi


def test_an_installed_pulumi_is_used_with_its_own_language_host(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    official = install_pulumi(machine / "official", f"v{PINS.pulumi}")
    monkeypatch.setenv("PATH", f"{machine / 'bin'}:{official.parent}:/usr/bin:/bin")
    tools = toolchain.ensure(io.StringIO())
    assert tools.pulumi == official
    assert built(tools) == EVERYTHING - set(pins.ENGINE)


@pytest.mark.parametrize("version", ["v3.215.0", "v3.215.1", "v3.300.0", "3.215.0"])
def test_the_pinned_release_and_later_ones_of_its_major_are_suitable(version: str) -> None:
    assert installed._fits(version, "3.215.0")


@pytest.mark.parametrize("version", ["v3.214.9", "v2.300.0", "v4.0.0", "", "nonsense"])
def test_older_and_unknown_releases_and_other_majors_are_unsuitable(version: str) -> None:
    assert not installed._fits(version, "3.215.0")


def test_an_installed_pulumi_without_its_language_host_is_not_used(
    machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    official = install_pulumi(machine / "official", f"v{PINS.pulumi}", host=False)
    monkeypatch.setenv("PATH", f"{official.parent}:/usr/bin:/bin")
    assert installed.pulumi(PINS) is None


def test_a_link_to_an_installed_pulumi_is_followed_to_its_language_host(
    machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    official = install_pulumi(machine / "official", f"v{PINS.pulumi}")
    link = machine / "links" / "pulumi"
    link.parent.mkdir()
    link.symlink_to(official)
    monkeypatch.setenv("PATH", f"{link.parent}:/usr/bin:/bin")
    assert installed.pulumi(PINS) == link


def test_a_built_pulumi_does_not_count_as_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    ours = install_pulumi(paths.cache() / "toolchain" / "other-key" / "engine", f"v{PINS.pulumi}")
    monkeypatch.setenv("PATH", f"{ours.parent}:/usr/bin:/bin")
    assert installed.pulumi(PINS) is None


def test_the_version_is_cached_until_the_file_changes(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    official = install_pulumi(machine / "official", f"v{PINS.pulumi}")
    monkeypatch.setenv("PATH", f"{official.parent}:/usr/bin:/bin")
    assert [installed.pulumi(PINS), installed.pulumi(PINS)] == [official, official]
    assert calls(machine, "pulumi") == ["pulumi version"]
    install_pulumi(machine / "official", "v2.0.0-replaced")
    assert installed.pulumi(PINS) is None


@pytest.fixture
def with_pulumi(machine: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PATH", f"{machine / 'bin'}:{machine / 'official'}:/usr/bin:/bin")
    return machine / "official"


PLUGIN_FOLDER = f"plugins/resource-kubernetes-v{PINS.provider}"
FETCH = f'mkdir -p "$PULUMI_HOME/{PLUGIN_FOLDER}" && : > "$PULUMI_HOME/{PLUGIN_FOLDER}/{installed.PLUGIN}"'


def test_the_plugin_of_an_installed_pulumi_is_fetched_and_not_built(machine: Path, with_pulumi: Path) -> None:
    install_pulumi(with_pulumi, f"v{PINS.pulumi}", FETCH)
    tools = toolchain.ensure(io.StringIO())
    assert f"pulumi plugin install resource kubernetes {PINS.provider}" in calls(machine)
    assert installed.PLUGIN not in built(tools)
    (machine / "calls").unlink()
    toolchain.ensure(io.StringIO())
    assert calls(machine) == [], "what was fetched once is not fetched again"


def test_a_plugin_that_cannot_be_fetched_is_built_and_the_reason_printed(with_pulumi: Path) -> None:
    install_pulumi(with_pulumi, f"v{PINS.pulumi}", "echo no route >&2; exit 1")
    said = io.StringIO()
    assert installed.PLUGIN in built(toolchain.ensure(said))
    assert "no route" in said.getvalue()


def test_a_plugin_that_is_not_fetched_in_time_is_built(with_pulumi: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installed, "PLUGIN_LIMIT", 0.3)
    install_pulumi(with_pulumi, f"v{PINS.pulumi}", "exec sleep 20")
    began = time.monotonic()
    assert installed.PLUGIN in built(toolchain.ensure(io.StringIO()))
    assert time.monotonic() - began < 10


def test_a_built_provider_is_put_into_pulumis_plugin_folder(machine: Path) -> None:
    tools = toolchain.ensure(io.StringIO())
    tools.share_plugin()
    shared = machine / "pulumi-home" / PLUGIN_FOLDER
    assert [file.name for file in shared.iterdir()] == [installed.PLUGIN]
    assert (shared / installed.PLUGIN).read_text() == (tools.bin / installed.PLUGIN).read_text()


def test_an_existing_plugin_is_not_replaced(machine: Path) -> None:
    official = script(machine / "pulumi-home" / PLUGIN_FOLDER / installed.PLUGIN, "official")
    toolchain.ensure(io.StringIO()).share_plugin()
    assert official.read_text() == "official"


def test_an_unwritable_plugin_folder_is_an_error(machine: Path) -> None:
    (machine / "pulumi-home").touch()
    tools = toolchain.ensure(io.StringIO())
    with pytest.raises(ToolchainError, match=r"cannot be put into Pulumi's plugin folder.*pulumi-home"):
        tools.share_plugin()


def test_a_half_fetched_plugin_does_not_count(machine: Path) -> None:
    folder = machine / "pulumi-home" / "plugins" / f"resource-kubernetes-v{PINS.provider}"
    script(folder / "pulumi-resource-kubernetes", "")
    assert installed.has_plugin(PINS)
    folder.with_name(f"{folder.name}.partial").touch()
    assert not installed.has_plugin(PINS)


# PATH


def test_the_built_engine_is_put_before_path() -> None:
    tools = toolchain.ensure(io.StringIO())
    assert tools.path() == f"{tools.bin}:{tools.bin.parent / 'engine'}"


def test_the_folder_of_an_installed_engine_on_path_is_not_put_before_path(with_pulumi: Path) -> None:
    install_pulumi(with_pulumi, f"v{PINS.pulumi}")
    tools = toolchain.ensure(io.StringIO())
    assert tools.path() == f"{tools.bin}", "its folder's other programs must not come first"


def test_an_installed_engine_comes_before_an_older_one(
    machine: Path, with_pulumi: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install_pulumi(with_pulumi, f"v{PINS.pulumi}")
    old = install_pulumi(machine / "old", "v2.0.0")
    monkeypatch.setenv("PATH", f"{old.parent}:{os.environ['PATH']}")
    tools = toolchain.ensure(io.StringIO())
    assert tools.path() == f"{tools.bin}:{with_pulumi}"


# The command


def run_command(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "toolchain", *arguments]
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}"}
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=30, check=False)


def test_the_command_prints_only_the_folder() -> None:
    assert run_command().stdout == f"{toolchain.ensure().bin}\n"


def test_the_command_prints_only_the_folders_before_path() -> None:
    assert run_command("--path").stdout == f"{toolchain.ensure().path()}\n"


def test_the_command_prints_one_error_message(machine: Path) -> None:
    (machine / "bin" / "go").unlink()
    done = run_command()
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines()[-1].startswith("toolchain: Go ")
    assert "Traceback" not in done.stderr
