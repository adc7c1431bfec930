"""Sends gRPC calls to gateways and, in the live sandbox, to services, and tells who answers; for `make smoke`.

The package `grpcio` is a dependency of Pulumi. It is imported only at the first call, because the import takes time.
"""

from __future__ import annotations

import os
import socket
import ssl
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from commands.asking import A_POD, FROM_POD, STAND_IN, TIMEOUT, Way, trusted
from commands.shares import LIMITED, NO_ANSWER
from mesh.requests.samples import Sample

_LIMIT: Final = "local_rate_limited"
"""Details of the answer if a proxy's own rate limit refuses a call."""
_FAULTY: Final = ("UNKNOWN", "DEADLINE_EXCEEDED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS")
"""Codes that a pod should not answer with. Other codes, such as UNIMPLEMENTED, mean that it does not know the call."""
_UNREACHED: Final = ("failed to connect", "handshake", "connections to all backends")
"""Parts of the client's own message if there is no connection."""


def asked(sample: Sample, way: Way, token: str, number: int) -> Iterator[tuple[str, float]]:
    """Makes `number` calls. Yields for each the name of its answer (the workload, or the code of a proxy's own answer)
    and the seconds that it took."""
    import grpc  # type: ignore[import-untyped]

    metadata = [(name.lower(), value) for name, value in sample.headers]
    metadata += [("authorization", f"Bearer {token}")] if token else []
    try:
        channel = _channel(sample, way)
    except OSError:  # the gateway has no certificate
        yield from [(NO_ANSWER, 0.0)] * number
        return
    with channel:
        call = channel.unary_unary(sample.path)
        for _ in range(number):
            began = time.monotonic()
            try:
                _, done = call.with_call(b"", timeout=TIMEOUT, metadata=metadata)
            except grpc.RpcError as error:
                done = error
            yield name_of(done, way.stand_ins), time.monotonic() - began


def name_of(done: Any, stand_ins: bool) -> str:
    """Who answered a call; `stand_ins`: all pods give their names."""
    code, details = done.code().name, done.details() or ""
    if code == "UNAVAILABLE" and any(part in details.lower() for part in _UNREACHED):
        return NO_ANSWER
    told = {**dict(done.initial_metadata() or ()), **dict(done.trailing_metadata() or ())}
    name = told.get(STAND_IN) or (A_POD if FROM_POD in told and not stand_ins and code != "PERMISSION_DENIED" else "")
    if not name:
        return LIMITED if details == _LIMIT else str(code)
    return f"{name}, status {code}" if code in _FAULTY else str(name)


def _channel(sample: Sample, way: Way) -> Any:
    import grpc

    options = [("grpc.default_authority", sample.request.authority), ("grpc.enable_http_proxy", 0)]
    options += [("grpc.enable_retries", 0), ("grpc.use_local_subchannel_pool", 1)]
    target = f"{way.address}:{way.port}"
    if not way.secure:
        return grpc.insecure_channel(target, options=options)
    options.append(("grpc.ssl_target_name_override", sample.host))
    return grpc.secure_channel(target, grpc.ssl_channel_credentials(_roots(sample, way)), options=options)


def _roots(sample: Sample, way: Way) -> bytes | None:
    """The certificates to trust: in the live sandbox the gateway's own one; None for gRPC's default ones."""
    if not way.stand_ins:
        bundle = os.environ.get("REQUESTS_CA_BUNDLE")
        return Path(bundle).read_bytes() if bundle else None
    with (
        socket.create_connection((way.address, way.port), timeout=TIMEOUT) as plain,
        trusted(way).wrap_socket(plain, server_hostname=sample.host) as secured,
    ):
        found = secured.getpeercert(binary_form=True)
    return ssl.DER_cert_to_PEM_cert(found).encode() if found else None
