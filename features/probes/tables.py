"""What was measured as tables: for the terminal, and as CSV."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd

from faceheads.metrics import Estimate

from .effects import CONTROL, DIFFERENCE, EFFECT, Effect
from .job import Answers, Probed


def effect_text(effect: Effect, name: str) -> tuple[str, str]:
    """A metric of an effect and its interval as words, such as ``"12.3 %"`` and ``"10.1, 14.8"``; empty where there is none."""
    estimate = effect.metrics.get(name)
    return ("", "") if estimate is None else number_and_interval(effect, name, estimate)


def number_and_interval(effect: Effect, name: str, estimate: Estimate) -> tuple[str, str]:
    """The same of an estimate in the effect's unit."""
    if not math.isfinite(estimate.value):
        return "undefined", ""
    is_share = not effect.is_number
    scale, unit = (100, " %") if is_share else (1, f" {effect.unit}" if effect.unit else "")
    sign = "" if name in (EFFECT, CONTROL) else "+"
    digits = 1 if is_share or abs(estimate.value) >= 0.1 else 3
    value, low, high = (f"{scale * x:{sign}.{digits}f}" for x in (estimate.value, estimate.low, estimate.high))
    return f"{value}{unit}", "" if not math.isfinite(estimate.low) else f"{low}, {high}"


def signed_names(effect: Effect) -> list[str]:
    """Names of the metrics that have a sign: the change of a number or of probabilities."""
    return [name for name in effect.metrics if name not in (EFFECT, CONTROL, DIFFERENCE)]


def effects_text(effects: Sequence[Effect]) -> str:
    """A table for each target, for the terminal."""
    lines: list[str] = []
    for target in dict.fromkeys(effect.target for effect in effects):
        some = [effect for effect in effects if effect.target == target]
        what = "mean absolute change" if some[0].is_number else "decisions that flip"
        lines += ["", f"{target}: {what} [95 %]"]
        lines.append(f"  {'probe':<24}{'faces':>6}  {'probe':<26}{'control':<26}probe − control")
        for effect in some:
            cells = (" ".join([value, f"[{ci}]" if ci else ""]) for value, ci in _cells(effect))
            lines.append(f"  {effect.probe.name:<24}{effect.n_faces:>6}  {'{:<26}{:<26}{}'.format(*cells)}".rstrip())
    return "\n".join(lines)


def _cells(effect: Effect) -> Iterator[tuple[str, str]]:
    return (effect_text(effect, name) for name in (EFFECT, CONTROL, DIFFERENCE))


def effects_frame(effects: Sequence[Effect]) -> pd.DataFrame:
    """One row for each metric of each effect, in all (``by`` is empty) and by cohort; numbers in shares and units."""
    rows = []
    for effect in effects:
        about = {"target": effect.target, "probe": effect.probe.name, "control": effect.probe.control}
        everyone = {"by": "", "cohort": "", "faces": effect.n_faces, "groups": effect.n_groups}
        rows += [{**about, **everyone, **_numbers(name, e)} for name, e in effect.metrics.items()]
        for table in effect.cohorts:
            for cohort in table.cohorts:
                of = {"by": table.column, "cohort": cohort.name, "faces": cohort.n_rows, "groups": cohort.n_groups}
                metrics: Mapping[str, Estimate] = cohort.metrics or {EFFECT: Estimate(math.nan, note=cohort.note)}
                rows += [{**about, **of, **_numbers(name, e)} for name, e in metrics.items()]
            gaps = {"by": table.column, "cohort": "gap", "faces": effect.n_faces, "groups": effect.n_groups}
            rows += [{**about, **gaps, **_numbers(name, e)} for name, e in table.gaps.items()]
    return pd.DataFrame(rows)


def _numbers(name: str, estimate: Estimate) -> dict:
    return {"metric": name, "value": estimate.value, "low": estimate.low, "high": estimate.high, "note": estimate.note}


def faces_frame(probed: Probed) -> pd.DataFrame:
    """One row for each face, target and change that was made: what the head said before and after."""
    faces = probed.table.usable
    frames = []
    for answers in probed.answers:
        for column, change in enumerate(probed.changes):
            rows = np.flatnonzero(probed.is_made[:, column])
            about = {"path": faces.path[rows], "face_number": faces.face_index[rows] + 1}
            about |= {"target": answers.target, "change": change}
            frames.append(pd.DataFrame({**about, **_before_and_after(answers, rows, 1 + column)}))
    return pd.concat(frames, ignore_index=True)


def _before_and_after(answers: Answers, rows: np.ndarray, column: int) -> dict[str, np.ndarray]:
    values = {"before": answers.value[rows, 0].astype(str), "after": answers.value[rows, column].astype(str)}
    if not answers.classes:
        return values
    position = {name: i for i, name in enumerate(answers.classes)}
    decided = np.array([position[value] for value in answers.value[rows, 0]], int)
    names = (("p_before", 0), ("p_after", column))  # of the class that was decided before
    return values | {name: answers.probabilities[rows, at, decided] for name, at in names}
