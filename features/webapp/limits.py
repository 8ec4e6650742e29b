"""How large, how many, how often: what the app takes."""

from __future__ import annotations

from dataclasses import dataclass

MEGABYTE = 1_000_000
MEGAPIXEL = 1_000_000


@dataclass(frozen=True)
class Limits:
    """What the app takes before it says no.

    Attributes
    ----------
    file_bytes : int
        Of one photo's file.
    pixels : int
        Of one photo; checked before it is decoded.
    working_pixels : int
        Larger photos are made smaller before faces are looked for.
    faces : int
        In one photo.
    photos : int
        Grouped at a time.
    request_bytes : int
        Of one request, with all its photos.
    photos_per_minute : int
        From one address; 0 for any number.
    waiting : int
        Requests that wait; more are sent away.
    """

    file_bytes: int = 20 * MEGABYTE
    pixels: int = 50 * MEGAPIXEL
    working_pixels: int = 4 * MEGAPIXEL
    faces: int = 100
    photos: int = 100
    request_bytes: int = 64 * MEGABYTE
    photos_per_minute: int = 120
    waiting: int = 40
