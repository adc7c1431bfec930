"""Seven panels about the incoming or outgoing traffic of a service or workload, grouped by peer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from mesh.releases.common.addons.dashboards import queries
from mesh.releases.dashboards import Panel, Query

_PARTS: Final = ("0.50", "0.90", "0.95", "0.99")
_HALF: Final = 12


@dataclass(frozen=True, kw_only=True)
class Traffic:
    """The incoming or outgoing traffic of a service or workload."""

    reporter: str
    """Label matcher for the proxy that reports the metrics."""
    subject: Sequence[str]
    """Label matchers for the service or workload itself."""
    peers: Sequence[str]
    """Label matchers for its peers."""
    by: str
    """Labels that identify a peer, separated by `, `."""
    outgoing: bool = False
    """Whether it calls the peers, instead of being called by them."""
    peer: str = "Source"
    """Word for a peer in the titles of panels about requests."""
    measured_peer: str = ""
    """Word for a peer in the titles of panels about durations and sizes; empty for the same."""
    securities: queries.Securities = queries.SECURITIES
    """Label matchers for requests with and without mutual TLS."""
    sent: str = queries.SENT
    """Metric of the bytes that it sends over TCP connections."""
    received: str = queries.RECEIVED
    """Metric of the bytes that it receives over TCP connections."""

    def panels(self) -> list[Panel]:
        direction, measured = "Outgoing" if self.outgoing else "Incoming", self.measured_peer or self.peer
        tcp = [self._sent(), self._received()] if self.outgoing else [self._received(), self._sent()]
        return [
            Panel(
                title=f"{direction} Requests By {self.peer} And Response Code",
                queries=self._lines(self._requests, " : {{ response_code }}", self.securities),
                unit="ops",
                width=_HALF,
            ),
            Panel(
                title=f"{direction} Success Rate (non-5xx responses) By {self.peer}",
                queries=self._lines(self._success),
                unit="percentunit",
                width=_HALF,
            ),
            Panel(
                title=f"{direction} Request Duration By {measured}", queries=self._quantiles(queries.duration), unit="s"
            ),
            Panel(title=f"{direction} Request Size By {measured}", queries=self._sizes("request"), unit="decbytes"),
            Panel(title=f"Response Size By {measured}", queries=self._sizes("response"), unit="decbytes"),
            *tcp,
        ]

    def _lines(
        self, ask: Callable[[str], str], more: str = "", securities: queries.Securities = queries.SECURITIES
    ) -> list[Query]:
        name = queries.names(self.by) + more
        return [Query(ask(security), name + end) for security, end in securities]

    def _requests(self, security: str) -> str:
        matchers = (security, *self.subject, self.reporter, *self.peers)
        return queries.rounded(queries.total(queries.REQUESTS, *matchers, by=f"{self.by}, response_code", over="5m"))

    def _success(self, security: str) -> str:
        matchers = (self.reporter, security, *self.subject, *self.peers)
        return queries.success(*matchers, by=self.by, position=2 + len(self.subject))

    def _quantiles(self, ask: Callable[..., str]) -> list[Query]:
        return [
            Query(
                ask(part, self.reporter, security, *reversed(self.subject), *self.peers, by=f"{self.by}, le"),
                f"{queries.names(self.by)} {queries.percent(part)}{end}",
            )
            for security, end in queries.SECURITIES
            for part in _PARTS
        ]

    def _sizes(self, what: str) -> list[Query]:
        def ask(part: str, *matchers: str, by: str) -> str:
            return queries.quantile(part, f"istio_{what}_bytes", *matchers, by=by)

        return self._quantiles(ask)

    def _sent(self) -> Panel:
        def ask(security: str) -> str:
            return self._bytes(self.sent, security, self.reporter)

        title = "Bytes Sent on Outgoing TCP Connection" if self.outgoing else "Bytes Sent to Incoming TCP Connection"
        return Panel(title=title, queries=self._lines(ask), unit="Bps", width=_HALF)

    def _received(self) -> Panel:
        def ask(security: str) -> str:
            return self._bytes(self.received, self.reporter, security)

        title = f"Bytes Received from {'Outgoing' if self.outgoing else 'Incoming'} TCP Connection"
        return Panel(title=title, queries=self._lines(ask), unit="Bps", width=_HALF)

    def _bytes(self, metric: str, *first: str) -> str:
        return queries.rounded(queries.total(metric, *first, *self.subject, *self.peers, by=self.by))
