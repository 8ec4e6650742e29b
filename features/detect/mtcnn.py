"""The detector ``mtcnn``: three small networks, each judging what the one before has let through.

It gives the faces that facenet-pytorch's ``MTCNN(keep_all=True)`` gives image by image, for batches of images of any
sizes. Inside, boxes have the convention of the original MATLAB code: pixels are counted from 1 and the last one
belongs to the box, so that ``[1, 1, 12, 12]`` is the first window of 12 pixels. facenet-pytorch returns these numbers
as they are; a :class:`~features.face.Face` has half-open boxes, ``[x0 − 1, y0 − 1, x1, y1]`` of them: exactly the pixels
that the last network saw moved by what it said. The landmarks are facenet-pytorch's, numbers in that half-open frame.

References
----------
K. Zhang, Z. Zhang, Z. Li, Y. Qiao: Joint face detection and alignment using multitask cascaded convolutional networks.
IEEE Signal Processing Letters 23(10), 2016. https://arxiv.org/abs/1604.02878
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from faceheads.images.pixels import check_rgb
from faceheads.networks.mtcnn import (
    FINISHER_SIZE_PX,
    PIXEL_FACTOR,
    PIXEL_MEAN,
    PROPOSAL_STRIDE_PX,
    PROPOSAL_WINDOW_PX,
    REFINER_SIZE_PX,
    build_mtcnn,
)
from faceheads.weights import fetch_weights

from ..face import Face
from .area import AreaSampler
from .nms import kept_by_smaller, kept_by_union

#: Overlap from which one of two proposals of the same pyramid level goes, and of two of any level.
NMS_LEVEL = 0.5
NMS_IMAGE = 0.7
#: Pixels of all images held at a time: their tables of sums take 12 bytes a pixel.
MAX_PIXELS = 16_000_000
#: Pixels of pyramid levels, and crops, that enter a network at a time, by the kind of device. The activations take many
#: times as much memory: a CPU is fastest while they stay in its caches, a GPU when it has much to do at once.
LEVEL_PIXELS = {"cpu": 100_000, "other": 8_000_000}
CROPS_AT_ONCE = {"cpu": 32, "other": 512}


@dataclass(frozen=True)
class _Candidates:
    """What is left of one image's windows: boxes counted from 1, last pixel included; float32 throughout."""

    boxes: np.ndarray  # (n, 4)
    scores: np.ndarray  # (n,)
    moves: np.ndarray  # (n, 4): of the borders, in fractions of the sides

    def __getitem__(self, chosen: np.ndarray) -> _Candidates:
        return _Candidates(self.boxes[chosen], self.scores[chosen], self.moves[chosen])


