"""All that decides how a network is trained, as one frozen value."""

from __future__ import annotations

import math
from dataclasses import Field, dataclass, field, fields
from typing import Any

from ..augment import Augmentation

OPTIMISERS = ("adamw", "sgd", "sing")
BALANCES = ("none", "sampler", "weights")
AGE_LOSSES = ("distribution", "huber")
STARTS = ("mean", "random")
PRECISIONS = ("float32", "bf16", "fp16")
DISTIL_LOSSES = ("cosine", "mse")
#: Tasks whose loss may have a term for the gap between cohorts, and that may be scored by mean − gap.
COHORT_TASKS = ("gender", "criterion")
#: Tasks that tell persons apart, whose batches are made of persons.
PERSON_TASKS = ("arcface", "triplet", "quadruplet")
#: Tasks that learn classes or ages from labels.
ATTRIBUTE_TASKS = ("gender", "age_gender", "criterion")
#: The last learns from a teacher alone, without labels.
TASKS = (*ATTRIBUTE_TASKS, *PERSON_TASKS, "distil")


def _setting(
    default: Any,
    words: str,
    choices: tuple[str | int, ...] | None = None,
    low: float = -math.inf,
    above: float = -math.inf,
    below: float = math.inf,
) -> Any:
    """A field with its words for ``--help`` and its range: ``low`` belongs to it, ``above`` and ``below`` do not."""
    metadata = {"help": words, "choices": choices, "low": low, "above": above, "below": below}
    return field(default=default, metadata=metadata)


