"""Faces with made-up decisions for tests."""

from features.annotate import FaceDecisions, describe
from features.face import Face


def face(box, *decisions, score=1.0, **more):
    return FaceDecisions(Face(box, score, "hog"), decisions, **more)


def gender(p_female=0.97):
    return describe("gender", {"male": 1 - p_female, "female": p_female})


def age(value=34.2):
    return describe("age", value, error=5.7)


def race():
    return describe("race", {"White": 0.9, "Black": 0.1})


def square(x, y, size, *decisions):
    return face([x, y, x + size, y + size], *decisions)


def crowd(n, size, pitch, n_columns, *decisions):
    """``n`` square faces on a grid."""
    return [square(20 + pitch * (i % n_columns), 20 + pitch * (i // n_columns), size, *decisions) for i in range(n)]
