"""Everything that a running app is made of."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.types import ASGIApp

from .actions import Actions
from .explaining import without_jitter
from .models import Catalogue
from .page import build_page
from .photo import PhotoReader
from .picker import Example
from .server import application, is_loopback
from .throttle import Throttle
from .workers import Workers


@dataclass(frozen=True, eq=False)
class Site:
    """What the page offers, warm.

    Attributes
    ----------
    actions : Actions
    """

    actions: Actions

    @classmethod
    def of(cls, catalogue: Catalogue, reader: PhotoReader, n_threads: int = 1) -> Site:
        """Warm up so many threads for what the catalogue offers."""
        workers = Workers(n_threads)
        for config in catalogue.configs:
            workers.warm_up(without_jitter(config))
        return cls(Actions(catalogue, reader, workers, Throttle(reader.limits.photos_per_minute)))

    def application(self, host: str = "127.0.0.1") -> ASGIApp:
        """The page for a server on ``host``."""
        examples = [Example.of(path) for path in self.actions.reader.examples]
        page = build_page(self.actions, examples)
        return application(page, self.actions.reader.limits.request_bytes, is_loopback(host))

    def close(self) -> None:
        """End the threads."""
        self.actions.workers.close()
