"""Kubernetes objects in the user's YAML files: read with the place of each field, and checked for their form."""

from mesh.manifests.documents import Manifest, ManifestError, missing, parse
from mesh.manifests.files import read

__all__ = ["Manifest", "ManifestError", "missing", "parse", "read"]
