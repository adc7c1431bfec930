"""The configuration of Istio's injector: templates, rendered from a release's model of the proxy, and values."""

from mesh.proxy.injection.config import CHECKSUM, REVISION, checksum, config_map_data, decisive

__all__ = ["CHECKSUM", "REVISION", "checksum", "config_map_data", "decisive"]
