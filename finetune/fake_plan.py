"""Which fakes are made of which photos: of two different persons, drawn from a seed, the same on every machine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .face_collection import FaceCollection, PhotoFace
from .picture import Picture

REAL, FAKE = "real", "fake"
#: Ways to make a fake; two swap the faces of two persons, the last blends a photo with itself.
GENERATORS = ("poisson", "feather", "self_blend")
#: Photos of other persons of which the most similar in pose and look becomes the target.
_N_CANDIDATES = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedImage(Picture):
    """A real or fake image to be written.

    Attributes
    ----------
    generator : {"real", "poisson", "feather", "self_blend"}
    face : PhotoFace
        Whose face it shows, and whose identity it therefore has or claims; ``source`` is its photo.
    target : PhotoFace
        Whose photo is around the face; ``face`` itself unless two persons are swapped.
    number : int
        Fakes of one number are made of the same photos; −1 for real images.
    seed : int
        Of what is drawn while the image is made, together with the number.
    """

    generator: str
    face: PhotoFace
    target: PhotoFace
    number: int = -1
    seed: int = 0


def plan_images(
    collection: FaceCollection, generators: Sequence[str], count: int, seed: int, with_real: bool = True
) -> list[PlannedImage]:
    """What to write: every real photo, and ``count`` fakes of each generator.

    All swaps are made of the same pairs of photos, and self-blends of the same sources. Only persons with two photos or more
    are claimed, so that every fake can be compared with a real photo other than the one it was made of; they take turns,
    whatever their number of photos. The target is the most similar in pose and look among 40 photos of other persons.

    Parameters
    ----------
    collection : FaceCollection
    generators : sequence of str
        Of :data:`GENERATORS`.
    count : int
    seed : int
        A larger count begins with the same fakes.
    with_real : bool, default=True

    Returns
    -------
    list of PlannedImage
        Those of one source follow each other.

    Raises
    ------
    ValueError
        If a generator is unknown, the count is not positive, or nobody has two photos.
    """
    unknown = [name for name in generators if name not in GENERATORS]
    if unknown or not generators or count < 1:
        raise ValueError(f"fakes are made by some of {GENERATORS}, 1 or more; got {list(generators)} and {count}.")
    plans = [real_image(face) for face in collection.faces] if with_real else []
    for number, (source, target) in enumerate(draw_pairs(collection, count, seed)):
        face, other = collection.faces[source], collection.faces[target]
        plans += [_fake(name, face, other, number, seed) for name in generators]
    return sorted(plans, key=lambda plan: plan.source)


def real_image(face: PhotoFace) -> PlannedImage:
    """The real photo as an image of the plan."""
    name = face.path if face.path.lower().endswith((".jpg", ".jpeg")) else f"{face.path}.jpg"
    labels = _labels(REAL, face, face)
    return PlannedImage(f"{REAL}/{name}", face.path, labels, generator=REAL, face=face, target=face)


def _fake(generator: str, face: PhotoFace, other: PhotoFace, number: int, seed: int) -> PlannedImage:
    target = face if generator == "self_blend" else other
    parts = {"generator": generator, "face": face, "target": target, "number": number, "seed": seed}
    return PlannedImage(f"{generator}/{number:06d}.jpg", face.path, _labels(generator, face, target), **parts)


def _labels(generator: str, face: PhotoFace, target: PhotoFace) -> dict:
    is_fake = generator != REAL
    return {
        "identity": face.identity,
        "kind": FAKE if is_fake else REAL,
        "fake": int(is_fake),
        "generator": generator,
        "target": target.path,
        "target_identity": target.identity,
    }


def draw_pairs(collection: FaceCollection, count: int, seed: int) -> list[tuple[int, int]]:
    """Sources and targets as positions in the collection; never two photos of one person.

    Raises
    ------
    ValueError
        If nobody has two photos.
    """
    rng = np.random.default_rng(seed)
    sources = _in_turns(collection.identity, count, rng)
    return [(source, _target_for(collection, source, rng)) for source in sources]


def _in_turns(identity: np.ndarray, count: int, rng: np.random.Generator) -> list[int]:
    """Photos of persons with two or more: everyone comes once before anyone comes twice, and so do a person's photos."""
    photos = [np.flatnonzero(identity == name) for name in sorted(set(identity))]
    photos = [rng.permutation(rows) for rows in photos if len(rows) > 1]
    if not photos:
        raise ValueError(
            "Fakes need persons with two photos or more: one to make the fake of, one to compare it with."
        )
    turns = [photos[person] for person in rng.permutation(len(photos))]
    rounds_and_persons = (divmod(k, len(turns)) for k in range(count))
    return [int(turns[person][turn % len(turns[person])]) for turn, person in rounds_and_persons]


def _target_for(collection: FaceCollection, source: int, rng: np.random.Generator) -> int:
    others = np.flatnonzero(collection.identity != collection.identity[source])
    drawn = rng.choice(others, min(_N_CANDIDATES, len(others)), replace=False)
    unlike = sum(_in_spreads(of[drawn] - of[source]) for of in (collection.shape, collection.look))
    return int(drawn[np.argmin(unlike)])


def _in_spreads(differences: np.ndarray) -> np.ndarray:
    """Lengths of rows in units of their standard deviation, shape (n_rows,)."""
    lengths = np.linalg.norm(differences, axis=1)
    spread = lengths.std()
    return lengths / spread if spread > 0 else lengths
