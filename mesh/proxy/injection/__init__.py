"""The configuration of Istio's injector: its templates, generated from the model of the proxy, and its values."""

from mesh.proxy.injection.config import CHECKSUM, checksum, config_map_data, templates

__all__ = ["CHECKSUM", "checksum", "config_map_data", "templates"]
