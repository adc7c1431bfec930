"""PromQL queries of Istio's standard metrics."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from mesh.releases.dashboards import Query, Variable

REQUESTS: Final = "istio_requests_total"
SENT: Final = "istio_tcp_sent_bytes_total"
RECEIVED: Final = "istio_tcp_received_bytes_total"
OK: Final = 'response_code!~"5.*"'
AT_SOURCE: Final = 'reporter="source"'
AT_DESTINATION: Final = 'reporter="destination"'
OR_ONE: Final = " or on () vector(1)"
"""Ends a divisor that may have no value."""


def selector(metric: str, *matchers: str) -> str:
    """A selector: the metric with the label matchers that are not empty."""
    found = ", ".join(matcher for matcher in matchers if matcher)
    return f"{metric}{{{found}}}" if found else metric


def total(metric: str, *matchers: str, by: str = "", over: str = "1m", rate: str = "irate") -> str:
    """The summed rate of a counter per second, over the range `over`; `rate` is `rate` or `irate`."""
    return f"sum({rate}({selector(metric, *matchers)}[{over}]))" + (f" by ({by})" if by else "")


def rounded(expr: str) -> str:
    """The query, rounded to three decimals."""
    return f"round({expr}, 0.001)"


def success(
    *matchers: str, by: str = "", over: str = "5m", rate: str = "irate", position: int | None = None, idle: str = ""
) -> str:
    """The share of requests without a 5xx response; `position` is the position of that matcher among the others. `idle`
    ends the divisor, for when there are no requests."""
    position = len(matchers) if position is None else position
    good, every = (
        total(REQUESTS, *some, by=by, over=over, rate=rate)
        for some in ((*matchers[:position], OK, *matchers[position:]), matchers)
    )
    return f"{good} / ({every}{idle})" if idle else f"{good} / {every}"


def quantile(part: str, metric: str, *matchers: str, by: str = "le", rate: str = "irate") -> str:
    """A quantile of a histogram: `part` is 0.50 for the median; `by` must contain `le`."""
    return f"histogram_quantile({part}, {total(f'{metric}_bucket', *matchers, by=by, rate=rate)})"


def duration(part: str, *matchers: str, by: str = "le", rate: str = "irate") -> str:
    """A quantile of request durations in seconds, also for older proxies, whose histogram is in seconds."""
    new = quantile(part, "istio_request_duration_milliseconds", *matchers, by=by, rate=rate)
    old = quantile(part, "istio_request_duration_seconds", *matchers, by=by, rate=rate)
    return f"({new} / 1000) or {old}"


def percent(part: str) -> str:
    """The legend of a quantile: `P50` for `0.50`."""
    return f"P{part.removeprefix('0.')}"


def durations(*matchers: str) -> list[Query]:
    """P50, P90 and P99 of request durations."""
    return [Query(duration(part, *matchers), percent(part)) for part in ("0.50", "0.90", "0.99")]


def count(kind: str) -> str:
    """The number of objects of a kind: those that istiod has seen added, less those deleted."""
    seen = [selector("pilot_k8s_cfg_events", f'type="{kind}"', f'event="{event}"') for event in ("add", "delete")]
    return f"max({seen[0]}) - (max({seen[1]}) or max(up * 0))"


Securities = Sequence[tuple[str, str]]
SECURITIES: Final[Securities] = (
    ('connection_security_policy="mutual_tls"', " (🔐mTLS)"),
    ('connection_security_policy!="mutual_tls"', ""),
)
"""A label matcher and the end of the legend, for traffic with mutual TLS and for all other traffic."""


def names(labels: str) -> str:
    """A legend that joins the values of labels with dots."""
    return ".".join(f"{{{{ {label} }}}}" for label in labels.split(", "))


def seen(label: str, requests: Sequence[str] = (), connections: Sequence[str] | None = None) -> str:
    """The values of a label on requests and TCP connections, each with their matchers; by default the same."""
    both = ((REQUESTS, requests), (SENT, requests if connections is None else connections))
    http, tcp = (f"sum({selector(metric, *matchers)}) by ({label})" for metric, matchers in both)
    return f"{http} or {tcp}"


def pick(label: str) -> str:
    """A regular expression that extracts a label's value from a query's result."""
    return f'/.*{label}="([^"]*).*/'


def choice(name: str, title: str, label: str, asked: str) -> Variable:
    """A variable for one, several or all values of a label in the result of a query."""
    return Variable(name=name, query=f"query_result({asked})", label=title, many=True, pick=pick(label))
