"""Random changes of a batch of crops, computed for the whole batch on its device; for training only.

All random numbers come from one seeded generator on the CPU, so a batch is changed in the same way on every device. What
an augmentation changes, the network learns to ignore: with colour changes it cannot learn what depends on colour.
:data:`ERASING` are those that take away what a criterion nobody has told us may depend on.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

import torch
from torch import Tensor

from .batch_changes import WHITE, blurred, erased, luma, moved, per_crop, recoloured
from .distortions import FACECOM_KINDS, KINDS, SEVERITIES, Subject
from .processes import Share

#: Smallest and largest standard deviation of a blur, in pixels.
_BLUR_SIGMA_PX = (0.5, 2.0)
#: Smallest and largest share of a crop that is erased, and ratio of the sides.
_ERASED_SHARE, _ERASED_RATIO = (0.02, 0.2), (0.4, 2.5)
#: Parts of the face that are cut out: the places they are between (eye, other eye, nose, mouth), width and height in
#: distances between the eyes.
PARTS = {"eyes": ((0, 1), (2.2, 0.6)), "nose": ((2,), (0.75, 0.9)), "mouth": ((3,), (1.2, 0.7))}
#: Augmentations after which a criterion may no longer be seen: of colour, of side, of detail, of a part of the face.
ERASING = ("flip", "colour", "gray", "blur", "erase", "cutout", "distort")


def _share(default: float, words: str) -> Any:
    return field(default=default, metadata={"help": words, "choices": None})


@dataclass(frozen=True)
class Augmentation:
    """How strongly crops are changed; with all values 0 they are not.

    The fields' metadata say what each is. What ``distort`` does, :mod:`finetune.distorting` does when crops are loaded;
    everything else is done here. Shifts repeat the border, colours change brightness, contrast and saturation.

    Raises
    ------
    ValueError
        If a value is out of its range.
    """

    flip: float = _share(0.5, "probability of the mirror image")
    shift: float = _share(0.04, "largest shift, as a share of the side")
    zoom: float = _share(0.08, "largest change of size, as a share")
    colour: float = _share(0.2, "largest change of brightness, contrast and saturation, as a share")
    gray: float = _share(0.0, "probability of colour taken away")
    blur: float = _share(0.0, "probability of a blur")
    erase: float = _share(0.0, "probability of an erased rectangle")
    cutout: float = _share(0.0, "probability of a part of the face cut out")
    cutout_part: str = field(
        default="all",
        metadata={"help": "eyes, nose, mouth, or all: one of them at random", "choices": ("all", *PARTS)},
    )
    distort: float = _share(0.0, "probability of bad weather, light or camera, see docs/distortions.md")
    distort_kinds: str = field(
        default=",".join(FACECOM_KINDS), metadata={"help": "which of them, with commas", "choices": None}
    )
    distort_severity: int = field(
        default=max(SEVERITIES), metadata={"help": "the worst; from 1 up to it, at random", "choices": SEVERITIES}
    )

    def __post_init__(self) -> None:
        for item in fields(self):
            value, choices = getattr(self, item.name), item.metadata["choices"]
            if choices and value not in choices:
                raise ValueError(f"augmentation {item.name!r} must be one of {list(choices)}; got {value!r}.")
            if isinstance(item.default, float) and not 0 <= value <= 1:
                raise ValueError(f"augmentation {item.name!r} must be in [0, 1]; got {value}.")
        unknown = [kind for kind in self.kinds if kind not in KINDS]
        if unknown:
            raise ValueError(f"augmentation 'distort_kinds' must be of {list(KINDS)}; got {self.distort_kinds!r}.")

    @property
    def kinds(self) -> tuple[str, ...]:
        """Kinds of distortions that are drawn."""
        return tuple(name.strip() for name in self.distort_kinds.split(","))

    @property
    def erasing(self) -> dict[str, float]:
        """Those of :data:`ERASING` that are not 0."""
        return {name: getattr(self, name) for name in ERASING if getattr(self, name)}

    def __call__(
        self, crops: Tensor, generator: torch.Generator, face: Subject | None = None, share: Share | None = None
    ) -> Tensor:
        """Changed crops.

        Parameters
        ----------
        crops : Tensor of shape (n_crops, 3, height, width), uint8, RGB
        generator : torch.Generator
            On the CPU.
        face : Subject, optional
            Where the face lies in a crop; needed to cut out parts of it.
        share : Share, optional
            Which part of a larger batch the crops are; they are then changed as they would be in that batch.

        Returns
        -------
        Tensor of the same shape, float32 in [0, 255]
        """
        dice = _Dice(Share(0, len(crops), len(crops)) if share is None else share, generator, crops.device)
        x = crops.float()
        if self.cutout:
            x = self._cut_out(x, dice, face)
        if self.flip or self.shift or self.zoom:
            x = moved(x, dice.chance(self.flip), dice.between(-self.shift, self.shift, 2), self._zoom(dice))
        if self.colour:
            x = recoloured(x, *(1 + dice.between(-self.colour, self.colour, 3)).unbind(1))
        if self.gray:
            x = torch.where(per_crop(dice.chance(self.gray)), luma(x).expand_as(x), x)
        if self.blur:
            x = torch.where(per_crop(dice.chance(self.blur)), blurred(x, dice.between(*_BLUR_SIGMA_PX, 1)[:, 0]), x)
        if self.erase:
            x = self._erased(x, dice)
        return x

    def _cut_out(self, x: Tensor, dice: _Dice, face: Subject | None) -> Tensor:
        """One part of the face in one random colour; before crops are moved, while it lies where it should."""
        names = list(PARTS) if self.cutout_part == "all" else [self.cutout_part]
        boxes = torch.tensor([part_box(face, name, tuple(x.shape[2:])) for name in names], device=x.device)
        chosen = boxes[(dice.between(0, 1, 1)[:, 0] * len(names)).long().clamp(max=len(names) - 1)]
        return erased(x, dice.chance(self.cutout), chosen[:, :2], chosen[:, 2:], dice.between(0, WHITE, 3))

    def _zoom(self, dice: _Dice) -> Tensor:
        return 1 + dice.between(-self.zoom, self.zoom, 1)[:, 0]

    def _erased(self, x: Tensor, dice: _Dice) -> Tensor:
        is_erased = dice.chance(self.erase)
        share, ratio = dice.between(*_ERASED_SHARE, 1), dice.between(*_ERASED_RATIO, 1)
        side_yx = torch.cat([(share * ratio).sqrt(), (share / ratio).sqrt()], 1).clamp(max=1)
        start_yx = dice.between(0, 1, 2) * (1 - side_yx)
        return erased(x, is_erased, start_yx, start_yx + side_yx, dice.between(0, WHITE, 3))


class _Dice:
    """Random numbers for each crop of a share, drawn on the CPU for the whole batch and moved."""

    def __init__(self, share: Share, generator: torch.Generator, device: torch.device) -> None:
        self._share = share
        self._generator = generator
        self._device = device

    def between(self, low: float, high: float, n_numbers: int) -> Tensor:
        """Uniform numbers, float32 of shape (n_crops, n_numbers)."""
        numbers = torch.rand(self._share.n_all, n_numbers, generator=self._generator)[self._share.rows]
        return (low + (high - low) * numbers).to(self._device, non_blocking=True)

    def chance(self, probability: float) -> Tensor:
        """True with a probability, bool of shape (n_crops,)."""
        return self.between(0, 1, 1)[:, 0] < probability


def part_box(face: Subject | None, name: str, size_hw: tuple[int, int]) -> list[float]:
    """Top, left, bottom and right of a part of the face, as shares of the sides of a crop; they may lie outside of 0 to 1.

    Raises
    ------
    ValueError
        If it is not known where the face lies.
    """
    if face is None or face.landmark_scheme == "none":
        raise ValueError(
            "--cutout needs crops that are aligned by landmarks: their kind must be dlib_chip or similarity."
        )
    places, (width, height) = PARTS[name]
    parts_xy = face.parts_xy
    eye_distance = float(((parts_xy[1] - parts_xy[0]) ** 2).sum() ** 0.5)
    x, y = (float(value) for value in parts_xy[list(places)].mean(axis=0))
    half_x, half_y = width * eye_distance / 2, height * eye_distance / 2
    sides = (size_hw[0], size_hw[1]) * 2
    return [edge / side for edge, side in zip((y - half_y, x - half_x, y + half_y, x + half_x), sides, strict=True)]
