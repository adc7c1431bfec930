"""The pinned versions of the programs, which are read from go.mod and requirements.txt."""

import hashlib
import platform
import re
import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

MODULE = Path(__file__).parent
"""The folder of the Go module from which all programs except the language host are built."""

LANGUAGE_HOST = MODULE / "language-host"
"""The folder of the language host's Go module."""
SOURCES = ("certificates", "kubernetes-sdk", "language-host", "provider")
"""The folders below MODULE with sources of the toolchain's programs."""

REQUIREMENTS = MODULE.parent / "requirements.txt"

PULUMI = "github.com/pulumi/pulumi/pkg/v3"
SDK = "github.com/pulumi/pulumi/sdk/v3"
PROVIDER = "github.com/pulumi/pulumi-kubernetes/provider/v4"
KUBERNETES_SDK = "github.com/pulumi/pulumi-kubernetes/sdk/v4"
KUBERNETES = "k8s.io/kubernetes"

PACKAGES = {
    "pulumi": f"{PULUMI}/cmd/pulumi",
    "pulumi-resource-kubernetes": "mesh.local/toolchain/provider",
    "kubectl": f"{KUBERNETES}/cmd/kubectl",
    "etcd": "go.etcd.io/etcd/server/v3",
    "kube-apiserver": f"{KUBERNETES}/cmd/kube-apiserver",
    "kube-controller-manager": f"{KUBERNETES}/cmd/kube-controller-manager",
    "kube-scheduler": f"{KUBERNETES}/cmd/kube-scheduler",
    "kwok": "sigs.k8s.io/kwok/cmd/kwok",
    "mesh-certificates": "mesh.local/toolchain/certificates",
}
"""Go package of each program that is built from MODULE."""

HOST_PACKAGES = {"pulumi-language-python": f"{SDK}/python/cmd/pulumi-language-python"}
"""Go package of each program that is built from LANGUAGE_HOST."""

LAUNCHER = "pulumi-language-python-exec"
"""A script of the SDK, which the language host expects in its own folder."""

POLICIES = "pulumi-analyzer-policy-python"
"""A script of the SDK that starts policy packs; the engine expects it in its own folder."""

SCRIPTS = {LAUNCHER: "python/cmd", POLICIES: "python/dist"}
"""The folder of each script in the SDK's module."""

ENGINE = ("pulumi", *HOST_PACKAGES, *SCRIPTS)
"""The programs that are part of an installed Pulumi."""


@dataclass(frozen=True)
class Pins:
    """The pinned versions, and the build options that follow from them."""

    pulumi: str
    """Release of the engine, such as `3.215.0`."""
    provider: str
    """Release of the Kubernetes provider, such as `4.25.0`."""
    kubernetes: str
    """Release of Kubernetes, such as `1.33.3`."""
    go: str
    """The oldest Go that can build the modules, such as `1.24.7`."""

    @cached_property
    def linker_flags(self) -> str:
        """The linker flags that strip the programs and set their versions, which clients require."""
        major, minor, _ = self.kubernetes.split(".", 2)
        base = "k8s.io/component-base/version"
        values = {
            f"{SDK}/go/common/version.Version": f"v{self.pulumi}",
            "main.version": self.provider,
            f"{base}.gitVersion": f"v{self.kubernetes}",
            f"{base}.gitMajor": major,
            f"{base}.gitMinor": minor,
        }
        return " ".join(["-s -w", *(f"-X {name}={value}" for name, value in values.items())])

    @cached_property
    def key(self) -> str:
        """Name of the folder in the cache; it depends on everything that the built programs depend on."""
        digest = hashlib.sha256()
        folders = [MODULE, *(MODULE / name for name in SOURCES)]
        sources = sorted(file for folder in folders for kind in ("go.*", "*.go") for file in folder.glob(kind))
        for source in sources:
            digest.update(f"{source.relative_to(MODULE)}\0".encode() + source.read_bytes() + b"\0")
        packages = sorted({**PACKAGES, **HOST_PACKAGES}.items())
        digest.update(repr((sys.platform, platform.machine(), self.linker_flags, packages)).encode())
        return digest.hexdigest()[:16]


def read(module: Path = MODULE / "go.mod", requirements: Path = REQUIREMENTS) -> Pins:
    """The pinned versions of this source tree."""
    modules, releases = module.read_text(), requirements.read_text()
    return Pins(
        pulumi=_required(modules, PULUMI),
        provider=_find(r"^pulumi-kubernetes==(\S+)", releases, requirements),
        kubernetes=_required(modules, KUBERNETES),
        go=_find(r"^go (\S+)$", modules, module),
    )


def _required(modules: str, name: str) -> str:
    return _find(rf"^(?:require\s|\s)\s*{re.escape(name)} v(\S+)", modules, Path("go.mod"))


def _find(pattern: str, text: str, source: Path) -> str:
    found = re.search(pattern, text, re.MULTILINE)
    if not found:
        raise ValueError(f"{source} has no line that matches {pattern}")
    return found.group(1)
