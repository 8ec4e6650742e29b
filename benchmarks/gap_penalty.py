"""What the gap between cohorts costs and brings as a term of the loss: gender on UTKFace, the cohorts being races as annotated.

The task of the recipe ``criterion`` learns on frozen embeddings, several times with other random numbers, from the train
part of the shared split, and decides on the test part; nothing but ``--gap_weight`` is different. Figures are means over the
repetitions, intervals come from a bootstrap over images, changes are paired with weight 0. Epochs, rates and weights were
fixed before anything was measured on the test part.

    python -m benchmarks.gap_penalty [--data ../shared/data] [--feature TABLE --crops DIR] [--cache DIR]
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping

import numpy as np
import pandas as pd
import torch

from faceheads.metrics import GroupBootstrap
from faceheads.metrics.intervals import Estimate, Resampled
from faceheads.pool import set_passive_wait
from faceheads.samples import Samples
from faceheads.splits import TEST, TRAIN
from finetune.recipes import recipe
from finetune.samplers import shuffled_batches
from finetune.tasks import CohortTask, make_task

from .kept_crops import content_split, utkface_crops, utkface_parser
from .report import machine_line, markdown_table

TARGET, COHORT = "gender", "race"
WEIGHTS = (0.0, 0.5, 2.0, 5.0)
N_EPOCHS, BATCH_SIZE, LR = 15, 512, 3e-3


def main() -> None:
    """Learn with each weight; print accuracies and gaps."""
    args = _arguments()
    set_passive_wait()
    print(f"{machine_line()}\n", flush=True)
    kept = utkface_crops(args)
    samples = content_split(kept.table, kept.labels, [TARGET, COHORT])
    is_right = {weight: _is_right(samples, weight, args.repetitions) for weight in WEIGHTS}
    _report(samples, is_right)


def _arguments() -> argparse.Namespace:
    parser = utkface_parser(__doc__, "demo/gap_penalty")
    parser.add_argument("--repetitions", type=int, default=5)
    return parser.parse_args()


def _rows(samples: Samples, part: str) -> np.ndarray:
    return np.flatnonzero(samples.in_part(part) & samples.table.has_embedding)


def _is_right(samples: Samples, weight: float, n_repetitions: int) -> np.ndarray:
    """The share of repetitions that decide each face of the test part rightly, float64 of shape (n_test,)."""
    tested = torch.from_numpy(_rows(samples, TEST))
    embedding = torch.from_numpy(np.nan_to_num(samples.table.embedding))
    with torch.no_grad():
        each = [
            _learned(samples, weight, seed).task.accuracies(embedding[tested], tested) for seed in range(n_repetitions)
        ]
    return torch.stack(each).mean(0).numpy()


@torch.enable_grad()
def _learned(samples: Samples, weight: float, seed: int) -> CohortTask:
    """The task with its head after all epochs, in evaluation mode."""
    torch.manual_seed(seed)
    train = _rows(samples, TRAIN)
    embedding = torch.from_numpy(np.nan_to_num(samples.table.embedding))
    chosen = recipe("criterion", target=TARGET, cohort=COHORT, gap_weight=weight, lr=LR, seed=seed)
    task = make_task(chosen, samples.labels, ~samples.in_part(TRAIN), embedding.shape[1])
    optimiser = torch.optim.AdamW(task.parameters(), LR)
    for epoch in range(N_EPOCHS):
        for batch in shuffled_batches(len(train), BATCH_SIZE, seed, epoch):
            rows = torch.from_numpy(train[batch])
            optimiser.zero_grad()
            task.loss(embedding[rows], rows)["loss"].backward()
            optimiser.step()
    return task.eval()


def _report(samples: Samples, is_right: Mapping[float, np.ndarray]) -> None:
    tested = _rows(samples, TEST)
    cohort = samples.labels[COHORT].to_numpy()[tested]
    draws = GroupBootstrap(samples.groups[tested])
    names = sorted(pd.unique(cohort))
    rows = []
    for weight, right in is_right.items():
        parts = [draws.subset(cohort == name).of_mean(right[cohort == name]) for name in names]
        accuracy, change = draws.of_mean(right), draws.of_mean(right - is_right[0.0])
        gap = Resampled.combine(parts, lambda values: values.max(axis=0) - values.min(axis=0))
        rows.append([f"{weight:g}", *(_percent(one.estimate()) for one in (accuracy, change, gap, *parts))])
    print(f"test part: { ({name: int((cohort == name).sum()) for name in names}) }; 95 % intervals\n")
    print(markdown_table(["--gap_weight", "accuracy", "change by it", "gap", *names], rows))


def _percent(estimate: Estimate) -> str:
    return f"{100 * estimate.value:.1f} ({100 * estimate.low:.1f} to {100 * estimate.high:.1f})"


if __name__ == "__main__":
    main()