@dataclass(frozen=True)
class Recipe:
    """Settings of a training; every one is an option of ``python -m finetune`` with the same name.

    Only the settings of the recipe's task count; the others are not used.

    Raises
    ------
    ValueError
        If a setting is out of its range, or two do not go together.
    """

    task: str = field(metadata={"help": "what is learned", "choices": TASKS})
    backbone: str = _setting("dlib", "the network; docs/finetuning.md lists them")
    weights: str = _setting("", "official, scratch, a file or an exported folder; default: the network's own")
    layers: str = _setting("", "layers of the embedding, with commas; default: by task")
    epochs: int = _setting(12, "rounds through the training part, at most", low=1)
    batch_size: int = _setting(64, "crops of a batch (attributes, distil)", low=1)
    n_persons: int = _setting(16, "persons of a batch (identities)", low=1)
    n_photos: int = _setting(4, "photos of each of them", low=1)
    accumulate: int = _setting(1, "batches whose gradients make one step", low=1)
    optimiser: str = _setting("adamw", "adamw, sgd or sing (wants ten times adamw's --lr)", OPTIMISERS)
    lr: float = _setting(1e-3, "highest learning rate", above=0)
    backbone_lr: float = _setting(
        1.0, "factor of it for the network, as opposed to its heads; 0 leaves it frozen", low=0
    )
    freeze: int = _setting(0, "stages of the network, from the input, that never learn", low=0)
    unfreeze: int = _setting(
        0, "epochs after which one more stage learns, from the last to the first; 0 for all from the start", low=0
    )
    layer_decay: float = _setting(1.0, "learning rate of a stage as a share of that of the stage behind it", above=0)
    momentum: float = _setting(0.9, "of sgd", low=0, below=1)
    weight_decay: float = _setting(0.01, "of matrices and convolutions", low=0)
    warmup: float = _setting(0.05, "share of the steps in which the learning rate rises", low=0, below=1)
    clip: float = _setting(5.0, "largest norm of a gradient; 0 for any", low=0)
    ema: float = _setting(0.99, "decay of the averaged weights that are kept; 0 for none", low=0, below=1)
    patience: int = _setting(4, "epochs without improvement after which training ends", low=1)
    balance: str = _setting("none", "against rare classes: sampler or weights, never both", BALANCES)
    smoothing: float = _setting(0.05, "of class labels", low=0, below=1)
    focal_gamma: float = _setting(0.0, "of the focal loss; 0 is cross-entropy", low=0)
    target: str = _setting("", "criterion: the label column with two values, or several with commas")
    cohort: str = _setting("", f"{' and '.join(COHORT_TASKS)}: label column; training then ends by mean - gap over it")
    gap_weight: float = _setting(0.0, "of the gap of soft accuracies between the cohorts, in the loss", low=0)
    age_loss: str = _setting("distribution", "distribution or huber", AGE_LOSSES)
    age_deviation: float = _setting(3.0, "years around an age in its target distribution", above=0)
    age_weight: float = _setting(1.0, "of the loss of ages beside that of gender", low=0)
    margin: float = _setting(0.3, "of arcface (radians) or of distances; negative: soft")
    scale: float = _setting(32.0, "of cosines in arcface, and beside a quadruplet", above=0)
    margin_kind: str = _setting("arcface", "arcface or cosface", ("arcface", "cosface"))
    persons_start: str = _setting("mean", "arcface: persons begin as mean embeddings or at random", STARTS)
    fake_weight: float = _setting(1.0, "of the triplets with fakes (lambda)", low=0)
    self_blend: int = _setting(
        0, "quadruplet: 1 makes each photo a fake too, blended with itself in each step", (0, 1)
    )
    cosine_weight: float = _setting(
        0.0, "quadruplet: of a softmax over the training persons' cosines beside it", low=0
    )
    bona_fide_weight: float = _setting(
        0.0, "quadruplet: of telling fakes from photos by the embedding alone beside it", low=0
    )
    distil_weight: float = _setting(1.0, "of the distance from the embeddings of --teacher", low=0)
    distil_loss: str = _setting("cosine", "that distance: of directions, or mse of the numbers", DISTIL_LOSSES)
    precision: str = _setting("float32", "bf16 and fp16 on CUDA only", PRECISIONS)
    seed: int = _setting(0, "of all that is drawn", low=0)
    checkpoint_every: int = _setting(200, "steps between checkpoints; one an epoch anyway", low=1)
    augmentation: Augmentation = field(default_factory=Augmentation)

    def __post_init__(self) -> None:
        for item in fields(self):
            if item.name != "augmentation":
                _check(item, getattr(self, item.name))
        if self.gap_weight and not self.cohort:
            raise ValueError("--gap_weight needs cohorts to compare. Give --cohort COLUMN.")
        if self.cohort and self.task not in COHORT_TASKS:
            raise ValueError(
                f"--cohort is for the recipes {' and '.join(COHORT_TASKS)}; got the recipe {self.task!r}."
            )

    @property
    def needs_persons(self) -> bool:
        """Whether batches are made of persons."""
        return self.task in PERSON_TASKS

    @property
    def needs_attributes(self) -> bool:
        """Whether classes or ages are learned."""
        return self.task in ATTRIBUTE_TASKS

    @property
    def targets(self) -> tuple[str, ...]:
        """Label columns whose classes are learned.

        Raises
        ------
        ValueError
            If the recipe is ``criterion`` and does not name any.
        """
        if self.task != "criterion":
            return ("gender",) if self.needs_attributes else ()
        names = tuple(name.strip() for name in self.target.split(",") if name.strip())
        if not names:
            raise ValueError("the recipe 'criterion' must know what to learn. Give --target COLUMN.")
        return names

    @property
    def cells(self) -> tuple[str, ...]:
        """Label columns whose combinations ``balance`` brings equally often."""
        return (*self.targets, self.cohort) if self.cohort else self.targets

    @property
    def columns(self) -> tuple[str, ...]:
        """Label columns that the task needs."""
        if self.task in COHORT_TASKS:
            return self.cells
        if self.task == "age_gender":
            return ("age", "gender")
        if self.task == "distil":
            return ()
        return ("identity", "fake") if self.task == "quadruplet" and not self.self_blend else ("identity",)


def _check(item: Field, value: Any) -> None:
    choices = item.metadata["choices"]
    if choices and value not in choices:
        raise ValueError(f"--{item.name} must be one of {list(choices)}; got {value!r}.")
    if not isinstance(value, str):
        _check_range(item, value)


def _check_range(item: Field, value: float) -> None:
    low, above, below = (item.metadata[name] for name in ("low", "above", "below"))
    if low <= value < below and value > above:
        return
    limits = [f"at least {low:g}"] if math.isfinite(low) else [f"above {above:g}"] if math.isfinite(above) else []
    limits += [f"below {below:g}"] if math.isfinite(below) else []
    raise ValueError(f"--{item.name} must be {' and '.join(limits) if limits else 'a finite number'}; got {value}.")
