"""Panels about those with whom a service or a workload speaks: seven pictures of each side."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from components.addons.dashboards import queries
from components.addons.dashboards.panels import Panel, Query

_PARTS: Final = ("0.50", "0.90", "0.95", "0.99")
_HALF: Final = 12


@dataclass(frozen=True, kw_only=True)
class Parties:
    """One side of somebody's conversations."""

    reporter: str
    """Matcher: which proxy tells of it."""
    whose: Sequence[str]
    """Matchers: whose conversations."""
    which: Sequence[str]
    """Matchers: with whom."""
    by: str
    """Labels by which the others are told apart."""
    out: bool = False
    """Whether they are called, or call."""
    whom: str = "Source"
    """What the others are, in titles about requests."""
    measured: str = ""
    """The same in titles about durations and sizes, if it differs."""

    def panels(self) -> list[Panel]:
        way, measured = "Outgoing" if self.out else "Incoming", self.measured or self.whom
        tcp = [self._sent(), self._received()] if self.out else [self._received(), self._sent()]
        return [
            Panel(
                title=f"{way} Requests By {self.whom} And Response Code",
                queries=self._lines(self._requests, " : {{ response_code }}"),
                unit="ops",
                width=_HALF,
            ),
            Panel(
                title=f"{way} Success Rate (non-5xx responses) By {self.whom}",
                queries=self._lines(self._success),
                unit="percentunit",
                width=_HALF,
            ),
            Panel(title=f"{way} Request Duration By {measured}", queries=self._quantiles(queries.duration), unit="s"),
            Panel(title=f"{way} Request Size By {measured}", queries=self._sizes("request"), unit="decbytes"),
            Panel(title=f"Response Size By {measured}", queries=self._sizes("response"), unit="decbytes"),
            *tcp,
        ]

    def _lines(self, ask: Callable[[str], str], more: str = "") -> list[Query]:
        name = queries.names(self.by) + more
        return [Query(ask(security), name + end) for security, end in queries.SECURITIES]

    def _requests(self, security: str) -> str:
        matchers = (security, *self.whose, self.reporter, *self.which)
        return queries.rounded(queries.total(queries.REQUESTS, *matchers, by=f"{self.by}, response_code", over="5m"))

    def _success(self, security: str) -> str:
        matchers = (self.reporter, security, *self.whose, *self.which)
        return queries.success(*matchers, by=self.by, place=2 + len(self.whose))

    def _quantiles(self, ask: Callable[..., str]) -> list[Query]:
        return [
            Query(
                ask(part, self.reporter, security, *reversed(self.whose), *self.which, by=f"{self.by}, le"),
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
            return self._bytes(queries.SENT, security, self.reporter)

        title = "Bytes Sent on Outgoing TCP Connection" if self.out else "Bytes Sent to Incoming TCP Connection"
        return Panel(title=title, queries=self._lines(ask), unit="Bps", width=_HALF)

    def _received(self) -> Panel:
        def ask(security: str) -> str:
            return self._bytes(queries.RECEIVED, self.reporter, security)

        title = f"Bytes Received from {'Outgoing' if self.out else 'Incoming'} TCP Connection"
        return Panel(title=title, queries=self._lines(ask), unit="Bps", width=_HALF)

    def _bytes(self, metric: str, *first: str) -> str:
        return queries.rounded(queries.total(metric, *first, *self.whose, *self.which, by=self.by))
