"""What is counted, in the words of Prometheus: requests, their times, rows, reloads, what was refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

CONTENT_TYPE = CONTENT_TYPE_LATEST
SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Metrics:
    """The counters of one process. Labels take values from short lists only: routes, statuses, models' names."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        self._requests = Counter(
            "passline_requests", "Requests answered.", ("route", "method", "status"), registry=registry
        )
        self._seconds = Histogram(
            "passline_request_seconds", "From a request's headers to the end of its answer.", ("route",),
            buckets=SECONDS, registry=registry,
        )
        self._rows = Counter("passline_rows", "Rows predicted or explained.", ("model",), registry=registry)
        self.in_progress = Gauge("passline_requests_in_progress", "Requests in progress.", registry=registry)
        self._reloads = Counter(
            "passline_model_reloads", "Model files read again, by result.", ("model", "result"), registry=registry
        )
        self._loaded = Gauge(
            "passline_model_loaded_timestamp_seconds", "When the model served was read.", ("model",), registry=registry
        )
        # Looking a label up costs more than counting.
        self._known: dict[tuple[str, str, int], tuple[Any, Any]] = {}
        self._known_rows: dict[str, Any] = {}

    def answered(self, route: str, method: str, status: int, seconds: float) -> None:
        """One request is over."""
        key = (route, method, status)
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = (self._requests.labels(route, method, str(status)), self._seconds.labels(route))
        found[0].inc()
        found[1].observe(seconds)

    def rows(self, model: str, rows: int) -> None:
        """Rows of a model were answered."""
        found = self._known_rows.get(model)
        if found is None:
            found = self._known_rows[model] = self._rows.labels(model)
        found.inc(rows)

    def loaded(self, model: str) -> None:
        """A model's file was read."""
        self._loaded.labels(model).set_to_current_time()
        for result in ("ok", "refused"):
            self._reloads.labels(model, result)

    def reloaded(self, model: str, error: str | None) -> None:
        """A model's file was replaced, and read or refused."""
        self._reloads.labels(model, "ok" if error is None else "refused").inc()
        if error is None:
            self._loaded.labels(model).set_to_current_time()

    def text(self) -> bytes:
        """All of them, as Prometheus reads them."""
        make: Callable[[CollectorRegistry], bytes] = generate_latest
        return make(self.registry)
