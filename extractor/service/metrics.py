"""Figures for Prometheus: how many, how long, how it ended. Labels come from closed lists, never from a request."""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from extractor.service.workers import Pool

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"
FAILED = "failed"
_METHODS = ("GET", "POST", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE")
_SECONDS = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30)


def shown_method(method: str) -> str:
    """A method as it may stand in figures and logs: what a caller sends as one may be any word.

    >>> shown_method("PUT"), shown_method("QUINCE")
    ('PUT', 'other')
    """
    return method if method in _METHODS else "other"


class Metrics:
    """The figures of one service."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "facetcode_http_requests", "Requests answered.", ("method", "route", "status"), registry=self._registry
        )
        self._seconds = Histogram(
            "facetcode_http_request_seconds",
            "From the head of the request to the end of the answer.",
            ("route",),
            buckets=_SECONDS,
            registry=self._registry,
        )
        self._notes = Counter("facetcode_notes", "Notes by how they ended.", ("status",), registry=self._registry)
        self._queries = Counter("facetcode_queries", "Questions to the physician.", ("id",), registry=self._registry)
        self._replaced = Counter(
            "facetcode_workers_replaced", "Workers that died or were stopped.", ("reason",), registry=self._registry
        )
        for status in ("coded", "review", "no_code", FAILED):
            self._notes.labels(status)

    def watch(self, pool: Pool) -> None:
        """Adds the figures of the pool."""
        ready = Gauge("facetcode_workers_ready", "Workers that can code.", registry=self._registry)
        ready.set_function(lambda: pool.ready)
        waiting = Gauge("facetcode_queue_length", "Notes that wait for a worker.", registry=self._registry)
        waiting.set_function(lambda: pool.waiting)

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """One request, by its method as it may be shown and the template of its route."""
        self._requests.labels(method, route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def coded(self, status: str, queries: Iterable[str] = ()) -> None:
        """One note, by status of its result or `FAILED`, with the ids of its questions."""
        self._notes.labels(status).inc()
        for query in queries:
            self._queries.labels(query).inc()

    def replaced(self, reason: str) -> None:
        """One worker replaced."""
        self._replaced.labels(reason).inc()

    def text(self) -> bytes:
        """All figures in the text format of Prometheus."""
        return generate_latest(self._registry)
