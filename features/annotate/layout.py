"""Where labels go: a pure function of boxes, label sizes and the size of the picture.

Every face offers a list of candidate places, each with a cost: flush below its box, above, at the sides, inside, or
further away with a leader line. Labels are placed one after the other at their cheapest place; a label may push others
away, which are then placed again, and pushing the same label gets dearer each time, so that the search does not run in
circles (minimal conflicts with growing weights). What is returned never overlaps; a label without a place is None.

References
----------
Christensen, Marks, Shieber (1995), "An empirical study of algorithms for point-feature label placement", ACM
Transactions on Graphics 14(3): the candidate model and its cost terms.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from .geometry import (
    areas,
    distances,
    grown,
    overlap_areas,
    segments_cross,
    segments_meet_rectangles,
    shortest_links,
)

#: Costs of the places, smallest first: below its box, above, right, left, on the face itself, away with a leader.
BELOW, ABOVE, RIGHT, LEFT, INSIDE, AWAY = 0.0, 0.3, 0.6, 0.7, 1.2, 1.5
#: Cost of the second, third, … shape of a label.
SHAPE_COST = 0.4
#: Cost per covered share of somebody else's face.
COVER_COST = 6.0
#: Cost of every other box that is as close to a label as its own, where it touches its own and where it does not.
NEAR_COST, NEAR_AWAY_COST = 1.0, 3.0
#: Cost of every other box that a leader crosses.
CROSS_COST = 3.0
#: Cost of a leader per label height of length.
LENGTH_COST = 0.4
#: Cost per covered share of the label's own face, and the largest share allowed.
OWN_COVER_COST, MAX_OWN_COVER = 5.0, 0.2
#: Cost of pushing a placed label away, and how much dearer each repetition gets.
PUSH_COST, PUSH_GROWTH = 1.5, 0.7
#: Steps of the search for each label before the labels that are still without a place are given up.
STEPS_PER_LABEL = 12


@dataclass(frozen=True)
class Placement:
    """Where one label goes.

    Attributes
    ----------
    label_xyxy : tuple of int
        Half-open rectangle of the label in pixels of the picture.
    leader_xyxy : tuple of float or None
        Line from the label's border to the border of its box; None where the label touches or covers its own box.
    shape_index : int
        Which of the label's sizes was taken.
    """

    label_xyxy: tuple[int, int, int, int]
    leader_xyxy: tuple[float, float, float, float] | None
    shape_index: int


@dataclass(frozen=True)
class LayoutRules:
    """How far labels may go.

    Attributes
    ----------
    gap_px : int
        Free pixels between labels.
    max_cover : float
        Largest share of another face that a label may cover.
    rings : int
        How many label heights away a label may be moved.
    """

    gap_px: int = 2
    max_cover: float = 0.1
    rings: int = 4


@dataclass
class _Candidates:
    """The places of one label: rectangles (k, 4), leaders (k, 4) with NaN for none, costs (k,), shapes (k,)."""

    labels_xyxy: np.ndarray
    leaders_xyxy: np.ndarray
    costs: np.ndarray
    shapes: np.ndarray

    def __getitem__(self, rows: np.ndarray) -> _Candidates:
        return _Candidates(self.labels_xyxy[rows], self.leaders_xyxy[rows], self.costs[rows], self.shapes[rows])


def place_labels(
    boxes_xyxy: np.ndarray,
    sizes_wh: Sequence[Sequence[tuple[int, int]]],
    image_hw: tuple[int, int],
    rules: LayoutRules = LayoutRules(),
) -> list[Placement | None]:
    """A place for the label of every box, or None where there is none.

    Labels lie inside the image and do not overlap; each touches its box or has a leader to it; leaders neither cross
    each other nor pass under a label.

    Parameters
    ----------
    boxes_xyxy : ndarray of shape (n_faces, 4)
        Half-open boxes in pixels; may reach beyond the image.
    sizes_wh : sequence of n_faces sequences of (width, height)
        The sizes that each label can take, the preferred one first.
    image_hw : tuple of int
        Height and width of the picture.
    rules : LayoutRules
        Distances and limits.
    """
    boxes = _visible(np.asarray(boxes_xyxy, float).reshape(-1, 4), image_hw)
    candidates = [_candidates(i, boxes, sizes_wh[i], image_hw, rules) for i in range(len(boxes))]
    return _Search(candidates, rules.gap_px).run()


def _visible(boxes_xyxy: np.ndarray, image_hw: tuple[int, int]) -> np.ndarray:
    """The boxes on whole pixels, cut to the image; what lies outside shrinks to a pixel at the border."""
    height, width = image_hw
    low = np.clip(np.floor(boxes_xyxy[:, :2]), 0, [max(0, width - 1), max(0, height - 1)])
    high = np.clip(np.ceil(boxes_xyxy[:, 2:]), 1, [width, height])
    return np.concatenate([low, np.maximum(high, low + 1)], axis=1)


def _candidates(
    owner: int,
    boxes_xyxy: np.ndarray,
    sizes_wh: Sequence[tuple[int, int]],
    image_hw: tuple[int, int],
    rules: LayoutRules,
) -> _Candidates:
    """All places allowed for one label whatever the other labels do."""
    parts = [(np.empty((0, 4)), np.empty(0), np.empty(0, int))]
    for shape, size_wh in enumerate(sizes_wh):
        labels, costs = _places(boxes_xyxy[owner], size_wh, image_hw, rules.rings)
        parts.append((labels, costs + shape * SHAPE_COST, np.full(len(costs), shape)))
    labels, costs, shapes = (np.concatenate(column) for column in zip(*parts, strict=True))
    leaders = shortest_links(labels, np.broadcast_to(boxes_xyxy[owner], labels.shape))
    lengths = np.hypot(leaders[:, 2] - leaders[:, 0], leaders[:, 3] - leaders[:, 1])
    leaders[lengths == 0] = np.nan
    costs = costs + LENGTH_COST * lengths / (labels[:, 3] - labels[:, 1])
    return _judge(_Candidates(labels, leaders, costs, shapes), owner, boxes_xyxy, image_hw, rules)


def _places(
    box_xyxy: np.ndarray, size_wh: tuple[int, int], image_hw: tuple[int, int], rings: int
) -> tuple[np.ndarray, np.ndarray]:
    """Rectangles (k, 4) of one size around a box and the costs (k,) of their positions, some outside the image."""
    (w, h), (height, width) = size_wh, image_hw
    rows = np.array([*_flush(box_xyxy, w, h), *_away(box_xyxy, w, h, rings)], float)
    xy, costs = rows[:, :2], rows[:, 2]
    # A label that should touch its box is moved into the image, over its box if need be; one away from it is not.
    kept_inside = np.clip(xy, 0, np.maximum(0, [width - w, height - h]))
    xy = np.floor(np.where((costs < AWAY)[:, None], kept_inside, xy))
    return np.concatenate([xy, xy + [w, h]], axis=1), costs


def _flush(box_xyxy: np.ndarray, w: int, h: int) -> Iterator[tuple[float, float, float]]:
    """Corners and costs of labels that touch the box, and of labels on its lower and upper end."""
    x0, y0, x1, y1 = box_xyxy
    for shift, extra in ((0.5, 0.0), (0.0, 0.05), (1.0, 0.06), (0.25, 0.08), (0.75, 0.09)):
        x = x0 + shift * (x1 - x0 - w)
        yield x, y1, BELOW + extra
        yield x, y0 - h, ABOVE + extra
        yield x, y1 - h, INSIDE + extra
        yield x, y0, INSIDE + 0.1 + extra
    for shift, extra in ((0.0, 0.0), (1.0, 0.02), (0.5, 0.04)):
        y = y0 + shift * (y1 - y0 - h)
        yield x1, y, RIGHT + extra
        yield x0 - w, y, LEFT + extra


def _away(box_xyxy: np.ndarray, w: int, h: int, rings: int) -> Iterator[tuple[float, float, float]]:
    """Corners and costs of labels that stand one or more label heights off the box, all around it."""
    x0, y0, x1, y1 = box_xyxy
    for ring in range(1, rings + 1):
        distance = ring * h
        left, right = x0 - distance - w, x1 + distance
        top, bottom = y0 - distance - h, y1 + distance
        for share in np.linspace(0, 1, 7):
            x = left + share * (right - left)
            yield x, bottom, AWAY
            yield x, top, AWAY + 0.1
        for share in np.linspace(0.2, 0.8, 4):
            y = top + share * (bottom - top)
            yield right, y, AWAY + 0.05
            yield left, y, AWAY + 0.08


def _judge(
    places: _Candidates, owner: int, boxes_xyxy: np.ndarray, image_hw: tuple[int, int], rules: LayoutRules
) -> _Candidates:
    """The places that are allowed, with what they cost in view of all boxes."""
    height, width = image_hw
    labels = places.labels_xyxy
    inside = (labels[:, :2] >= 0).all(axis=1) & (labels[:, 2] <= width) & (labels[:, 3] <= height)
    places = places[inside]
    cover = overlap_areas(places.labels_xyxy, boxes_xyxy) / areas(boxes_xyxy)
    own_cover = cover[:, owner]
    others = np.delete(boxes_xyxy, owner, axis=0)
    cover = np.delete(cover, owner, axis=1)
    to_own = distances(places.labels_xyxy, boxes_xyxy[[owner]])
    near = distances(places.labels_xyxy, others) <= to_own + rules.gap_px
    crossed = segments_meet_rectangles(places.leaders_xyxy, others)
    near_cost = np.where(np.isnan(places.leaders_xyxy[:, 0]), NEAR_COST, NEAR_AWAY_COST)
    costs = places.costs + COVER_COST * cover.sum(axis=1) + near_cost * near.sum(axis=1)
    costs = costs + CROSS_COST * crossed.sum(axis=1) + OWN_COVER_COST * own_cover
    allowed = (own_cover <= MAX_OWN_COVER) & (cover <= rules.max_cover).all(axis=1)
    return _Candidates(places.labels_xyxy, places.leaders_xyxy, costs, places.shapes)[allowed]


@dataclass
class _Search:
    """Chooses one candidate for each label so that none conflict."""

    candidates: list[_Candidates]
    gap_px: int
    chosen: dict[int, int] = field(default_factory=dict)

    def run(self) -> list[Placement | None]:
        """The search, then one round in which every label takes its cheapest free place."""
        self.neighbours = self._find_neighbours()
        self.weights = np.full(len(self.candidates), PUSH_COST)
        waiting = deque(i for i, places in enumerate(self.candidates) if len(places.costs))
        for _ in range(STEPS_PER_LABEL * len(self.candidates)):
            if not waiting:
                break
            waiting.extend(self._place(waiting.popleft()))
        for i in sorted(self.chosen):
            self._improve(i)
        return [self._placement(i) for i in range(len(self.candidates))]

    def _find_neighbours(self) -> list[np.ndarray]:
        """For each label those that could ever meet it."""
        reach = np.array([_reach(places, self.gap_px) for places in self.candidates]).reshape(-1, 4)
        meets = overlap_areas(reach, reach) > 0
        np.fill_diagonal(meets, False)
        return [np.flatnonzero(row) for row in meets]

    def _place(self, i: int) -> list[int]:
        """Puts label ``i`` where it costs least and returns the labels that had to go."""
        placed, conflicts = self._conflicts(i)
        best = int(np.argmin(self.candidates[i].costs + conflicts @ self.weights[placed]))
        pushed = [int(j) for j in placed[conflicts[best]]]
        for j in pushed:
            del self.chosen[j]
        self.weights[pushed] += PUSH_GROWTH
        self.chosen[i] = best
        return pushed

    def _improve(self, i: int) -> None:
        _, conflicts = self._conflicts(i)
        self.chosen[i] = int(np.argmin(np.where(conflicts.any(axis=1), np.inf, self.candidates[i].costs)))

    def _conflicts(self, i: int) -> tuple[np.ndarray, np.ndarray]:
        """Placed neighbours of label ``i`` and whether, shape (k, n_placed), each candidate is in their way."""
        placed = np.array([j for j in self.neighbours[i] if j in self.chosen], dtype=int)
        labels = np.array([self.candidates[j].labels_xyxy[self.chosen[j]] for j in placed]).reshape(-1, 4)
        leaders = np.array([self.candidates[j].leaders_xyxy[self.chosen[j]] for j in placed]).reshape(-1, 4)
        places = self.candidates[i]
        meet = overlap_areas(grown(places.labels_xyxy, self.gap_px), labels) > 0
        meet |= segments_meet_rectangles(places.leaders_xyxy, labels)
        meet |= segments_meet_rectangles(leaders, places.labels_xyxy).T
        meet |= segments_cross(places.leaders_xyxy, leaders)
        return placed, meet

    def _placement(self, i: int) -> Placement | None:
        if i not in self.chosen:
            return None
        row = self.chosen[i]
        places = self.candidates[i]
        leader = places.leaders_xyxy[row]
        return Placement(
            tuple(int(v) for v in places.labels_xyxy[row]),
            None if np.isnan(leader).any() else tuple(float(v) for v in leader),
            int(places.shapes[row]),
        )


def _reach(places: _Candidates, gap_px: int) -> np.ndarray:
    """The rectangle (4,) in which a label and its leader can lie; empty where it has no place."""
    if not len(places.costs):
        return np.full(4, -1.0)
    points = np.concatenate([places.labels_xyxy.reshape(-1, 2), places.leaders_xyxy.reshape(-1, 2)])
    return np.concatenate([np.nanmin(points, axis=0) - gap_px, np.nanmax(points, axis=0) + gap_px])
