"""The stages of the HOG detector once more, in slow plain loops over the definitions, for the tests to compare with."""

import math

import dlib
import numpy as np

CELL = 8

#: dlib's nine directions (fhog.h); the other nine orientations are their negatives.
DIRECTIONS = np.array(
    [
        (1.0, 0.0),
        (0.9397, 0.342),
        (0.766, 0.6428),
        (0.5, 0.866),
        (0.1736, 0.9848),
        (-0.1736, 0.9848),
        (-0.5, 0.866),
        (-0.766, 0.6428),
        (-0.9397, 0.342),
    ]
)


def orientation(gx, gy):
    """The first of 18 orientations with the largest positive dot product; 0 without a gradient."""
    best, chosen = 0.0, 0
    for number, (x, y) in enumerate(DIRECTIONS.astype(np.float32)):
        dot = np.float32(np.float32(gx) * x) + np.float32(np.float32(gy) * y)
        if dot > best:
            best, chosen = dot, number
        elif -dot > best:
            best, chosen = -dot, number + 9
    return chosen


def gradient(image, y, x):
    """Gradient of the channel where it is longest, as whole numbers; which channel wins a tie depends on the column."""
    n_visible = min((image.shape[1] + 4) // CELL * CELL, image.shape[1]) - 1
    first_alone = 1
    while first_alone < n_visible - 7:
        first_alone += 8
    image = image.astype(int)
    gradients = [(image[y, x + 1, c] - image[y, x - 1, c], image[y + 1, x, c] - image[y - 1, x, c]) for c in range(3)]
    lengths = [gx * gx + gy * gy for gx, gy in gradients]
    order = (2, 1, 0) if x < first_alone else (0, 1, 2)
    return gradients[max(order, key=lambda channel: lengths[channel])]


def histogram(image):
    """Votes of the pixels: (rows of cells + 2, columns of cells + 2, 18), with a border of one cell."""
    cells = [(size + 4) // CELL for size in image.shape[:2]]
    visible = [min(n * CELL, size) - 1 for n, size in zip(cells, image.shape[:2])]
    votes = np.zeros((cells[0] + 2, cells[1] + 2, 18))
    for y in range(1, visible[0]):
        for x in range(1, visible[1]):
            gx, gy = gradient(image, y, x)
            at_y, at_x = (y + 0.5) / CELL - 0.5, (x + 0.5) / CELL - 0.5
            for row in (math.floor(at_y), math.floor(at_y) + 1):
                for column in (math.floor(at_x), math.floor(at_x) + 1):
                    share = (1 - abs(at_y - row)) * (1 - abs(at_x - column))
                    votes[row + 1, column + 1, orientation(gx, gy)] += share * math.hypot(gx, gy)
    return votes


def features(votes):
    """The 31 features of the inner cells: (rows - 2, columns - 2, 31)."""
    energies = ((votes[..., :9] + votes[..., 9:]) ** 2).sum(2)[1:-1, 1:-1]
    inner = votes[1:-1, 1:-1]
    result = np.zeros((inner.shape[0] - 2, inner.shape[1] - 2, 31))
    for y in range(result.shape[0]):
        for x in range(result.shape[1]):
            cell, corners = inner[y + 1, x + 1], [(y + 1, x + 1), (y, x + 1), (y + 1, x), (y, x)]
            signed, unsigned, texture = np.zeros(18), np.zeros(9), []
            for top, left in corners:
                norm = math.sqrt(energies[top : top + 2, left : left + 2].sum() + 1e-4)
                signed += 0.5 * np.minimum(cell / norm, 0.2)
                unsigned += 0.5 * np.minimum((cell[:9] + cell[9:]) / norm, 0.2)
                texture.append(0.2357 * np.minimum(cell / norm, 0.2).sum())
            result[y, x] = np.concatenate([signed, unsigned, texture])
    return result


def padded(planes):
    """Features with the zeros that dlib puts around them: four before, five after, in both directions."""
    return np.pad(planes, ((4, 5), (4, 5), (0, 0)))


def scores(planes, weights):
    """Score of every window for every detector: (5, rows, columns); ``planes`` with zeros, ``weights`` (5, 31, 10, 10)."""
    windows = np.lib.stride_tricks.sliding_window_view(planes, (10, 10), axis=(0, 1))
    return np.einsum("yxpij,dpij->dyx", windows, weights, optimize=True)


def dlib_faces(image, upsample, threshold):
    """Rectangles (n, 4), scores and detectors as a fresh dlib detector gives them."""
    found, confidences, detectors = dlib.get_frontal_face_detector().run(image, upsample, threshold)
    rectangles = [(r.left(), r.top(), r.right(), r.bottom()) for r in found]
    return np.array(rectangles, np.int32).reshape(-1, 4), np.array(confidences), np.array(detectors, np.int64)


def textured(height, width, seed=0):
    """A picture with structure at all scales, in which dlib sees something like faces at low thresholds."""
    rng = np.random.default_rng(seed)
    picture = np.zeros((height, width, 3))
    for block in (1, 2, 4, 8, 16, 32):
        coarse = rng.uniform(0, 1, (-(-height // block), -(-width // block), 3))
        picture += block**0.7 * np.kron(coarse, np.ones((block, block, 1)))[:height, :width]
    return (picture / picture.max() * 255).astype(np.uint8)
