"""All that decides how a network is trained, as one frozen value."""

from __future__ import annotations

from dataclasses import dataclass, field, fields

from ..augment import Augmentation

OPTIMISERS = ("adamw", "sgd")
BALANCES = ("none", "sampler", "weights")
AGE_LOSSES = ("distribution", "huber")
STARTS = ("mean", "random")
PRECISIONS = ("float32", "bf16", "fp16")
TASKS = ("gender", "age_gender", "arcface", "quadruplet")


@dataclass(frozen=True)
class Recipe:
    """Settings of a training; every one is an option of ``python -m finetune`` with the same name.

    Only the settings of the recipe's task count; the others are not used.
    """

    task: str = field(metadata={"help": "what is learned", "choices": TASKS})
    backbone: str = field(default="dlib", metadata={"help": "the network: dlib or resnet18"})
    weights: str = field(
        default="", metadata={"help": "official, scratch, a file or an exported folder; default: the network's own"}
    )
    layers: str = field(default="", metadata={"help": "layers of the embedding, with commas; default: by task"})
    epochs: int = field(default=12, metadata={"help": "rounds through the training part, at most"})
    batch_size: int = field(default=64, metadata={"help": "crops of a batch (attributes)"})
    n_persons: int = field(default=16, metadata={"help": "persons of a batch (identities)"})
    n_photos: int = field(default=4, metadata={"help": "photos of each of them"})
    accumulate: int = field(default=1, metadata={"help": "batches whose gradients make one step"})
    optimiser: str = field(default="adamw", metadata={"help": "adamw or sgd", "choices": OPTIMISERS})
    lr: float = field(default=1e-3, metadata={"help": "highest learning rate"})
    backbone_lr: float = field(
        default=1.0, metadata={"help": "factor of it for the network, as opposed to its heads; 0 leaves it frozen"}
    )
    momentum: float = field(default=0.9, metadata={"help": "of sgd"})
    weight_decay: float = field(default=0.01, metadata={"help": "of matrices and convolutions"})
    warmup: float = field(default=0.05, metadata={"help": "share of the steps in which the learning rate rises"})
    clip: float = field(default=5.0, metadata={"help": "largest norm of a gradient; 0 for any"})
    ema: float = field(default=0.99, metadata={"help": "decay of the averaged weights that are kept; 0 for none"})
    patience: int = field(default=4, metadata={"help": "epochs without improvement after which training ends"})
    balance: str = field(
        default="none", metadata={"help": "against rare classes: sampler or weights, never both", "choices": BALANCES}
    )
    smoothing: float = field(default=0.05, metadata={"help": "of class labels"})
    focal_gamma: float = field(default=0.0, metadata={"help": "of the focal loss; 0 is cross-entropy"})
    age_loss: str = field(default="distribution", metadata={"help": "distribution or huber", "choices": AGE_LOSSES})
    age_deviation: float = field(default=3.0, metadata={"help": "years around an age in its target distribution"})
    age_weight: float = field(default=1.0, metadata={"help": "of the loss of ages beside that of gender"})
    margin: float = field(default=0.3, metadata={"help": "of arcface (radians) or of distances; negative: soft"})
    scale: float = field(default=32.0, metadata={"help": "of cosines in arcface"})
    margin_kind: str = field(
        default="arcface", metadata={"help": "arcface or cosface", "choices": ("arcface", "cosface")}
    )
    persons_start: str = field(
        default="mean", metadata={"help": "arcface: persons begin as mean embeddings or at random", "choices": STARTS}
    )
    fake_weight: float = field(default=1.0, metadata={"help": "of the triplets with fakes (lambda)"})
    precision: str = field(default="float32", metadata={"help": "bf16 and fp16 on CUDA only", "choices": PRECISIONS})
    seed: int = field(default=0, metadata={"help": "of all that is drawn"})
    checkpoint_every: int = field(default=200, metadata={"help": "steps between checkpoints; one an epoch anyway"})
    augmentation: Augmentation = field(default_factory=Augmentation)

    def __post_init__(self) -> None:
        for item in fields(self):
            choices = item.metadata.get("choices")
            if choices and getattr(self, item.name) not in choices:
                raise ValueError(f"--{item.name} must be one of {list(choices)}; got {getattr(self, item.name)!r}.")
        for name in ("epochs", "batch_size", "accumulate", "patience", "checkpoint_every", "n_persons", "n_photos"):
            if getattr(self, name) < 1:
                raise ValueError(f"--{name} must be at least 1; got {getattr(self, name)}.")
        if not (self.lr > 0 and 0 <= self.warmup < 1 and 0 <= self.ema < 1 and 0 <= self.smoothing < 1):
            raise ValueError("--lr must be above 0; --warmup, --ema and --smoothing must be in [0, 1).")

    @property
    def needs_persons(self) -> bool:
        """Whether batches are made of persons."""
        return self.task in ("arcface", "quadruplet")

    @property
    def columns(self) -> tuple[str, ...]:
        """Label columns that the task needs."""
        return {
            "gender": ("gender",),
            "age_gender": ("age", "gender"),
            "arcface": ("identity",),
            "quadruplet": ("identity", "fake"),
        }[self.task]
