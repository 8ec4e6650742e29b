"""Photos in, made pictures and a table of labels out: what every command that writes pictures shares.

A command says what is to be made (:class:`~finetune.picture.Picture`) and how (a :class:`~finetune.picture.Maker`);
:class:`ImageJob` does it in worker processes. In the output folder there are then

==================  ================================================================================================
the pictures        under the names that were planned, each whole or not there at all
``labels.csv``      one row a picture that is there: ``path``, ``source`` and what the command says of it
``problems.csv``    the pictures of the last run that could not be made, and why; absent when there are none
``made.json``       the settings that decide the pixels
==================  ================================================================================================

``labels.csv`` is a name that the data set ``csv`` knows: ``feature_extraction.py --data_dir OUT`` takes it from there.
A picture that exists is not made again, so a killed run goes on where it was, and another run may add pictures; other
settings are refused.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from faceheads.atomic import write_text

from .picture import Maker, Picture
from .picture_tasks import all_died, make_all, tasks_of

if TYPE_CHECKING:
    import pandas as pd

LABELS, PROBLEMS, SETTINGS = "labels.csv", "problems.csv", "made.json"


@dataclass(frozen=True, slots=True)
class JobSummary:
    """What a run did: pictures that were made, that were there before, that failed (path to reason)."""

    n_made: int
    n_reused: int
    problems: Mapping[str, str]


@dataclass
class ImageJob:
    """One run that writes pictures and their labels.

    Parameters
    ----------
    pictures : sequence of Picture
        All that are to be in the output folder.
    maker : Maker
    output : Path
        Made when it is not there.
    settings : mapping
        JSON values that decide the pixels (seed, parameters), without those that only choose pictures.
    jobs : int, default=1
        Worker processes; 1 works in this process.
    overwrite : bool, default=False
        Remove the pictures that are planned or labelled and make all that are planned again, with any settings.
    """

    pictures: Sequence[Picture]
    maker: Maker
    output: Path
    settings: Mapping
    jobs: int = 1
    overwrite: bool = False

    def run(self, on_progress: Callable[[int], object] = lambda n_pictures: None) -> JobSummary:
        """Make what is missing; calls ``on_progress(n)`` as pictures are done.

        Raises
        ------
        ValueError
            If two pictures have one name or a name leaves the folder, or the folder's pictures were made with other
            settings.
        """
        from faceheads.pool import OrderedPool

        _check_names([picture.path for picture in self.pictures])
        if self.overwrite:
            self._remove_earlier()
        self._check_settings()
        missing = [p for p in self.pictures if not (self.output / p.path).is_file()]
        on_progress(len(self.pictures) - len(missing))
        problems: dict[str, str] = {}
        with OrderedPool(partial(make_all, self.maker, self.output), all_died, self.jobs) as pool:
            for n_pictures, failed in pool.map(tasks_of(missing)):
                problems.update(failed)
                on_progress(n_pictures)
        self._write_tables(problems)
        return JobSummary(len(missing) - len(problems), len(self.pictures) - len(missing), problems)

    def _remove_earlier(self) -> None:
        """Remove what the labels and the plan name, so that no run takes a picture of other settings for its own."""
        names = {picture.path for picture in self.pictures} | set(self._earlier_labels().index)
        _check_names(sorted(names))
        for name in (*names, LABELS, SETTINGS):
            (self.output / name).unlink(missing_ok=True)

    def _earlier_labels(self) -> pd.DataFrame:
        """What ``labels.csv`` says of earlier pictures; nothing when it is not there."""
        import pandas as pd

        from faceheads.labels import read_labels

        path = self.output / LABELS
        return read_labels(path) if path.is_file() else pd.DataFrame()

    def _check_settings(self) -> None:
        path = self.output / SETTINGS
        now = json.loads(json.dumps(self.settings))
        there = _read_settings(path) if path.is_file() else None
        if there is not None and there != now:
            changed = [name for name in {**there, **now} if there.get(name) != now.get(name)]
            raise ValueError(
                f"{self.output} holds pictures made with other settings: {', '.join(changed)} differ. Use the same "
                "settings, another --out, or --overwrite to make all again."
            )
        write_text(path, json.dumps(now, indent=1, ensure_ascii=False) + "\n")

    def _write_tables(self, problems: Mapping[str, str]) -> None:
        import pandas as pd

        from faceheads.labels import write_labels

        rows = {p.path: {"source": p.source, **p.labels} for p in self.pictures if p.path not in problems}
        labels = pd.DataFrame.from_dict(rows, orient="index")
        earlier = self._earlier_labels()
        is_kept = [name not in rows and (self.output / name).is_file() for name in earlier.index]
        labels = pd.concat([earlier[is_kept], labels]) if any(is_kept) else labels
        if len(labels):
            write_labels(self.output / LABELS, labels)
        (self.output / PROBLEMS).unlink(missing_ok=True)
        if problems:
            write_labels(self.output / PROBLEMS, pd.DataFrame({"reason": problems}))


def _read_settings(path: Path) -> dict:
    try:
        settings = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path} must hold JSON; it is damaged ({error}). Use --overwrite to start again.") from None
    if isinstance(settings, dict):
        return settings
    raise ValueError(f"{path} must hold settings by name; got {type(settings).__name__}. Use --overwrite.")


def _check_names(names: Sequence[str]) -> None:
    for name in names:
        path = PurePosixPath(name)
        if path.is_absolute() or ".." in path.parts:
            raise ValueError(f"a picture must lie in the output folder; got {name!r}.")
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise ValueError(f"each picture must have a name of its own; {twice[0]!r} is planned twice.")
