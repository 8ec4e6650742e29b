"""One training from a recipe and a training set to an exported network, in a folder of its own.

Beside the files of :mod:`finetune.loop` the folder has ``settings.json``, what the training was started with, and
``embedder/``, the network that was exported.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch

from faceheads.atomic import write_text
from faceheads.spec import canonical_json

from .backbones import backbone_of, build_backbone
from .checkpoint import load_state
from .crop_face import face_in_crop
from .examples import Examples
from .export import N_COMPARED, export_network, spec_of
from .loop import BEST, CHECKPOINT
from .model import Model
from .onnx_file import export_onnx
from .recipes import Recipe
from .samplers import cell_weights, person_batches, shuffled_batches, weighted_batches
from .tasks import make_task
from .training_set import TrainingSet

SETTINGS, EMBEDDER = "settings.json", "embedder"


def layers_of(recipe: Recipe) -> tuple[str, ...]:
    """The layers that make the embedding."""
    if recipe.layers:
        return tuple(name.strip() for name in recipe.layers.split(","))
    return backbone_of(recipe.backbone).attribute_layers if recipe.needs_attributes else ("final",)


def examples_of(training: TrainingSet, recipe: Recipe) -> Examples:
    """The arrays of a training set, and its batches as the recipe wants them."""
    train = np.flatnonzero(~training.is_validation)
    return Examples(
        training.crops.pixels,
        training.crop_row,
        np.flatnonzero(training.is_validation),
        _batches(training, recipe, train),
        face_in_crop(training.crops.crop, training.crops.pixels.shape[1]),
    )


def _batches(training: TrainingSet, recipe: Recipe, train: np.ndarray) -> Callable[[int], np.ndarray]:
    labels = training.labels.iloc[train]
    if recipe.needs_persons:
        person = labels["identity"].astype(str).to_numpy()
        is_fake = labels["fake"].astype(int).to_numpy() == 1 if recipe.task == "quadruplet" else None
        sizes = (recipe.n_persons, recipe.n_photos)
        return lambda epoch: train[person_batches(person, *sizes, recipe.seed, epoch, is_fake)]
    if recipe.balance == "sampler" and recipe.cells:
        weights = cell_weights(labels[list(recipe.cells)])
        return lambda epoch: train[weighted_batches(weights, recipe.batch_size, recipe.seed, epoch)]
    return lambda epoch: train[shuffled_batches(len(train), recipe.batch_size, recipe.seed, epoch)]


def make_model(training: TrainingSet, recipe: Recipe) -> Model:
    """The network of a recipe with its task, the random parameters drawn with the recipe's seed."""
    torch.manual_seed(recipe.seed)
    layers = layers_of(recipe)
    network = build_backbone(recipe.backbone, recipe.weights)
    dimension = sum(map(network.layer_dimension, layers))
    task = make_task(recipe, training.labels, training.is_validation, dimension, training.teacher)
    return Model(network, layers, task)


def check_folder(folder: Path, recipe: Recipe, training: TrainingSet, is_resumed: bool) -> None:
    """Make the folder, or refuse one that holds another training.

    Raises
    ------
    ValueError
        If there is a training in it and none is to be resumed, or it has other settings, or there is none to resume.
    """
    has_one = (folder / CHECKPOINT).is_file()
    if has_one and not is_resumed:
        raise ValueError(f"{folder} holds a training. Go on with --resume, or use another --out.")
    if is_resumed and not has_one:
        raise ValueError(f"{folder} holds no checkpoint to resume from. Leave --resume out.")
    now = json.loads(json.dumps(_settings(recipe, training)))
    if has_one:
        there = json.loads((folder / SETTINGS).read_text(encoding="utf-8"))
        changed = [name for name in now if now[name] != there.get(name)]
        if changed:
            raise ValueError(f"{folder} was trained with other settings: {', '.join(changed)} differ. Use the same.")
    write_text(folder / SETTINGS, json.dumps(now, indent=1) + "\n")


def _settings(recipe: Recipe, training: TrainingSet) -> dict:
    """The recipe, and a hash of what is learned from."""
    rows = [[training.crops.keys[row], training.crops.sha256[row]] for row in training.crop_row]
    truth = training.labels[list(recipe.columns)].astype(str).to_numpy().tolist()
    data = hashlib.sha256(canonical_json([rows, truth, training.is_validation.tolist()]).encode())
    if training.teacher is not None:
        data.update(training.teacher.tobytes())
    return {**asdict(recipe), "data": data.hexdigest()}


def finish(folder: Path, recipe: Recipe, training: TrainingSet, model: Model) -> float:
    """Export the averaged weights of the best epoch to ``embedder/``; the difference of the export, see there."""
    model.network.load_state_dict(load_state(folder / BEST)["network"])
    layers = layers_of(recipe)
    dimension = sum(map(model.network.layer_dimension, layers))
    spec = spec_of(recipe.backbone, layers, dimension, training.crops)
    return export_network(folder / EMBEDDER, spec, model.network, _compared(training))


def finish_onnx(folder: Path, training: TrainingSet) -> float:
    """Write what was exported as an ONNX file beside it; its difference from that, see there."""
    return export_onnx(folder / EMBEDDER, _compared(training))


def _compared(training: TrainingSet) -> np.ndarray:
    """Crops that an exported network must give the same numbers for."""
    rows = training.crop_row[training.is_validation]
    return training.crops.pixels[rows[:N_COMPARED]]
