"""dlib's CNN face detector, run in torch: every rectangle equal to dlib's, many times faster.

References
----------
King, "Max-Margin Object Detection", arXiv 1502.00046; dlib 20.0.1, ``loss_mmod_`` in ``dnn/loss.h`` and
``cnn_face_detection_model_v1`` of its Python binding.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import dlib
import numpy as np
import torch

from faceheads.networks.dlib_mmod import INPUT_SCALE, build_dlib_mmod
from faceheads.networks.dlib_rounding import score_in_dlibs_order
from faceheads.networks.precision import full_float32
from faceheads.weights import find_weights

from ..face import Face
from ..pixels import check_rgb
from .suppression import round_half_away, suppress, undecided
from .tiled_pyramid import Layout, build_tiled_pyramid, make_layout, to_image

#: Pixels of tiled pyramids that go through the network at once when images are small.
BATCH_PIXELS = 4_000_000
#: Most pixels that are scanned, after upsampling: 5 GB of memory, as measured for 12 and 30 megapixels.
MAX_SCANNED_PIXELS = 100_000_000
#: Each upsampling doubles both sides.
_MAX_UPSAMPLE = 4


#: How far a score may be from dlib's: twice the largest difference found on 58 photos, rounded up.
SCORE_ERROR = 1e-5
#: Most windows of an image that are scored a second time, in dlib's order; each takes about 0.2 s.
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


class CnnDetector:
    """dlib's CNN face detector; rectangles and their order as ``dlib.cnn_face_detection_model_v1`` gives them.

    Images of equal size go through the network together. An image that is narrower than 10 or lower than 7 pixels after
    upsampling has no face (dlib crashes there). Memory is about 46 bytes for each pixel of the upsampled image and 0.4
    GB besides.

    Parameters
    ----------
    upsample : int
        How often the image is doubled before it is scanned, 0 to 4. The smallest face found is about 80 px without,
        40 px with one upsampling.
    threshold : float
        Least score of a face: below 0 more faces are found, and more that are none. dlib's own is 0.
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
    landmark_scheme = "none"

    def __init__(
        self,
        upsample: int = 0,
        threshold: float = 0.0,
        device: str | torch.device = "cpu",
        weights: str | Path | None = None,
    ) -> None:
        if isinstance(upsample, bool) or not isinstance(upsample, int) or not 0 <= upsample <= _MAX_UPSAMPLE:
            raise ValueError(f"upsample must be a whole number from 0 to {_MAX_UPSAMPLE}; got {upsample!r}.")
        if not np.isfinite(threshold):
            raise ValueError(f"threshold must be a finite number; got {threshold!r}.")
        self.upsample = upsample
        self.threshold = float(threshold)
        self.device = torch.device(device)
        path = find_weights("dlib_cnn_detector") if weights is None else weights
        self._network = build_dlib_mmod(path).to(self.device).requires_grad_(False)

    @property
    def settings(self) -> dict:
        """What changes the boxes: ``upsample`` and ``threshold``."""
        return {"upsample": self.upsample, "threshold": self.threshold}

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
            check_rgb(image)
            self._check_memory(image.shape[:2])
        faces: list[list[Face]] = [[] for _ in images]
        for size in dict.fromkeys(image.shape for image in images):
            positions = [i for i, image in enumerate(images) if image.shape == size]
            for position, found in zip(positions, self._detect_equal([images[i] for i in positions])):
                faces[position] = found
        return faces

    def _check_memory(self, image_hw: Sequence[int]) -> None:
        height, width = image_hw
        scanned = height * width * 4**self.upsample
        if scanned > MAX_SCANNED_PIXELS:
            raise ValueError(
                f"an image to be scanned must have at most {MAX_SCANNED_PIXELS} pixels after upsampling; got "
                f"{width} x {height}, upsampled {self.upsample} times: {scanned}. Use a lower upsample or smaller images."
            )

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
                yield self._faces(self._settle(self._windows(scores, layout), plane))

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

    def _faces(self, windows: _Windows) -> list[Face]:
        boxes = downsample(windows.ltrb, self.upsample) + [0.0, 0.0, 1.0, 1.0]
        return [Face(box, float(score), self.name) for box, score in zip(boxes, windows.scores)]


def upsampled_hw(height: int, width: int) -> tuple[int, int]:
    """Size of an image after dlib's ``pyramid_up`` by two."""
    return 2 * height + 1, 2 * width + 2


def upsample(image: np.ndarray, n_times: int) -> np.ndarray:
    """The image, uint8, doubled ``n_times`` as dlib does it."""
    for _ in range(n_times):
        image = dlib.resize_image(np.ascontiguousarray(image), *upsampled_hw(*image.shape[:2]))
    return image


def downsample(boxes_ltrb: np.ndarray, n_times: int) -> np.ndarray:
    """Rounded boxes of an upsampled image in the pixels of the image before ``n_times`` doublings."""
    if n_times == 0:
        return boxes_ltrb
    for _ in range(n_times):
        boxes_ltrb = boxes_ltrb / 2 - [1.25, 0.75, 1.25, 0.75]
    return round_half_away(boxes_ltrb)
