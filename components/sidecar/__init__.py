"""Istio's proxy as one typed model, for injected sidecars and gateways and for the gateways' own Deployments."""

from components.sidecar.annotations import InjectionError
from components.sidecar.gateway import FileVolume, ProxyArgs, certificate_volumes, gateway_pod
from components.sidecar.manual import inject

__all__ = ["FileVolume", "InjectionError", "ProxyArgs", "certificate_volumes", "gateway_pod", "inject"]
