"""dlib's CNN face detector, run in torch: every rectangle equal to dlib's, many times faster.

References
----------
King, "Max-Margin Object Detection", arXiv 1502.00046; dlib 20.0.1, ``loss_mmod_`` in ``dnn/loss.h`` and
``cnn_face_detection_model_v1`` of its Python binding.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import dlib
import numpy as np
import torch

from faceheads.networks.dlib_format import OverlapTest
from faceheads.networks.dlib_mmod import INPUT_SCALE, build_dlib_mmod
from faceheads.networks.precision import full_float32
from faceheads.weights import find_weights

from ..face import Face
from ..image import check_rgb
from .tiled_pyramid import Layout, build_tiled_pyramid, make_layout, to_image

#: Pixels of tiled pyramids that go through the network at once when images are small.
BATCH_PIXELS = 4_000_000
#: Most pixels that are scanned, after upsampling: 5 GB of memory, as measured for 12 and 30 megapixels.
MAX_SCANNED_PIXELS = 100_000_000
#: Each upsampling doubles both sides.
_MAX_UPSAMPLE = 4


@dataclass(frozen=True, eq=False)
class _Detections:
    """Boxes of shape (n, 4) as left, top, right, bottom, last pixel included, and their scores, surest first."""

    ltrb: np.ndarray
    scores: np.ndarray


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
                faces[position] = self._faces(found)
        return faces

    def _check_memory(self, image_hw: Sequence[int]) -> None:
        height, width = image_hw
        scanned = height * width * 4**self.upsample
        if scanned > MAX_SCANNED_PIXELS:
            raise ValueError(
                f"an image to be scanned must have at most {MAX_SCANNED_PIXELS} pixels after upsampling; got "
                f"{width} x {height}, upsampled {self.upsample} times: {scanned}. Use a lower upsample or smaller images."
            )

    def _detect_equal(self, images: list[np.ndarray]) -> Iterator[_Detections]:
        """Detections of images of one size, as many at a time as fit."""
        options = self._network.input
        layout = make_layout(*self._upsampled_hw(images[0]), options.pyramid_padding, options.pyramid_outer_padding)
        if layout is None:
            yield from (_none_found() for _ in images)
            return
        batch_size = max(1, BATCH_PIXELS // layout.n_pixels)
        for start in range(0, len(images), batch_size):
            for scores in self._score(images[start : start + batch_size], layout):
                yield self._decode(scores, layout)

    def _upsampled_hw(self, image: np.ndarray) -> tuple[int, int]:
        height, width = image.shape[:2]
        for _ in range(self.upsample):
            height, width = upsampled_hw(height, width)
        return height, width

    def _score(self, images: list[np.ndarray], layout: Layout) -> np.ndarray:
        """Scores of the windows, float32, shape (n_images, rows, columns)."""
        pixels = torch.from_numpy(np.stack([upsample(image, self.upsample) for image in images])).to(self.device)
        with torch.inference_mode(), full_float32(self.device):
            plane = build_tiled_pyramid(pixels, layout, self._network.average_rgb, INPUT_SCALE)
            return self._network(plane).cpu().numpy()

    def _decode(self, scores: np.ndarray, layout: Layout) -> _Detections:
        """Boxes in the image as it came, from the scores of one image."""
        rows, columns = np.nonzero(scores > self.threshold)
        order = np.argsort(-scores[rows, columns], kind="stable")
        rows, columns = rows[order], columns[order]
        centres = self._network.input_xy(np.stack([columns, rows], axis=1).astype(np.float64))
        reach = (np.array(self._network.loss.windows_wh[0]) - 1) / 2
        boxes = round_half_away(to_image(np.hstack([centres - reach, centres + reach]), layout))
        kept = suppress(boxes, self._network.loss.overlaps_nms)
        return _Detections(downsample(boxes[kept], self.upsample), scores[rows, columns][kept])

    def _faces(self, found: _Detections) -> list[Face]:
        boxes = found.ltrb + [0.0, 0.0, 1.0, 1.0]
        return [Face(box, float(score), self.name) for box, score in zip(boxes, found.scores)]


def _none_found() -> _Detections:
    return _Detections(np.empty((0, 4)), np.empty(0, np.float32))


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


def round_half_away(values: np.ndarray) -> np.ndarray:
    """The nearest whole number, the one farther from zero where two are equally near."""
    return np.copysign(np.floor(np.abs(values) + 0.5), values)


def _area(ltrb: np.ndarray) -> np.ndarray:
    return np.prod(np.maximum(ltrb[..., 2:] - ltrb[..., :2] + 1, 0), axis=-1)


def _overlaps(box: np.ndarray, others: np.ndarray, test: OverlapTest) -> np.ndarray:
    """Whether a box overlaps each of the others: dlib compares with the box around both, not with their union."""
    inner = _area(np.hstack([np.maximum(box[:2], others[:, :2]), np.minimum(box[2:], others[:, 2:])]))
    outer = _area(np.hstack([np.minimum(box[:2], others[:, :2]), np.maximum(box[2:], others[:, 2:])]))
    covered = inner / np.minimum(_area(box), _area(others))
    return (inner / outer > test.iou_threshold) | (covered > test.percent_covered_threshold)


def suppress(boxes_ltrb: np.ndarray, test: OverlapTest) -> np.ndarray:
    """Indices of the boxes that overlap none kept before them; boxes come surest first, last pixel included.

    Parameters
    ----------
    boxes_ltrb : ndarray of shape (n, 4)
    test : OverlapTest

    Returns
    -------
    ndarray of shape (n_kept,), int
    """
    kept: list[int] = []
    for i, box in enumerate(boxes_ltrb):
        if not _overlaps(box, boxes_ltrb[kept], test).any():
            kept.append(i)
    return np.array(kept, int)
