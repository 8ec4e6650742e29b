"""The command in an error message makes exactly the embeddings that were asked for."""

import pytest

from faceheads.extraction_command import BUILT_IN, extraction_command
from faceheads.spec import EmbedderSpec, TableSpec


def test_the_command_names_every_setting():
    embedder = EmbedderSpec("dlib", BUILT_IN["dlib"], 8, "dlib68", layers=("stage3", "final"), flip=True, jitter=5)
    spec = TableSpec(embedder, "cnn", {"upsample": 2, "threshold": -0.5}, "all", 20, "whole")
    assert extraction_command(spec) == (
        "python feature_extraction.py --data_dir PHOTOS --save_feature feature.parquet --embedder dlib "
        "--layers stage3,final --landmarks 68 --flip --jitter 5 --detector cnn --upsample 2 --threshold -0.5 "
        "--faces all --no_face whole --min_face 20"
    )


@pytest.mark.parametrize(("network", "name"), [("dlib", "PATH"), ("facenet", "PATH"), ("onnx", "PATH.onnx")])
def test_a_network_that_is_not_built_in_is_asked_for_by_path(network, name):
    embedder = EmbedderSpec(network, "ab" * 32, 8, "arcface5")
    assert f" --embedder {name} --layers final --detector mtcnn " in extraction_command(TableSpec(embedder, "mtcnn"))


def test_landmarks_that_were_predicted_for_a_foreign_network_are_asked_for_again():
    embedder = EmbedderSpec("onnx", "ab" * 32, 8, "arcface5")
    command = extraction_command(TableSpec(embedder, "hog", {"upsample": 1, "landmarks": "dlib68"}))
    assert " --landmarks 68 --detector hog --upsample 1 " in command


def test_another_precision_than_float32_is_named():
    embedder = EmbedderSpec("dlib", BUILT_IN["dlib"], 128, "dlib5", precision="int8")
    assert " --precision int8 --detector hog" in extraction_command(TableSpec(embedder, "hog"))
