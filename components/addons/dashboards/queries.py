"""Questions about Istio's standard metrics, as PromQL."""

from __future__ import annotations

from typing import Final

from components.addons.dashboards.panels import Query

REQUESTS: Final = "istio_requests_total"
SENT: Final = "istio_tcp_sent_bytes_total"
RECEIVED: Final = "istio_tcp_received_bytes_total"
OK: Final = 'response_code!~"5.*"'
AT_SOURCE: Final = 'reporter="source"'
AT_DESTINATION: Final = 'reporter="destination"'


def of(metric: str, *matchers: str) -> str:
    """The metric where all matchers hold."""
    found = ", ".join(matcher for matcher in matchers if matcher)
    return f"{metric}{{{found}}}" if found else metric


def total(metric: str, *matchers: str, by: str = "", over: str = "1m", rate: str = "irate") -> str:
    """How fast the metric grows, each second."""
    return f"sum({rate}({of(metric, *matchers)}[{over}]))" + (f" by ({by})" if by else "")


def rounded(expr: str) -> str:
    return f"round({expr}, 0.001)"


def success(*matchers: str, by: str = "", over: str = "5m", rate: str = "irate", place: int | None = None) -> str:
    """The part of requests that no server failed; `place` is where the condition stands among the matchers."""
    place = len(matchers) if place is None else place
    good = (*matchers[:place], OK, *matchers[place:])
    return " / ".join(total(REQUESTS, *some, by=by, over=over, rate=rate) for some in (good, matchers))


def quantile(part: str, metric: str, *matchers: str, by: str = "le", rate: str = "irate") -> str:
    """What `part` of the measured values lie below; `by` holds `le`."""
    return f"histogram_quantile({part}, {total(f'{metric}_bucket', *matchers, by=by, rate=rate)})"


def duration(part: str, *matchers: str, by: str = "le", rate: str = "irate") -> str:
    """The same of requests' durations in seconds, also where an older proxy measures in seconds."""
    new = quantile(part, "istio_request_duration_milliseconds", *matchers, by=by, rate=rate)
    old = quantile(part, "istio_request_duration_seconds", *matchers, by=by, rate=rate)
    return f"({new} / 1000) or {old}"


def percent(part: str) -> str:
    """`P50` for `0.50`."""
    return f"P{part.removeprefix('0.')}"


def durations(*matchers: str) -> list[Query]:
    """The usual percentiles of how long requests take."""
    return [Query(duration(part, *matchers), percent(part)) for part in ("0.50", "0.90", "0.99")]


def count(kind: str) -> str:
    """How many objects of a kind istiod has seen come and not go."""
    seen = [of("pilot_k8s_cfg_events", f'type="{kind}"', f'event="{event}"') for event in ("add", "delete")]
    return f"max({seen[0]}) - (max({seen[1]}) or max(up * 0))"


SECURITIES: Final = (
    ('connection_security_policy="mutual_tls"', " (🔐mTLS)"),
    ('connection_security_policy!="mutual_tls"', ""),
)
"""A matcher, and how lines' names end: for what came over mutual TLS, and for the rest."""


def names(labels: str) -> str:
    """How a line is called after its labels."""
    return ".".join(f"{{{{ {label} }}}}" for label in labels.split(", "))
