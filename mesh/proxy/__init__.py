"""Istio's proxy as one typed model, for injected sidecars and gateways and for the gateways' own Deployments."""

from mesh.proxy.annotations import InjectionError
from mesh.proxy.gateway import FileVolume, ProxyArgs, certificate_volumes, gateway_pod
from mesh.proxy.manual import inject

__all__ = ["FileVolume", "InjectionError", "ProxyArgs", "certificate_volumes", "gateway_pod", "inject"]
