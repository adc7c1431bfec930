"""`make dashboard NAME=…`: opens an addon's web pages through `kubectl port-forward` on a loopback port."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import webbrowser
from collections.abc import Mapping
from typing import Final

from cluster import client, proxy
from cluster.client import Api
from cluster.target import Target
from commands import stacks
from commands.stackfiles import CommandError
from mesh.config.addons import Addon
from mesh.core import errors
from mesh.core.names import EMBEDDED_CLUSTERS

_FORWARDING: Final = re.compile(r"Forwarding from 127\.0\.0\.1:(\d+) ->")


def run(stack: str, name: str) -> int:
    """Forwards a free port until it is interrupted, prints the address, and opens it in the browser if there is one.

    Raises CommandError if the stack lacks the addon, if the addon has no pages or no ready pod, or if the cluster is an
    embedded one."""
    settings = stacks.load(stack).settings
    addon = _addon(stack, name, settings.addons.chosen)
    target = Target.named(settings.context)
    if target.context in EMBEDDED_CLUSTERS:
        raise CommandError(
            f"pods of an embedded cluster are simulated: nothing answers behind the Service {addon.service}."
            " On a cluster of your own: make dashboard STACK=demo CONTEXT=... NAME=..."
        )
    with proxy.connect(target) as api:
        _refuse_unless_ready(api, stack, name, settings.root)
    if addon.login and not settings.addons.insecureDemo:
        print(addon.login.format(kubectl=f"kubectl --context {target.context} --namespace {settings.root}"), flush=True)
    return _forward(target, addon, settings.root)


def _addon(stack: str, name: str, chosen: Mapping[str, Addon]) -> Addon:
    if not chosen:
        raise CommandError(f"stack {stack} has no addons: name them in mesh:addons")
    if name not in chosen:
        raise CommandError(errors.invalid_choice("NAME", name, chosen))
    if other := chosen[name].shown_by:
        raise CommandError(f"{name} has no web pages: show its data with NAME={other}")
    return chosen[name]


def _refuse_unless_ready(api: Api, stack: str, name: str, root: str) -> None:
    """Raises CommandError unless a pod of the addon is ready: a forward to a Service without pods only times out."""
    path = f"/apis/apps/v1/namespaces/{root}/deployments"
    found = {item["metadata"]["name"]: item for item in client.items(api, path)}
    if name not in found:
        raise CommandError(f"{name} is not on the cluster: `make up STACK={stack}` installs it")
    if not found[name].get("status", {}).get("readyReplicas"):
        raise CommandError(f"no pod of {name} is ready: kubectl get pods,events --namespace {root}")


def _forward(target: Target, addon: Addon, root: str) -> int:
    command = [*target.command, "--namespace", root, "port-forward", f"service/{addon.service}"]
    with subprocess.Popen([*command, f":{addon.port}"], stdout=subprocess.PIPE, text=True) as forward:
        try:
            for line in forward.stdout or ():
                if found := _FORWARDING.match(line):
                    _show(f"http://127.0.0.1:{found[1]}{addon.path}")
            return forward.wait()
        except KeyboardInterrupt:
            return 0
        finally:
            forward.terminate()


def _show(url: str) -> None:
    print(f"{url} (press Ctrl-C to stop)", flush=True)
    if sys.platform == "darwin" or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"):
        webbrowser.open(url)
