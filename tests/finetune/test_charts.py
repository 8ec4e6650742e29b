import io

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from finetune.charts import colours_of, curves_png, embeddings_png
from finetune.history import EPOCHS, STEPS
from finetune.recipes import recipe


def size_of(png):
    return Image.open(io.BytesIO(png)).size


def test_curves_are_drawn_from_the_logs(tmp_path):
    (tmp_path / STEPS).write_text("step,lr,loss\n1,0.1,3\n2,0.1,2\n")
    (tmp_path / EPOCHS).write_text("step,epoch,score\n0,0,5\n2,1,4\n")
    assert min(size_of(curves_png(tmp_path))) > 500


def test_embeddings_are_drawn_by_label_also_where_rows_have_none():
    labels = pd.Series(pd.Categorical(["a", None, "b", "b"]), name="kind")
    assert min(size_of(embeddings_png(np.random.default_rng(0).normal(size=(4, 5)), labels))) > 500


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("gender", ["f", "f", "m", "m"]),
        ("quadruplet", ["photo", "photo", "photo", "fake"]),
        ("arcface", ["person 1", "person 1", "person 1", "person 2"]),
    ],
)
def test_points_are_told_apart_by_what_is_learned_and_persons_are_not_named(name, expected):
    labels = pd.DataFrame({"gender": list("ffmm"), "identity": ["Ann", "Ann", "Ann", "Bob"], "fake": [0, 0, 0, 1]})
    assert colours_of(recipe(name), labels).astype(object).tolist() == expected
