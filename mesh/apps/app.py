"""The settings of an app."""

from __future__ import annotations

from typing import Annotated

from annotated_types import MinLen
from pydantic import AfterValidator

from mesh.apps import fields
from mesh.core.kubernetes import Name
from mesh.core.typed import Documented


class OwnedByOthers(Documented):
    """Fields of an object that another controller sets, such as weights that a canary moves."""

    object: Annotated[str, MinLen(1)]
    """The object: `Kind name`, or `Kind namespace/name` in another namespace than the app's."""
    fields: Annotated[list[Annotated[str, AfterValidator(fields.checked)]], MinLen(1)]
    """Paths of the fields, such as `spec.replicas` or `spec.http[*].route[*].weight`. The files set their values when
    the object is created; later the values on the cluster stay, and no preview shows them."""
    by: Annotated[str, MinLen(1)]
    """Who sets them, such as `flagger`."""


class App(Documented):
    """Services of your own, in files."""

    namespace: Name | None = None
    """Namespace of the objects that name none."""
    manifests: Annotated[list[str], MinLen(1)]
    """Files and folders of the project with the objects: YAML or JSON, any number in a file. A folder with a
    `kustomization.yaml` is rendered by `kubectl kustomize`."""
    images: dict[str, str] = {}
    """Images that replace others, as in a kustomization: by the name of an image in the manifests, without tag and
    digest, the image to use instead, such as `registry.example/cart:1.4.2`."""
    ownedByOthers: list[OwnedByOthers] = []
    """Fields that another controller sets. Replicas under an autoscaler of the app's files need no entry."""
