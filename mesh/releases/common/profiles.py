"""Parts of the installation profiles: the ports and certificates of Istio's own gateways."""

from __future__ import annotations

from typing import Final

from mesh.core.merge import Data


def _port(name: str, port: int, target: int | None = None) -> Data:
    return {"name": name, "port": port, "targetPort": target or port}


def _certificates(kind: str) -> list[Data]:
    """Volumes for the two Secrets from which Istio's own gateways of this kind read certificates."""
    return [
        {"name": f"{kind}gateway-{files}", "secretName": f"istio-{kind}gateway-{files}", "mountPath": path}
        for files in ("certs", "ca-certs")
        for path in [f"/etc/istio/{kind}gateway-{files}"]
    ]


CERTIFICATES: Final = {kind: _certificates(kind) for kind in ("ingress", "egress")}
"""The volumes with certificates by kind of gateway."""

_STATUS, _HTTP2, _HTTPS = _port("status-port", 15021), _port("http2", 80, 8080), _port("https", 443, 8443)

INGRESS_PORTS: Final = [_STATUS, _HTTP2, _HTTPS]
EGRESS_PORTS: Final = [_HTTP2, _HTTPS]
DEMO_PORTS: Final = [*INGRESS_PORTS, _port("tcp", 31400), _port("tls", 15443)]
"""The ingress gateway's ports in profile demo."""

LOW_PORTS: Final = [_STATUS, _port("http2", 80), _port("https", 443)]
"""The ports of the Helm chart `gateway`, whose pods open those below 1024."""

NO_CONTROL_PLANE: Final[Data] = {"base": {"enabled": False}, "pilot": {"enabled": False}}
