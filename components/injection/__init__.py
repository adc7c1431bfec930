"""The configuration of Istio's injector: its templates, generated from the model of the proxy, and its values."""

from components.injection.config import config_map_data, templates

__all__ = ["config_map_data", "templates"]
