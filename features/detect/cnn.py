"""dlib's CNN face detector, run in torch: every rectangle equal to dlib's, many times faster.

OpenVINO is not used here: it is hardly faster, and its scores are too far from dlib's to keep the rectangles equal
(``python -m benchmarks.cnn_openvino``).

References
----------
King, "Max-Margin Object Detection", arXiv 1502.00046; dlib 20.0.1, ``loss_mmod_`` in ``dnn/loss.h`` and
``cnn_face_detection_model_v1`` of its Python binding.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from faceheads.networks.dlib_mmod import INPUT_SCALE, build_dlib_mmod
from faceheads.networks.dlib_rounding import score_in_dlibs_order
from faceheads.networks.precision import full_float32
from faceheads.weights import find_weights

from ..face import Face
from .suppression import suppress, undecided
from .tiled_pyramid import Layout, build_tiled_pyramid, make_layout, to_image
from .upsampling import downsample, round_half_away, upsample, upsampled_hw
from .window_detector import WindowDetector

#: Pixels of tiled pyramids that go through the network at once when images are small.
BATCH_PIXELS = 4_000_000
#: How far a score may be from dlib's; ``python -m benchmarks.cnn_detector`` prints the largest difference found.
SCORE_ERROR = 1e-5
#: Most windows of an image that are scored a second time, in dlib's order, which is slow.
MAX_RESCORED = 32


@dataclass(frozen=True, eq=False)
class _Windows:
    """Places in the map of scores, shape (n,) each, surest first, and their rounded boxes in the scanned image (n, 4)."""

    rows: np.ndarray
    columns: np.ndarray
    scores: np.ndarray
    ltrb: np.ndarray

    def __getitem__(self, chosen: np.ndarray) -> _Windows:
        return _Windows(self.rows[chosen], self.columns[chosen], self.scores[chosen], self.ltrb[chosen])

    def with_scores(self, scores: np.ndarray) -> _Windows:
        """The same windows with other scores, sorted by them."""
        return replace(self, scores=scores)[np.argsort(-scores, kind="stable")]


class CnnDetector(WindowDetector):
    """dlib's CNN face detector; rectangles and their order as ``dlib.cnn_face_detection_model_v1`` gives them.

    Images of equal size go through the network together. An image that is narrower than 10 or lower than 7 pixels after
    upsampling has no face (dlib crashes there).

    Parameters
    ----------
    upsample, threshold
        See :class:`~features.detect.window_detector.WindowDetector`; dlib's own threshold is 0.
    device : str or torch.device
        Where the network runs.
    weights : str or Path, optional
        dlib's ``mmod_human_face_detector.dat``; by default the file that :mod:`faceheads.weights` finds.

    Raises
    ------
    ValueError
        If a setting is out of range, or the file holds something else.
    """

    name = "cnn"
    #: The tiled pyramid and what makes it take some dozen bytes for each pixel.
    max_scanned_pixels = 100_000_000

    def __init__(
        self,
        upsample: int = 0,
        threshold: float = 0.0,
        device: str | torch.device = "cpu",
        weights: str | Path | None = None,
    ) -> None:
        super().__init__(upsample, threshold)
        self.device = torch.device(device)
        path = find_weights("dlib_cnn_detector") if weights is None else weights
        self._network = build_dlib_mmod(path).to(self.device).requires_grad_(False)

    def detect(self, images: Sequence[np.ndarray]) -> list[list[Face]]:
        """Faces of each image, surest first.

        Parameters
        ----------
        images : sequence of ndarray of shape (height, width, 3), uint8, RGB
            May differ in size; those of equal size share a pass through the network.

        Raises
        ------
        ValueError
            If an array is no RGB image, or too large to be scanned after upsampling.
        """
        for image in images:
            self.check(image)
        faces: list[list[Face]] = [[] for _ in images]
        for size in dict.fromkeys(image.shape for image in images):
            positions = [i for i, image in enumerate(images) if image.shape == size]
            for position, found in zip(positions, self._detect_equal([images[i] for i in positions])):
                faces[position] = found
        return faces

    def _detect_equal(self, images: list[np.ndarray]) -> Iterator[list[Face]]:
        """Faces of images of one size, as many at a time as fit."""
        options = self._network.input
        layout = make_layout(*self._upsampled_hw(images[0]), options.pyramid_padding, options.pyramid_outer_padding)
        if layout is None:
            yield from ([] for _ in images)
            return
        batch_size = max(1, BATCH_PIXELS // layout.n_pixels)
        for start in range(0, len(images), batch_size):
            for plane, scores in zip(*self._score(images[start : start + batch_size], layout)):
                windows = self._settle(self._windows(scores, layout), plane)
                yield self.faces(downsample(windows.ltrb, self.upsample), windows.scores)

    def _upsampled_hw(self, image: np.ndarray) -> tuple[int, int]:
        height, width = image.shape[:2]
        for _ in range(self.upsample):
            height, width = upsampled_hw(height, width)
        return height, width

    def _score(self, images: list[np.ndarray], layout: Layout) -> tuple[torch.Tensor, np.ndarray]:
        """Tiled pyramids (n_images, 3, height, width) and scores of the windows (n_images, rows, columns), float32."""
        pixels = torch.from_numpy(np.stack([upsample(image, self.upsample) for image in images])).to(self.device)
        with torch.inference_mode(), full_float32(self.device):
            planes = build_tiled_pyramid(pixels, layout, self._network.average_rgb, INPUT_SCALE)
            return planes, self._network(planes).cpu().numpy()

    def _windows(self, scores: np.ndarray, layout: Layout) -> _Windows:
        """The windows of one image whose scores may be above the threshold."""
        rows, columns = np.nonzero(scores > self.threshold - SCORE_ERROR)
        centres = self._network.input_xy(np.stack([columns, rows], axis=1).astype(np.float64))
        reach = (np.array(self._network.loss.windows_wh[0]) - 1) / 2
        boxes = round_half_away(to_image(np.hstack([centres - reach, centres + reach]), layout))
        windows = _Windows(rows, columns, scores[rows, columns], boxes)
        return windows.with_scores(windows.scores)

    def _settle(self, windows: _Windows, plane: torch.Tensor) -> _Windows:
        """The windows that are reported; where two are equally good within the error, dlib's own rounding decides."""
        test = self._network.loss.overlaps_nms
        exact: dict[tuple[int, int], np.float32] = {}
        while True:
            places = list(zip(windows.rows.tolist(), windows.columns.tolist()))
            open_places = undecided(windows.ltrb, windows.scores, test, self.threshold, SCORE_ERROR)
            unknown = {places[i] for i in open_places} - exact.keys()
            if not unknown or len(unknown) + len(exact) > MAX_RESCORED:
                windows = windows[windows.scores > self.threshold]
                return windows[suppress(windows.ltrb, test)]
            pixels = plane.cpu().numpy()
            exact.update((place, score_in_dlibs_order(self._network.layers, pixels, *place)) for place in unknown)
            windows = windows.with_scores(np.array([exact.get(p, s) for p, s in zip(places, windows.scores)]))
