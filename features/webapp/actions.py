"""What the page calls: photos in, HTML out, and for whatever goes wrong a sentence."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass

from . import rendering
from .annotating import annotate
from .cards import comparison_card, head_card
from .comparing import Comparison, compare, compared_face
from .explaining import explain_comparison, explain_decision, without_jitter
from .grouping import SeenFaces, group, look_at
from .models import Catalogue, ComparisonChoice
from .photo import PhotoReader, short_name
from .refusal import Refused
from .throttle import Throttle
from .workers import PipelineOf, Workers

_LOGGER = logging.getLogger(__name__)
FAILED = "Something went wrong here, and the terminal that runs the app says what. Another photo may do."
#: Called with the number of photos that are done, and of all.
Progress = Callable[[int, int], object]


def answered(work: Callable[[], str]) -> str:
    """The HTML that ``work`` gives, or a sentence where it cannot.

    This is the one place that catches everything: a visitor never sees a trace, the terminal does. Gradio's own handler, outside of it, shows an
    error without words.
    """
    try:
        return work()
    except Refused as error:
        return rendering.message(str(error))
    except Exception:
        _LOGGER.exception("a request failed")
        return rendering.message(FAILED)


@dataclass(frozen=True, eq=False)
class Actions:
    """What can be asked for; ``address`` is that of the visitor, whose photos are counted.

    Attributes
    ----------
    catalogue : Catalogue
    reader : PhotoReader
    workers : Workers
    throttle : Throttle
    """

    catalogue: Catalogue
    reader: PhotoReader
    workers: Workers
    throttle: Throttle

    @property
    def _max_faces(self) -> int:
        return self.reader.limits.faces

    def annotate(self, sent: object, heads: str, address: str) -> str:
        """A photo with what heads decide about its faces; nothing where no photo is chosen."""
        if sent is None:
            return ""

        def work(pipeline_of: PipelineOf) -> str:
            choice = self.catalogue.head(heads)
            photo = self.reader.read(sent)
            return rendering.annotated(annotate(pipeline_of(choice.config), choice, photo, self._max_faces))

        return self._run(work, address, 1)

    def explain(self, sent: object, heads: str, face: object, target: object, address: str) -> str:
        """Which pixels one decision about one face came from."""

        def work(pipeline_of: PipelineOf) -> str:
            choice = self.catalogue.head(heads)
            photo = self.reader.read(sent)
            pipeline = pipeline_of(without_jitter(choice.config))
            return rendering.explained(explain_decision(pipeline, choice, photo, face, target, self._max_faces))

        return self._run(work, address, 1)

    def compare(self, probe: object, reference: object, comparison: str, address: str) -> str:
        """Whether two photos show one person; nothing until both are chosen."""
        if probe is None or reference is None:
            return ""

        def work(pipeline_of: PipelineOf) -> str:
            choice = self.catalogue.comparison(comparison)
            return rendering.compared(self._compared(pipeline_of, choice, probe, reference))

        return self._run(work, address, 2)

    def explain_pair(self, probe: object, reference: object, comparison: str, address: str) -> str:
        """What makes the faces of two photos similar."""

        def work(pipeline_of: PipelineOf) -> str:
            choice = self.catalogue.comparison(comparison)
            pipeline = pipeline_of(without_jitter(choice.config))
            return rendering.explained(
                *explain_comparison(pipeline, self._compared(pipeline_of, choice, probe, reference))
            )

        return self._run(work, address, 2)

    def group(self, sent: object, comparison: str, address: str, progress: Progress) -> str:
        """The people on several photos."""
        return answered(lambda: self._grouped(sent, comparison, address, progress))

    def head_card(self, heads: str) -> str:
        """The card of some heads."""
        return answered(lambda: rendering.card(head_card(self.catalogue.head(heads))))

    def comparison_card(self, comparison: str) -> str:
        """The card of a way to compare."""
        return answered(lambda: rendering.card(comparison_card(self.catalogue.comparison(comparison))))

    def _run(self, work: Callable[[PipelineOf], str], address: str, n_photos: int) -> str:
        def admitted() -> str:
            self.throttle.admit(address, n_photos)
            return self.workers.run(work)

        return answered(admitted)

    def _compared(
        self, pipeline_of: PipelineOf, choice: ComparisonChoice, probe: object, reference: object
    ) -> Comparison:
        pipeline = pipeline_of(choice.config)
        faces = [compared_face(pipeline, self.reader.read(sent), self._max_faces) for sent in (probe, reference)]
        return compare(pipeline, choice, *faces)

    def _grouped(self, sent: object, comparison: str, address: str, progress: Progress) -> str:
        choice = self.catalogue.comparison(comparison)
        photos = self.reader.check_number(sent)
        self.throttle.admit(address, len(photos))
        return rendering.grouped(group(list(self._looked_at(choice, photos, progress)), choice))

    def _looked_at(
        self, choice: ComparisonChoice, photos: Sequence[object], progress: Progress
    ) -> Iterator[SeenFaces]:
        """The faces of each photo, in order; no more photos wait than there are threads, so that other visitors get their turn."""
        waiting: deque[Future[SeenFaces]] = deque()
        for n_sent, photo in enumerate(photos, start=1):
            waiting.append(self.workers.submit(self._looking_at(choice, photo)))
            while len(waiting) > self.workers.n_threads or (waiting and n_sent == len(photos)):
                yield waiting.popleft().result()
                progress(n_sent - len(waiting), len(photos))

    def _looking_at(self, choice: ComparisonChoice, sent: object) -> Callable[[PipelineOf], SeenFaces]:
        def work(pipeline_of: PipelineOf) -> SeenFaces:
            try:
                return look_at(pipeline_of(choice.config), self.reader.read(sent), self._max_faces)
            except Refused as error:
                name = sent.get("name") if isinstance(sent, dict) else None
                return SeenFaces(short_name(name), problem=str(error))

        return work
