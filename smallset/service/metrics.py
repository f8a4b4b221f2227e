"""What a service counts, as Prometheus reads it."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class Metrics:
    """Counters of one service, in a registry of their own.

    Attributes:
        requests: by method, route and status.
        seconds: of a request, by route.
        images: by what became of them: predicted or broken.
        predicted: images by class; names of classes are few and the bundle's.
        decided: images by decision, of a bundle that takes some: more that are unknown say that images have changed.
        waiting: images that are read or wait for the model.
        model: 1 for the version in use.
        reloads: by whether another bundle took over or was refused.
    """

    def __init__(self) -> None:
        """Everything is 0."""
        self._registry = CollectorRegistry()
        registry = self._registry
        self.requests = Counter("smallset_requests", "Requests.", ["method", "route", "status"], registry=registry)
        self.seconds = Histogram(
            "smallset_request_seconds", "Of a request.", ["route"], buckets=_SECONDS, registry=registry
        )
        self.images = Counter("smallset_images", "Images, predicted or broken.", ["result"], registry=registry)
        self.predicted = Counter("smallset_predictions", "Images by predicted class.", ["label"], registry=registry)
        self.decided = Counter("smallset_decisions", "Images by decision.", ["decision"], registry=registry)
        self.waiting = Gauge(
            "smallset_waiting_images", "Images that are read or wait for the model.", registry=registry
        )
        self.model = Gauge("smallset_model", "The version in use.", ["name", "version"], registry=registry)
        self.reloads = Counter("smallset_reloads", "Other bundles, taken or refused.", ["result"], registry=registry)

    def text(self) -> bytes:
        """All of them in Prometheus's text format."""
        return generate_latest(self._registry)
