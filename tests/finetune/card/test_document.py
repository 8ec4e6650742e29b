import math
from dataclasses import replace

import pandas as pd
import pytest

from faceheads.metrics import Estimate
from faceheads.metrics.cohorts import Cohort
from faceheads.report.markdown import markdown
from faceheads.spec import EmbedderSpec
from finetune.card import UNSAID
from finetune.card.document import MAX_NAMED, Origin, card_document
from finetune.card.measuring import Measurement
from finetune.card.words import beginning, losses
from finetune.recipes import recipe

SPEC = EmbedderSpec("resnet18", "ab" * 32, 512, "dlib5", {"kind": "dlib_chip", "size": 150, "padding": 0.25})
EPOCHS = pd.DataFrame({"step": [0, 5, 10], "epoch": [0, 1, 2], "age_mae": [9.0, 4.0, 5.0], "score": [9.0, 4.0, 5.0]})
ORIGIN = Origin(
    recipe("age_gender", weights="scratch", backbone="resnet18"),
    SPEC,
    1200,
    100,
    200,
    3,
    (1100, 90),
    "random",
    "image content",
    "cd" * 32,
    EPOCHS,
    2e-6,
)


def test_a_card_says_what_a_network_was_made_of_and_for_whom_it_works():
    cohorts = (
        Cohort("young", 60, 50, {"mae": Estimate(3.0, 2.5, 3.5)}),
        Cohort("old", 7, 7, note="not shown: fewer than 50 rows or 20 groups"),
    )
    measured = [Measurement("age", {"mae": Estimate(4.0, 3.9, 4.1)}, {"age": cohorts})]
    text = markdown(card_document(ORIGIN, measured, replace(UNSAID, data="10 friends")))
    for words in (
        "10 friends",
        "| learned from | 1,200 | 1,100 |",
        "cd" * 32,
        "ab" * 32,
        "| kept | 1 | 4 | 4 |",
        "| last epoch | 2 | 5 | 5 |",
        "| all rows | 4.00 [3.90, 4.10] |",
        "| young | 60 | 50 | 3.00 [2.50, 3.50] |",
        "old: not shown: fewer than 50 rows or 20 groups.",
        "> Not for: decisions about single persons",
        "began with random numbers",
    ):
        assert words in text, words


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"weights": "official", "backbone": "dlib"}, "their licence: CC0"),
        ({"weights": "", "backbone": "dlib"}, "their licence: CC0"),
        ({"weights": "", "backbone": "dlib_traces"}, "their licence: CC0"),
        ({"weights": "official", "backbone": "resnet50"}, "their licence: BSD-3-Clause"),
        ({"weights": "some/folder"}, "the exported folder folder. Its licence is for you to clear"),
    ],
)
def test_the_licence_of_the_first_weights_is_told(settings, words):
    assert words in beginning(recipe("gender", **settings))


def test_a_file_of_weights_is_named_with_its_checksum(tmp_path):
    (tmp_path / "w.pth").write_bytes(b"abc")
    assert "w.pth (sha256 ba7816bf" in beginning(recipe("gender", weights=str(tmp_path / "w.pth")))


def test_every_loss_is_told_with_its_numbers():
    assert losses(recipe("arcface", margin=0.4)) == "softmax over persons with the margin of arcface, 0.4, at scale 32"
    assert "+ 2 · triplet(anchor, positive, fake), soft margin" in losses(
        recipe("quadruplet", fake_weight=2.0, margin=-1.0)
    )
    assert losses(recipe("triplet", margin=0.2)) == "triplet(anchor, positive, negative), margin 0.2"
    assert losses(recipe("quadruplet", margin=-1.0, cosine_weight=0.5)).endswith(
        "soft margin; 0.5 · softmax over the cosines to persons"
    )
    assert losses(recipe("quadruplet", bona_fide_weight=0.5)).endswith("0.3; 0.5 · cross-entropy of fake and photo")
    assert losses(recipe("gender", focal_gamma=2.0, balance="sampler")) == (
        "focal loss with gamma 2, rare classes drawn more often, for gender"
    )
    assert losses(recipe("age_gender", age_loss="huber")).endswith("1 · Huber loss of ages")


def test_a_teacher_is_told_of_where_there_was_one():
    taught = replace(ORIGIN, recipe=recipe("gender", distil_weight=3.0), has_teacher=True)
    assert "for gender; 3 · (1 − cosine) to the embeddings of a teacher." in markdown(
        card_document(taught, [], UNSAID)
    )
    assert losses(recipe("gender", distil_loss="mse"), True).endswith(
        "1 · squared distance to the embeddings of a teacher"
    )
    assert "teacher" not in losses(recipe("gender"))


def test_cohorts_without_figures_are_counted_and_a_figure_that_none_has_makes_no_column():
    shown = Cohort("many", 60, 50, {"mae": Estimate(3.0, 2.5, 3.5), "rmse": Estimate(math.nan)})
    hidden = [Cohort(f"few{i}", 7, 7, note="not shown") for i in range(MAX_NAMED + 2)]
    metrics = {"mae": Estimate(4.0, 3.9, 4.1), "rmse": Estimate(5.0, 4.9, 5.1)}
    page = card_document(ORIGIN, [Measurement("age", metrics, {"race": (shown, *hidden)})], UNSAID)
    text = markdown(page)
    assert f"few{MAX_NAMED - 1} and 2 others: not shown." in text and f"few{MAX_NAMED}," not in text
    assert "| many | 60 | 50 | 3.00 [2.50, 3.50] |\n" in text
