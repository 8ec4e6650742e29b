"""The table of distortions: what there is, and the parameters of each severity.

The parameters were fixed before anything was measured with them. Those of blur, noise, resize and low light are given
by the project's protocol for faces of 150 px; the others were chosen by looking at pictures, so that severity 1 is a
nuisance, 2 is bad, and in 3 a person still recognises a friend.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from .camera import blur, jpeg, noise, resize
from .light import low_light, sun
from .occlusion import occlude_eyes, occlude_mouth, occlude_nose
from .subject import Subject
from .weather import fog, rain

SEVERITIES = (1, 2, 3)
#: Raised by hand when the pixels that a seed gives change.
RECIPE_VERSION = 1


@dataclass(frozen=True)
class Kind:
    """One kind of distortion.

    Attributes
    ----------
    apply : callable
        ``apply(rgb, rng, subject, **parameters)`` gives a new image of the same shape.
    parameters : tuple of three mappings
        Of the severities 1, 2 and 3.
    needs_landmarks : bool
        Whether it is found by the parts of the face.
    """

    apply: Callable[..., np.ndarray]
    parameters: tuple[Mapping, Mapping, Mapping]
    needs_landmarks: bool = False


def _parameters(**columns: tuple) -> tuple:
    """One mapping a severity from one tuple a parameter."""
    return tuple(dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True))


KINDS: dict[str, Kind] = {
    "blur": Kind(blur, _parameters(sigma_px=(1.5, 3, 5))),
    "fog": Kind(fog, _parameters(transmission=(0.6, 0.4, 0.25), sigma_px=(0.5, 0.8, 1.2))),
    "low_light": Kind(
        low_light,
        _parameters(gain=(0.5, 0.3, 0.15), electrons_at_white=(3000, 1500, 750), read_noise=(1.0, 1.5, 2.0)),
    ),
    "noise": Kind(noise, _parameters(sigma=(10, 25, 50))),
    "rain": Kind(rain, _parameters(n_drops=(25, 60, 110), length_px=(16, 24, 34), transmission=(0.9, 0.8, 0.7))),
    "resize": Kind(resize, _parameters(face_px=(48, 32, 20))),
    "sun": Kind(
        sun,
        _parameters(
            disc=(0.10, 0.14, 0.18), halo=(0.06, 0.15, 0.35), veil=(0.01, 0.03, 0.06), exposure=(0.95, 0.85, 0.75)
        ),
    ),
    "jpeg": Kind(jpeg, _parameters(quality=(40, 20, 8))),
    "occlude_eyes": Kind(occlude_eyes, _parameters(width=(2.0, 2.2, 2.4), height=(0.4, 0.6, 0.9)), True),
    "occlude_nose": Kind(occlude_nose, _parameters(width=(0.5, 0.75, 1.0), height=(0.6, 0.9, 1.2)), True),
    "occlude_mouth": Kind(occlude_mouth, _parameters(width=(0.9, 1.2, 1.6), height=(0.45, 0.7, 1.0)), True),
}

#: The seven of the FACECOM challenge: blurred, foggy, lowlight, noisy, rainy, resized, sunny.
FACECOM_KINDS = ("blur", "fog", "low_light", "noise", "rain", "resize", "sun")


def distort(rgb: np.ndarray, kind: str, severity: int, seed: int, subject: Subject | None = None) -> np.ndarray:
    """A photo distorted; equal arguments give equal pixels, in any process and any order.

    Parameters
    ----------
    rgb : ndarray of shape (height, width, 3), uint8
        Not changed.
    kind : str
        A key of :data:`KINDS`.
    severity : {1, 2, 3}
        The same seed gives the same rain, the same place of the sun … in every severity.
    seed : int
        0 or more; :func:`seed_of` makes one for a photo of a data set.
    subject : Subject, optional
        The face in the photo; by default 150 px large, without landmarks.

    Returns
    -------
    ndarray of shape (height, width, 3), uint8, RGB

    Raises
    ------
    ValueError
        If kind or severity is unknown, or the kind needs landmarks that the subject lacks.
    """
    if kind not in KINDS:
        raise ValueError(f"the kind of distortion must be one of {', '.join(KINDS)}; got {kind!r}.")
    if severity not in SEVERITIES:
        raise ValueError(f"severity must be 1, 2 or 3; got {severity!r}.")
    subject = Subject() if subject is None else subject
    parameters = KINDS[kind].parameters[severity - 1]
    return KINDS[kind].apply(rgb, np.random.default_rng(seed), subject, **parameters)


def seed_of(seed: int, path: str, kind: str) -> int:
    """The seed of one photo's distortion, 0 to 2**63 - 1, from the seed of a run and the photo's relative path."""
    digest = hashlib.sha256(f"{seed}\0{kind}\0{path}".encode()).digest()
    return int.from_bytes(digest[:8], "little") >> 1
