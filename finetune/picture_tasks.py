"""What worker processes do for an :class:`~finetune.image_job.ImageJob`: make the pictures of one source, and say what failed."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path

from faceheads.images.unreadable import UnreadableImage
from faceheads.images.writing import write_image

from .picture import CannotMake, Maker, Picture

#: Quality of pictures written as JPEG: high, so that what was done to the photo is what is seen.
JPEG_QUALITY = 95
#: Pictures of one task of a worker, at most.
TASK_SIZE = 64


def tasks_of(pictures: Sequence[Picture]) -> Iterator[list[Picture]]:
    """Pictures of one source that follow each other, at most ``TASK_SIZE`` of them."""
    for _, some in groupby(pictures, key=lambda picture: picture.source):
        some = list(some)
        for start in range(0, len(some), TASK_SIZE):
            yield some[start : start + TASK_SIZE]


def make_all(maker: Maker, output: Path, pictures: Sequence[Picture]) -> tuple[int, dict[str, str]]:
    """Make and write the pictures of one source: how many were tried, and why some could not be made."""
    try:
        opened = maker.open(pictures[0].source)
    except _failures() as error:
        return len(pictures), dict.fromkeys((picture.path for picture in pictures), _reason(error))
    problems = {}
    for picture in pictures:
        try:
            rgb = maker.make(opened, picture)
        except _failures() as error:
            problems[picture.path] = _reason(error)
            continue
        target = output / picture.path
        target.parent.mkdir(parents=True, exist_ok=True)
        write_image(target, rgb, JPEG_QUALITY)
    return len(pictures), problems


def all_died(pictures: Sequence[Picture]) -> tuple[int, dict[str, str]]:
    """What :func:`make_all` would say had it not died with its process."""
    reason = "the worker process died while it made pictures of this photo"
    return len(pictures), dict.fromkeys((picture.path for picture in pictures), reason)


def _failures() -> tuple[type[Exception], ...]:
    """What a photo can cause, as opposed to mistakes of the program; OpenCV's own error when it is in use."""
    cv2 = sys.modules.get("cv2")
    failures = (CannotMake, UnreadableImage, ValueError, RuntimeError, MemoryError)
    return failures if cv2 is None else (*failures, cv2.error)


def _reason(error: Exception) -> str:
    if isinstance(error, CannotMake | UnreadableImage):
        return str(error)
    return f"{type(error).__name__}: {str(error).partition(chr(10))[0]}"
