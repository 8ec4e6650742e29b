"""In how many images of each class and cohort no face was found: losses that differ are an error of their own."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ..metrics.intervals import wilson_interval
from ..table import Status
from .finding import Finding
from .subject import Subject


def lost_faces(subject: Subject) -> Finding:
    """Images without a found face, and without an embedding, by class and cohort, with 95 % intervals."""
    table = subject.samples.table
    is_first = table.face_index == 0
    is_missed, is_lost = table.status != Status.OK, ~table.has_embedding
    rows = [_row("all images", "", is_missed[is_first], is_lost[is_first])]
    for name, values in subject.columns.items():
        for code, value in enumerate(values.categories):
            chosen = is_first & (values.codes == code)
            if chosen.any():
                rows.append(_row(name, value, is_missed[chosen], is_lost[chosen]))
    frame = pd.DataFrame(rows)
    words = (
        f"The detector found no face in {frame['missed'][0]} of {frame['images'][0]} images; {frame['lost'][0]} have no "
        "embedding and count as errors wherever they are tested. Classes whose intervals do not overlap are lost unequally."
    )
    return Finding("lost_faces", "Lost faces", f"{frame['missed'][0]:,}", "images without a found face", words, frame)


def _row(name: str, value: str, is_missed: np.ndarray, is_lost: np.ndarray) -> dict:
    n, n_missed = len(is_missed), int(is_missed.sum())
    low, high = wilson_interval(n_missed / n, n)
    counts = {"images": n, "missed": n_missed, "lost": int(is_lost.sum())}
    return {"column": name, "value": value, **counts, "share_missed": n_missed / n, "low": low, "high": high}
