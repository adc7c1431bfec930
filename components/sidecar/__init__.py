"""Istio's proxy as one typed model, for injected sidecars and gateways and for the gateways' own Deployments."""

from components.sidecar.gateway import FileVolume, ProxyArgs, certificate_volumes, gateway_pod

__all__ = ["FileVolume", "ProxyArgs", "certificate_volumes", "gateway_pod"]
