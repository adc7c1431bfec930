"""What releases make Istio's proxy from: values known now or to the injector only, parts of pods, manual injection."""

from mesh.proxy.annotations import InjectionError
from mesh.proxy.manual import inject

__all__ = ["InjectionError", "inject"]
