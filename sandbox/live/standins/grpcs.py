"""gRPC of the generic stand-in: it answers health checks, and sends the messages of all other methods back.

The package `grpcio` is a dependency of Pulumi. It is imported only at the first gRPC call, since it takes time and
memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from sandbox.live.plan import GRPC_PORT, Workload

HEALTH: Final = "/grpc.health.v1.Health/"
SERVING: Final = b"\x08\x01"
"""The message HealthCheckResponse with status SERVING."""
STAND_IN: Final = "x-stand-in"
"""Header of each answer, and metadata of gRPC, with the name of the workload that answers."""
THREADS: Final = 16


def serve(workload: Workload, fails: Callable[[], bool]) -> None:
    """Starts the gRPC server of a stand-in. It answers UNAVAILABLE to calls for which `fails` is true."""
    import grpc  # type: ignore[import-untyped]

    def messages(method: str, requests: Iterator[bytes], context: Any) -> Iterator[bytes]:
        context.send_initial_metadata([(STAND_IN, workload.name), ("version", workload.version)])
        if fails():
            context.abort(grpc.StatusCode.UNAVAILABLE, f"{workload.name} fails on purpose")
        for request in requests:
            yield SERVING if method.startswith(HEALTH) else request

    class Methods(grpc.GenericRpcHandler):  # type: ignore[misc]
        """Accepts all methods. A single message counts as a stream of one."""

        def service(self, called: Any) -> Any:
            return grpc.stream_stream_rpc_method_handler(
                lambda requests, context: messages(called.method, requests, context)
            )

    server = grpc.server(ThreadPoolExecutor(THREADS), handlers=[Methods()])
    server.add_insecure_port(f"{workload.address}:{GRPC_PORT}")
    server.start()
    _running.append(server)


_running: Final[list[Any]] = []
"""The running servers. A server without a reference would end."""


def ask(
    address: tuple[str, int], authority: str, method: str, headers: Mapping[str, str], patience: float
) -> dict[str, Any]:
    """Calls a gRPC method through a proxy, by default a health check. Returns the status, and the name of the workload
    that answered, or the error's details."""
    import grpc

    options = [("grpc.default_authority", authority), ("grpc.enable_http_proxy", 0)]
    metadata = [(name, value) for name, value in headers.items() if name != "user-agent"]
    with grpc.insecure_channel("{}:{}".format(*address), options=options) as channel:
        try:
            call = channel.unary_unary(method if len(method) > 1 else f"{HEALTH}Check")
            _, done = call.with_call(b"", timeout=patience, metadata=metadata)
            return {"status": "OK", "answer": dict(done.initial_metadata()).get(STAND_IN, "")}
        except grpc.RpcError as error:
            return {"status": error.code().name, "answer": error.details()}
