"""The settings of an app."""

from __future__ import annotations

from typing import Annotated

from annotated_types import MinLen

from mesh.core.kubernetes import Name
from mesh.core.typed import Typed


class App(Typed):
    """Services of your own, in files."""

    namespace: Name | None = None
    """Namespace of the objects that name none."""
    manifests: Annotated[list[str], MinLen(1)]
    """Files and folders of the project with the objects: YAML or JSON, any number in a file. A folder with a
    `kustomization.yaml` is rendered by `kubectl kustomize`."""
    images: dict[str, str] = {}
    """Images that take the place of others, as in a kustomization: the name without tag and digest of what stands in
    the manifests, and what is to stand there, such as `registry.example/cart:1.4.2`."""
