"""Classes such as gender and numbers such as age, by linear heads on the embedding."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ..losses.age import distribution_loss, expectation, huber
from ..losses.classes import cross_entropy, focal_loss
from .task import Task

#: Weight of the absolute error of the mean, in years, beside the divergence of distributions.
L1_WEIGHT = 0.1
#: Years between the middles of the bins that ages are distributed over; years beyond the range of ages on either side.
BIN_YEARS, BEYOND_YEARS = 2.0, 6.0
#: Errors of fewer years count less than their size in the Huber loss.
HUBER_YEARS = 2.0


def make_head(dimension: int, n_outputs: int) -> nn.Module:
    """A linear head on standardised numbers of the embedding, whose layers may differ in scale."""
    return nn.Sequential(nn.BatchNorm1d(dimension, affine=False), nn.Linear(dimension, n_outputs))


class ClassTask(Task):
    """One of several classes; the score is the share of errors in percent.

    Parameters
    ----------
    name : str
        Of the label.
    classes : Tensor of shape (n_rows,), int64
    n_classes, dimension : int
    smoothing, focal_gamma : float
        Smoothing counts where gamma is 0.
    weights : Tensor of shape (n_classes,), optional
    """

    def __init__(
        self,
        name: str,
        classes: Tensor,
        n_classes: int,
        dimension: int,
        smoothing: float = 0.0,
        focal_gamma: float = 0.0,
        weights: Tensor | None = None,
    ) -> None:
        super().__init__()
        self.name = name
        self.smoothing = smoothing
        self.focal_gamma = focal_gamma
        self.head = make_head(dimension, n_classes)
        self.keep("classes", classes)
        self.keep("weights", weights)

    def loss(self, embedding: Tensor, rows: Tensor) -> dict[str, Tensor]:
        """Cross-entropy, or the focal loss."""
        logits, classes = self.head(embedding), self.classes[rows]
        if self.focal_gamma:
            return {"loss": focal_loss(logits, classes, self.focal_gamma, self.weights)}
        return {"loss": cross_entropy(logits, classes, self.smoothing, self.weights)}

    def metrics(self, embedding: Tensor, rows: Tensor) -> dict[str, float]:
        """Accuracy, and its mean over the classes that occur."""
        classes, is_right = self.classes[rows], self.accuracies(embedding, rows)
        by_class = torch.stack([is_right[classes == k].mean() for k in classes.unique()])
        accuracy = is_right.mean().item()
        return {
            f"{self.name}_accuracy": accuracy,
            f"{self.name}_balanced_accuracy": by_class.mean().item(),
            "score": 100 * (1 - accuracy),
        }

    def outcomes(self, embedding: Tensor, rows: Tensor) -> dict[str, Tensor]:
        """1 where the decision is right, else 0."""
        return {f"{self.name}_accuracy": self.accuracies(embedding, rows)}

    def accuracies(self, embedding: Tensor, rows: Tensor) -> Tensor:
        """1 where the decision is right, else 0; float64 of shape (n,)."""
        return (self.head(embedding).argmax(1) == self.classes[rows]).double()

    def soft_accuracies(self, embedding: Tensor, rows: Tensor) -> Tensor:
        """The probability of the right class, float32 of shape (n,)."""
        return self.head(embedding).float().softmax(1).gather(1, self.classes[rows][:, None])[:, 0]


class AgeTask(Task):
    """Ages in years; the score is the mean absolute error.

    Parameters
    ----------
    ages : Tensor of shape (n_rows,), float32
    dimension : int
    kind : {"distribution", "huber"}
    deviation : float
        Of the target distribution, in years.
    """

    #: Of its columns in logs.
    name = "age"

    def __init__(self, ages: Tensor, dimension: int, kind: str, deviation: float) -> None:
        super().__init__()
        low, high = float(ages.min()) - BEYOND_YEARS, float(ages.max()) + BEYOND_YEARS
        centres = torch.arange(low, high + BIN_YEARS, BIN_YEARS) if kind == "distribution" else torch.empty(0)
        self.kind = kind
        self.deviation = deviation
        self.head = make_head(dimension, max(1, len(centres)))
        self.keep("ages", ages)
        self.keep("centres", centres)
        self.keep("middle", ages.median())

    def loss(self, embedding: Tensor, rows: Tensor) -> dict[str, Tensor]:
        """The loss of the kind."""
        truth = self.ages[rows]
        if self.kind == "huber":
            return {"loss": huber(self.predict(embedding), truth, HUBER_YEARS)}
        return {"loss": distribution_loss(self.head(embedding), truth, self.centres, self.deviation, L1_WEIGHT)}

    def predict(self, embedding: Tensor) -> Tensor:
        """Ages in years, shape (n,)."""
        output = self.head(embedding)
        return self.middle + output[:, 0] if self.kind == "huber" else expectation(output, self.centres)

    def metrics(self, embedding: Tensor, rows: Tensor) -> dict[str, float]:
        """The mean absolute error in years."""
        mae = self.outcomes(embedding, rows)["age_mae"].mean().item()
        return {"age_mae": mae, "score": mae}

    def outcomes(self, embedding: Tensor, rows: Tensor) -> dict[str, Tensor]:
        """Absolute errors in years."""
        return {"age_mae": (self.predict(embedding) - self.ages[rows]).abs().double()}
