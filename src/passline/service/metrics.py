"""What is counted, in the words of Prometheus: requests, their times, rows, reloads, what was refused."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter as Tally
from collections.abc import Callable, Iterator

from prometheus_client import CollectorRegistry, Counter, Gauge, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector

CONTENT_TYPE = CONTENT_TYPE_LATEST
SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Metrics(Collector):
    """The counters of one process. Labels take values from short lists only: routes, statuses, models' names.

    What is counted at every request is counted in plain numbers, and put into words when it is asked for.
    """

    def __init__(self, in_progress: Callable[[], int]) -> None:
        self.registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        Gauge("passline_requests_in_progress", "Requests in progress.", registry=registry).set_function(in_progress)
        self._reloads = Counter(
            "passline_model_reloads", "Model files read again, by result.", ("model", "result"), registry=registry
        )
        self._loaded = Gauge(
            "passline_model_loaded_timestamp_seconds", "When the model served was read.", ("model",), registry=registry
        )
        self._requests: Tally[tuple[str, str, int]] = Tally()
        self._rows: Tally[str] = Tally()
        self._seconds: dict[str, tuple[list[int], list[float]]] = {}
        registry.register(self)

    def answered(self, route: str, method: str, status: int, seconds: float) -> None:
        """One request is over."""
        self._requests[route, method, status] += 1
        found = self._seconds.get(route)
        if found is None:
            found = self._seconds[route] = ([0] * (len(SECONDS) + 1), [0.0])
        found[0][bisect_left(SECONDS, seconds)] += 1
        found[1][0] += seconds

    def rows(self, model: str, rows: int) -> None:
        """Rows of a model were answered."""
        self._rows[model] += rows

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
        return generate_latest(self.registry)

    def collect(self) -> Iterator[Metric]:
        """What was counted at requests, for the registry."""
        requests = CounterMetricFamily("passline_requests", "Requests answered.", labels=("route", "method", "status"))
        for (route, method, status), count in self._requests.items():
            requests.add_metric((route, method, str(status)), count)
        yield requests
        rows = CounterMetricFamily("passline_rows", "Rows predicted or explained.", labels=("model",))
        for model, count in self._rows.items():
            rows.add_metric((model,), count)
        yield rows
        seconds = HistogramMetricFamily(
            "passline_request_seconds", "From a request's headers to the end of its answer.", labels=("route",)
        )
        for route, (counts, total) in self._seconds.items():
            ends = (*map(str, SECONDS), "+Inf")
            buckets = [(end, float(sum(counts[: place + 1]))) for place, end in enumerate(ends)]
            seconds.add_metric((route,), buckets, total[0])
        yield seconds
