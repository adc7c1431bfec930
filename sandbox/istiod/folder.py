"""The files of one istiod's process: its kubeconfig, its token, and the files that a kubelet would mount."""

from __future__ import annotations

import base64
import json
import shutil
import time
from collections.abc import Mapping
from typing import Any, Final

from cluster import client
from cluster.client import Api
from sandbox.api import account_token
from sandbox.files import put, replace
from sandbox.istiod.deployment import Istiod
from sandbox.network import Network
from sandbox.paths import Layout

TOKEN_SECONDS: Final = 24 * 3600
"""Validity of a token in seconds. It is renewed after half of that time."""


class Folder:
    """The working folder of one istiod, below `layout.istiod`. Files that istiod would find under `/etc` and `/var` in
    a pod are below this folder, since its default paths are relative."""

    def __init__(self, layout: Layout, istiod: Istiod) -> None:
        self.root = layout.istiod / istiod.revision
        self.kubeconfig = self.root / "kubeconfig"
        self._token = self.root / "token"
        self._istiod = istiod

    def write(self, api: Api, layout: Layout, network: Network) -> None:
        """Writes the files that are missing or have changed. Raises ClusterError."""
        self.root.mkdir(parents=True, exist_ok=True)
        for place, path in self._istiod.mounts.items():
            self._mount(place.lstrip("/"), client.find(api, path))
        if not self.kubeconfig.exists() or time.time() - self._token.stat().st_mtime > TOKEN_SECONDS / 2:
            replace(
                self._token,
                account_token(api, self._istiod.namespace, self._istiod.account, expirationSeconds=TOKEN_SECONDS),
            )
            replace(self.kubeconfig, self._config(layout, network))

    def _mount(self, place: str, source: Mapping[str, Any] | None) -> None:
        folder = self.root / place
        if source is None:
            shutil.rmtree(folder, ignore_errors=True)
            return
        folder.mkdir(parents=True, exist_ok=True)
        data = source.get("data") or {}
        files = {
            key: base64.b64decode(text).decode(errors="replace") if source["kind"] == "Secret" else text
            for key, text in data.items()
        }
        for name, text in files.items():
            put(folder / name, text)
        for file in folder.iterdir():
            if file.name not in files and file.is_file():
                file.unlink()

    def _config(self, layout: Layout, network: Network) -> str:
        """A kubeconfig for istiod's own service account, so that its roles apply, as JSON."""
        cluster = {"server": network.server, "certificate-authority": str(layout.pki / "ca.crt")}
        name = layout.context
        content = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": name, "cluster": cluster}],
            "users": [{"name": self._istiod.account, "user": {"tokenFile": str(self._token)}}],
            "contexts": [{"name": name, "context": {"cluster": name, "user": self._istiod.account}}],
            "current-context": name,
        }
        return json.dumps(content, indent=2) + "\n"
