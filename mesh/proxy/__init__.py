"""The model of Istio's proxy that all releases share: template expressions, parts of pods, manual injection."""

from mesh.proxy.annotations import InjectionError
from mesh.proxy.manual import inject

__all__ = ["InjectionError", "inject"]
