"""Which photos a benchmark runs on, and folders of links to them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

SUFFIXES = (".jpg", ".jpeg", ".png")


def photos_in(folder: Path) -> list[Path]:
    """Photos at any depth, sorted.

    Raises
    ------
    SystemExit
        If there are none: the benchmark cannot run.
    """
    found = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)
    if not found:
        raise SystemExit(f"--data must hold photos at {folder}; there are none. See README.md of shared/.")
    return found


def spread(photos: Sequence[Path], n: int) -> list[Path]:
    """At most ``n`` of the photos, evenly spaced."""
    return list(photos[:: max(1, len(photos) // n)][:n])


def photo_sets(data: Path, n_lfw: int, n_groups: int, n_wider: int) -> dict[str, list[Path]]:
    """So many photos of each set, a set without any left out: large single faces, large groups, faces of every size."""
    folders = {
        "LFW": (data / "lfw" / "lfw-deepfunneled", n_lfw),
        "group photos": (data / "group_photos" / "photos", n_groups),
        "WIDER FACE": (data / "wider_val" / "images", n_wider),
    }
    return {name: spread(photos_in(folder), n) for name, (folder, n) in folders.items() if n}


def link_photos(photos: Sequence[Path], folder: Path) -> list[Path]:
    """Make ``folder`` with links ``000000.jpg`` … to the photos; returns the links."""
    folder.mkdir()
    links = [folder / f"{i:06d}{photo.suffix.lower()}" for i, photo in enumerate(photos)]
    for link, photo in zip(links, photos, strict=True):
        link.symlink_to(photo.resolve())
    return links
