"""The sentences of a model card that follow from the settings."""

from __future__ import annotations

import hashlib
from dataclasses import asdict
from pathlib import Path

from faceheads.report.training import ModelCard
from faceheads.weights import REGISTRY

from ..backbones import OFFICIAL, SCRATCH, backbone_of
from ..pretrained import PRETRAINED
from ..recipes import Recipe

#: What is said where nobody says more.
UNSAID = ModelCard(
    terms="not stated: a network is bound by the terms of its photos, of its labels and of the weights that it began with",
    intended_use=(
        "to turn crops that were cut out in the same way into embeddings, on which heads are trained and pairs are compared, "
        "with errors that were measured on photos like those of the use; research and counting"
    ),
    excluded_use=(
        "decisions about single persons; watching or naming people who have not agreed; photos unlike those of the training "
        "part; thresholds and heads of other embedders. Inferring race from faces, and collecting faces to name people, are "
        "banned or restricted for many uses (EU AI Act, Article 5)"
    ),
)
#: Files of the registry by the network whose official weights they are.
_IN_REGISTRY = {"dlib": "dlib_resnet", "dlib_traces": "dlib_resnet", "facenet": "facenet_vggface2"}


def beginning(recipe: Recipe) -> str:
    """Which weights the network began with, and the licence of these."""
    weights = recipe.weights if recipe.weights else backbone_of(recipe.backbone).default_weights
    if weights == SCRATCH:
        return "The network began with random numbers: no other network's licence counts."
    if weights == OFFICIAL:
        return f"The network began with the official weights of {recipe.backbone}; their licence: {_licence(recipe.backbone)}."
    return f"The network began with {_named(Path(weights))}. Its licence is for you to clear; that of the new weights follows it."


def _licence(backbone: str) -> str:
    if backbone in _IN_REGISTRY:
        return f"{REGISTRY[_IN_REGISTRY[backbone]].licence}, see MODEL_LICENSES.md"
    return PRETRAINED[backbone].licence if backbone in PRETRAINED else "as timm names it for this network"


def _named(path: Path) -> str:
    """A file with its sha256, a folder with its name."""
    if not path.is_file():
        return f"the exported folder {path.name}"
    with open(path, "rb") as file:
        return f"{path.name} (sha256 {hashlib.file_digest(file, 'sha256').hexdigest()})"


def losses(recipe: Recipe, has_teacher: bool = False) -> str:
    """What was made small, term by term."""
    distance = "(1 − cosine)" if recipe.distil_loss == "cosine" else "squared distance"
    to_teacher = f"{distance} to the embeddings of a teacher"
    if recipe.task == "distil":
        return to_teacher
    return _of_task(recipe) + f"; {recipe.distil_weight:g} · {to_teacher}" * has_teacher


def _of_task(recipe: Recipe) -> str:
    if recipe.task == "arcface":
        return f"softmax over persons with the margin of {recipe.margin_kind}, {recipe.margin:g}, at scale {recipe.scale:g}"
    if recipe.task in ("triplet", "quadruplet"):
        return _of_distances(recipe)
    terms = f"{_of_classes(recipe)}, for {', '.join(recipe.targets)}"
    if recipe.task == "age_gender":
        terms += f"; {recipe.age_weight:g} · {_of_ages(recipe)}"
    return terms + (f"; {recipe.gap_weight:g} · the gap between cohorts of {recipe.cohort}" * bool(recipe.gap_weight))


def _of_distances(recipe: Recipe) -> str:
    margin = f"margin {recipe.margin:g}" if recipe.margin >= 0 else "soft margin"
    if recipe.task == "triplet":
        return f"triplet(anchor, positive, negative), {margin}"
    terms = f"triplet(anchor, positive, negative) + {recipe.fake_weight:g} · triplet(anchor, positive, fake), {margin}"
    terms += f"; {recipe.cosine_weight:g} · softmax over the cosines to persons" * bool(recipe.cosine_weight)
    return terms + f"; {recipe.bona_fide_weight:g} · cross-entropy of fake and photo" * bool(recipe.bona_fide_weight)


def _of_classes(recipe: Recipe) -> str:
    balanced = {"none": "", "sampler": ", rare classes drawn more often", "weights": ", rare classes weighted"}
    kind = f"cross-entropy with labels smoothed by {recipe.smoothing:g}"
    if recipe.focal_gamma:
        kind = f"focal loss with gamma {recipe.focal_gamma:g}"
    return kind + balanced[recipe.balance]


def _of_ages(recipe: Recipe) -> str:
    if recipe.age_loss == "huber":
        return "Huber loss of ages"
    return f"divergence from distributions over ages, {recipe.age_deviation:g} years wide (DLDL-v2)"


def settings(recipe: Recipe) -> str:
    """Every setting of a recipe, as options."""
    values = asdict(recipe)
    augmentation = values.pop("augmentation")
    return " ".join(f"--{name} {value}" for name, value in {**values, **augmentation}.items() if value != "")
