"""Every change that is made to faces, by name, and which of them are probes with which control.

A probe changes one thing that a decision might hang on. Its control changes as many pixels as much by the same arithmetic, but
where nothing of that thing is: a decision that flips no less often under the control hangs on pixels, not on the thing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from .glasses import MOVED_DOWN, clear_glasses, dark_glasses
from .light import behind, blurred, blurred_eyes, blurred_mouth, gray, lit, lit_from_side, noisy
from .recolour import HAIR_COLOURS, recoloured_background, recoloured_hair
from .scene import Scene

#: A scene → the same scene changed, uint8 RGB; None where the change cannot be made to this face.
Change = Callable[[Scene], np.ndarray | None]

#: What the light is multiplied by, in red, green and blue: two stops less, one and a third more, candles, a clouded sky.
_LIGHTS = {
    "darker": (0.25, 0.25, 0.25),
    "brighter": (2.5, 2.5, 2.5),
    "warm light": (1.25, 0.95, 0.55),
    "cool light": (0.7, 0.95, 1.4),
}


@dataclass(frozen=True)
class Probe:
    """One probe.

    Attributes
    ----------
    name : str
        A key of :data:`CHANGES`.
    control : str or None
        Another one; None where the change itself is nothing that a decision should hang on.
    family : str
        Probes that are asked for together.
    """

    name: str
    control: str | None
    family: str


def _whole_scenes() -> dict[str, Change]:
    """Changes of everything that is seen."""
    lights = {name: partial(_lit, gains=gains) for name, gains in _LIGHTS.items()}
    sides = {
        "light from the left": partial(lit_from_side, side=-1),
        "light from the right": partial(lit_from_side, side=1),
    }
    return {**lights, **sides, "gray photo": _gray, "blurred": blurred}


def _lit(scene: Scene, gains: tuple[float, float, float]) -> np.ndarray:
    return lit(scene.rgb, gains)


def _gray(scene: Scene) -> np.ndarray:
    return gray(scene.rgb)


def _behind(scene: Scene, change: Change) -> np.ndarray:
    return behind(scene, change(scene))


HAIR, GLASSES, EYES, LIGHT = FAMILIES = ("hair", "glasses", "eyes", "light")

_HAIR_PROBES = {f"{name} hair": (f"{name} background", name) for name in HAIR_COLOURS}
#: Every change by its name.
CHANGES: dict[str, Change] = {
    **{probe: partial(recoloured_hair, name=name) for probe, (_, name) in _HAIR_PROBES.items()},
    **{control: partial(recoloured_background, name=name) for control, name in _HAIR_PROBES.values()},
    "glasses": clear_glasses,
    "sunglasses": dark_glasses,
    "glasses on the mouth": partial(clear_glasses, moved_down=MOVED_DOWN),
    "sunglasses on the mouth": partial(dark_glasses, moved_down=MOVED_DOWN),
    "eyes blurred": blurred_eyes,
    "mouth blurred": blurred_mouth,
    **_whole_scenes(),
    **{f"{name}, background only": partial(_behind, change=change) for name, change in _whole_scenes().items()},
    "invisible noise": noisy,
}

#: Every probe.
PROBES = (
    *(Probe(probe, control, HAIR) for probe, (control, _) in _HAIR_PROBES.items()),
    Probe("glasses", "glasses on the mouth", GLASSES),
    Probe("sunglasses", "sunglasses on the mouth", GLASSES),
    Probe("eyes blurred", "mouth blurred", EYES),
    *(Probe(name, f"{name}, background only", LIGHT) for name in _whole_scenes()),
)
#: Made beside all probes: a decision that flips under it was a toss-up.
FLOOR = Probe("invisible noise", None, "noise")