class MtcnnDetector:
    """MTCNN for batches of images of unequal size.

    Parameters
    ----------
    min_face_px : int, default 20
        Smallest face looked for, in pixels: the first network's window of 12 pixels is made to be this large.
    thresholds : tuple of 3 floats, default (0.6, 0.7, 0.7)
        Probabilities above which the three networks let a candidate through.
    factor : float in (0, 1), default 0.709
        Size of a pyramid level relative to the one before.
    max_candidates : int, optional
        Boxes of an image that the second network is given at most, and the third: the surest. By default all, as in
        facenet-pytorch; a crowd or a strongly textured photo may have thousands.
    device : str or torch.device, default "cpu"

    Attributes
    ----------
    name, settings, landmark_scheme
        See :class:`features.face.Detector`.

    Raises
    ------
    ValueError
        If a parameter is out of its range.
    OSError
        If a weight file is not on this machine and cannot be fetched.
    """

    name = "mtcnn"
    landmark_scheme = "arcface5"

    def __init__(
        self,
        min_face_px: int = 20,
        thresholds: tuple[float, float, float] = (0.6, 0.7, 0.7),
        factor: float = 0.709,
        max_candidates: int | None = None,
        device: str | torch.device = "cpu",
    ) -> None:
        _check_parameters(min_face_px, thresholds, factor, max_candidates)
        self.min_face_px = min_face_px
        self.thresholds = tuple(thresholds)
        self.factor = factor
        self.device = torch.device(device)
        kind = "cpu" if self.device.type == "cpu" else "other"
        self._level_pixels, self._crops_at_once = LEVEL_PIXELS[kind], CROPS_AT_ONCE[kind]
        self.max_candidates = max_candidates
        self.settings = {"min_face_px": min_face_px, "thresholds": list(thresholds), "factor": factor}
        if max_candidates is not None:
            self.settings["max_candidates"] = max_candidates
        paths = [fetch_weights(f"mtcnn_{stage}") for stage in ("pnet", "rnet", "onet")]
        self._networks = build_mtcnn(*paths, device=self.device)

    def detect(self, images: Sequence[np.ndarray]) -> list[list[Face]]:
        """Faces of each image, the surest first.

        Parameters
        ----------
        images : sequence of ndarray of shape (height, width, 3), uint8, RGB
            May differ in size. An image with a side shorter than ``min_face_px`` has no faces.

        Raises
        ------
        ValueError
            If an image is not such an array.
        """
        for image in images:
            check_rgb(image)
        with torch.inference_mode():
            return [faces for group in _bounded_groups(images) for faces in self._detect_together(group)]

    def _detect_together(self, images: Sequence[np.ndarray]) -> list[list[Face]]:
        samplers = [AreaSampler(image, self.device) for image in images]
        proposals = self._propose(samplers)
        return self._finish(samplers, self._refine(samplers, proposals))

    def _propose(self, samplers: Sequence[AreaSampler]) -> list[np.ndarray]:
        """First network, over the pyramids of all images: square boxes that may hold a face, shape (n, 4) each."""
        found: list[dict[float, _Candidates]] = [{} for _ in samplers]
        for size_hw, members in self._levels_by_size(samplers).items():
            for part in _parts(members, self._level_pixels // (size_hw[0] * size_hw[1])):
                level = _as_input(torch.cat([samplers[image].scaled(size_hw) for image, _ in part]))
                strip_rows = self._level_pixels // (len(part) * size_hw[1])
                probabilities, moves = self._networks.proposal.in_strips(level, strip_rows)
                for (image, scale), p, m in zip(part, probabilities, moves, strict=True):
                    found[image][scale] = self._level_candidates(p, m, scale)
        per_image = ([levels[scale] for scale in sorted(levels, reverse=True)] for levels in found)
        return [_proposals_of_image(levels)[: self.max_candidates] for levels in per_image]

    def _levels_by_size(self, samplers: Sequence[AreaSampler]) -> dict[tuple[int, int], list[tuple[int, float]]]:
        """Which pyramid levels (index of the image, scale) have the same size (height, width) and can share a pass."""
        levels = defaultdict(list)
        for image, sampler in enumerate(samplers):
            height, width = sampler.size_hw
            for scale in _scales(min(height, width), self.min_face_px, self.factor):
                levels[int(height * scale + 1), int(width * scale + 1)].append((image, scale))
        return levels

    def _level_candidates(self, probabilities: torch.Tensor, moves: torch.Tensor, scale: float) -> _Candidates:
        """Windows of one pyramid level, in pixels of the image, that pass the first threshold and are not doubled."""
        mask = probabilities >= self.thresholds[0]
        cells = mask.nonzero().flip(1).cpu().numpy().astype(np.float32) * PROPOSAL_STRIDE_PX
        scale32 = np.float32(scale)
        first = np.floor((cells + 1) / scale32)
        last = np.floor((cells + PROPOSAL_WINDOW_PX) / scale32)
        candidates = _Candidates(np.hstack([first, last]), _on_host(probabilities[mask]), _on_host(moves[:, mask].T))
        return candidates[kept_by_union(candidates.boxes, candidates.scores, NMS_LEVEL)]

    def _refine(self, samplers: Sequence[AreaSampler], boxes: list[np.ndarray]) -> list[np.ndarray]:
        """Second network, over the boxes of all images at once: fewer and better boxes."""
        boxes, crops = _crops(samplers, boxes, REFINER_SIZE_PX)
        scores, moves = _judge(self._networks.refiner, crops.split(self._crops_at_once), boxes)
        return [
            _refined_boxes(_Candidates(*candidates), self.thresholds[1])[: self.max_candidates]
            for candidates in zip(boxes, scores, moves, strict=True)
        ]

    def _finish(self, samplers: Sequence[AreaSampler], boxes: list[np.ndarray]) -> list[list[Face]]:
        """Third network, over the boxes of all images at once: the faces, with landmarks."""
        boxes, crops = _crops(samplers, boxes, FINISHER_SIZE_PX)
        scores, moves, landmarks = _judge(self._networks.finisher, crops.split(self._crops_at_once), boxes)
        return [
            _faces_of_image(_Candidates(b, s, m), points, self.thresholds[2])
            for b, s, m, points in zip(boxes, scores, moves, landmarks, strict=True)
        ]


def _check_parameters(
    min_face_px: int, thresholds: Sequence[float], factor: float, max_candidates: int | None
) -> None:
    if min_face_px < 1:
        raise ValueError(f"min_face_px must be at least 1; got {min_face_px}.")
    if len(thresholds) != 3 or not all(0 <= threshold <= 1 for threshold in thresholds):
        raise ValueError(f"thresholds must be three probabilities between 0 and 1; got {thresholds}.")
    if not 0 < factor < 1:
        raise ValueError(f"factor must be above 0 and below 1; got {factor}.")
    if max_candidates is not None and max_candidates < 1:
        raise ValueError(f"max_candidates must be at least 1, or None for all; got {max_candidates}.")


def _bounded_groups(images: Sequence[np.ndarray]) -> Iterator[list[np.ndarray]]:
    """Consecutive images that together have at most ``MAX_PIXELS`` pixels; a larger one is alone."""
    group: list[np.ndarray] = []
    n_pixels = 0
    for image in images:
        size = image.shape[0] * image.shape[1]
        if group and n_pixels + size > MAX_PIXELS:
            yield group
            group, n_pixels = [], 0
        group.append(image)
        n_pixels += size
    if group:
        yield group


def _parts(members: list, length: int) -> Iterator[list]:
    step = max(1, length)
    return (members[start : start + step] for start in range(0, len(members), step))


def _scales(shorter_side_px: int, min_face_px: int, factor: float) -> list[float]:
    """Scales of the pyramid levels, largest first, down to where the shorter side is less than one window."""
    scale = PROPOSAL_WINDOW_PX / min_face_px
    side = shorter_side_px * scale
    scales = []
    while side >= PROPOSAL_WINDOW_PX:
        scales.append(scale)
        scale *= factor
        side *= factor
    return scales


def _as_input(pixels: torch.Tensor) -> torch.Tensor:
    return pixels.sub_(PIXEL_MEAN).mul_(PIXEL_FACTOR)


def _on_host(tensor: torch.Tensor) -> np.ndarray:
    return tensor.cpu().numpy()


def _proposals_of_image(levels: list[_Candidates]) -> np.ndarray:
    """Square boxes of the proposals of all levels that no surer one overlaps, moved as the first network said.

    The surest comes first.
    """
    if not levels:
        return np.empty((0, 4), np.float32)
    boxes, scores, moves = (np.concatenate([getattr(c, f) for c in levels]) for f in ("boxes", "scores", "moves"))
    kept = kept_by_union(boxes, scores, NMS_IMAGE)
    boxes, moves = boxes[kept], moves[kept]
    sides = boxes[:, 2:] - boxes[:, :2]
    return _squared(boxes + moves * np.hstack([sides, sides]))


def _squared(boxes: np.ndarray) -> np.ndarray:
    """Squares about the same centres whose sides are the longer ones."""
    sides = boxes[:, 2:] - boxes[:, :2]
    longer = sides.max(1, keepdims=True, initial=-np.inf)
    first = boxes[:, :2] + sides * np.float32(0.5) - longer * np.float32(0.5)
    return np.hstack([first, first + longer])


def _moved(candidates: _Candidates) -> np.ndarray:
    """The boxes with their borders moved as a network said."""
    sides = candidates.boxes[:, 2:] - candidates.boxes[:, :2] + 1
    return candidates.boxes + candidates.moves * np.hstack([sides, sides])


def _crops(
    samplers: Sequence[AreaSampler], boxes: list[np.ndarray], size_px: int
) -> tuple[list[np.ndarray], torch.Tensor]:
    """The boxes of each image that reach into it, and the network's input for all of them, image after image."""
    windows = [_windows(b, sampler.size_hw) for b, sampler in zip(boxes, samplers, strict=True)]
    inside = [(w[:, 2:] > w[:, :2]).all(1) for w in windows]
    crops = [s.windows(w[i], size_px) for s, w, i in zip(samplers, windows, inside, strict=True)]
    return [b[i] for b, i in zip(boxes, inside, strict=True)], _as_input(torch.cat(crops))


def _windows(boxes: np.ndarray, size_hw: tuple[int, int]) -> np.ndarray:
    """The part of boxes inside an image, in whole pixels, half-open; possibly empty. Shape (n, 4), int64."""
    whole = np.trunc(boxes).astype(np.int64)
    return np.hstack([np.maximum(whole[:, :2], 1) - 1, np.minimum(whole[:, 2:], (size_hw[1], size_hw[0]))])


def _judge(network: torch.nn.Module, crops: Sequence[torch.Tensor], boxes: list[np.ndarray]) -> list[list[np.ndarray]]:
    """What a network says about the crops, which come in batches, each of its outputs as one array per image."""
    outputs = [network(part) for part in crops]
    ends = np.cumsum([len(b) for b in boxes])[:-1]
    return [np.split(_on_host(torch.cat(output)), ends) for output in zip(*outputs, strict=True)]


def _refined_boxes(candidates: _Candidates, threshold: float) -> np.ndarray:
    """Square boxes that the second network lets through and no surer one overlaps; the surest comes first."""
    candidates = candidates[candidates.scores > threshold]
    candidates = candidates[kept_by_union(candidates.boxes, candidates.scores, NMS_IMAGE)]
    return _squared(_moved(candidates))


def _faces_of_image(candidates: _Candidates, landmarks: np.ndarray, threshold: float) -> list[Face]:
    """The faces among the last candidates; landmarks, (n, 5, 2), are fractions of the candidates' sides."""
    passing = candidates.scores > threshold
    candidates, landmarks = candidates[passing], landmarks[passing]
    first, last = candidates.boxes[:, None, :2], candidates.boxes[:, None, 2:]
    points = (last - first + 1) * landmarks + first - 1
    boxes = _moved(candidates)
    half_open = boxes - np.array([1, 1, 0, 0], np.float32)
    kept = kept_by_smaller(boxes, candidates.scores, NMS_IMAGE)
    return [
        Face(half_open[i], float(candidates.scores[i]), MtcnnDetector.name, points[i], MtcnnDetector.landmark_scheme)
        for i in kept
        if (half_open[i, 2:] > half_open[i, :2]).all()
    ]
