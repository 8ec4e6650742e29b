"""Recall of the rarer gender where four of five training faces have the other one: a sampler, class weights, or neither.

Of the train part of UTKFace's shared split faces are drawn, 80 % of them of men, and the recipe ``gender`` learns from them
three times with nothing but ``--balance`` different. Recalls are those of the network's own classifier on the whole test
part, which is not thinned out. Differences are paired: the same faces are drawn for both sides.

    python -m benchmarks.class_imbalance [--data ../shared/data] [--feature TABLE --crops DIR] [--cache DIR]
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from faceheads.labels import write_labels
from faceheads.metrics import GroupBootstrap
from faceheads.metrics.intervals import Estimate
from faceheads.pool import set_passive_wait
from faceheads.samples import Samples
from faceheads.splits import TEST, TRAIN
from features.embed import EmbedderRequest
from finetune.checkpoint import load_state
from finetune.loop import BEST
from finetune.recipes.recipe import BALANCES
from finetune.tasks.attributes import make_head

from .kept_crops import KeptCrops, content_split, train, utkface_crops, utkface_parser
from .report import machine_line, markdown_table

FREQUENT, RARE = "male", "female"
SHARE_FREQUENT = 0.8
_OF_HEAD = "head."


def main() -> None:
    """Train with each kind of balance; print recalls and differences."""
    args = _arguments()
    set_passive_wait()
    print(f"{machine_line()}\n", flush=True)
    kept = utkface_crops(args)
    samples = content_split(kept.table, kept.labels, ["gender"])
    name = f"{args.faces}-{args.seed}"
    label = args.cache / f"labels-{name}.csv"
    write_labels(label, thinned_out(samples, args.faces, args.seed))
    is_right, minutes = {}, {}
    for balance in BALANCES:
        start = time.perf_counter()
        folder = train(_options(args, kept, label, balance), args.cache / f"{balance}-{args.epochs}-{name}")
        minutes[balance] = (time.perf_counter() - start) / 60
        is_right[balance] = _is_right(kept, samples, folder)
    _report(samples, is_right, minutes)


def _arguments() -> argparse.Namespace:
    parser = utkface_parser(__doc__, "demo/class_imbalance")
    parser.add_argument("--faces", type=int, default=4000, help="to learn from and to validate on (default: 4000)")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0, help="of the faces and of the training (default: 0)")
    return parser.parse_args()


def thinned_out(samples: Samples, n_faces: int, seed: int) -> pd.DataFrame:
    """The gender of ``n_faces`` of the train part, four of five of them men; missing for all other faces."""
    gender = samples.labels["gender"]
    can_learn = samples.in_part(TRAIN) & samples.table.has_embedding
    random = np.random.default_rng(seed)
    sizes = {FREQUENT: round(SHARE_FREQUENT * n_faces), RARE: n_faces - round(SHARE_FREQUENT * n_faces)}
    drawn = [
        random.choice(np.flatnonzero(can_learn & (gender == name).to_numpy()), size, replace=False)
        for name, size in sizes.items()
    ]
    is_kept = np.zeros(len(gender), bool)
    is_kept[np.concatenate(drawn)] = True
    return gender.where(is_kept).to_frame()


def _options(args: argparse.Namespace, kept: KeptCrops, label: Path, balance: str) -> dict[str, object]:
    where = {"crops": kept.folder, "feature": kept.feature, "label": label, "split": "content"}
    return {**where, "recipe": "gender", "balance": balance, "epochs": args.epochs, "seed": args.seed}


def _tested(samples: Samples) -> np.ndarray:
    return np.flatnonzero(samples.in_part(TEST))


def _is_right(kept: KeptCrops, samples: Samples, folder: Path) -> np.ndarray:
    """Whether each face of the test part gets its gender from the network's own classifier, bool of shape (n_test,)."""
    tested = _tested(samples)
    rows = pd.Index(kept.table.keys).get_indexer(samples.table.keys[tested])
    embedding = kept.embedded(EmbedderRequest(str(folder)), rows).embedding
    classes = np.array(sorted((FREQUENT, RARE)))  # as finetune numbers them
    state = load_state(folder.parent / BEST)["task"]
    head = make_head(embedding.shape[1], len(classes)).eval()
    head.load_state_dict({name.removeprefix(_OF_HEAD): value for name, value in state.items()})
    with torch.inference_mode():
        decided = head(torch.from_numpy(embedding)).argmax(1).numpy()
    return classes[decided] == samples.labels["gender"].to_numpy()[tested]


def _report(samples: Samples, is_right: Mapping[str, np.ndarray], minutes: Mapping[str, float]) -> None:
    tested = _tested(samples)
    gender = samples.labels["gender"].to_numpy()[tested]
    draws = GroupBootstrap(samples.groups[tested])
    of_rare, of_frequent = draws.subset(gender == RARE), draws.subset(gender == FREQUENT)
    rows = []
    for balance, right in is_right.items():
        change = right.astype(float) - is_right["none"]
        estimates = [
            of_rare.of_mean(right[gender == RARE], is_proportion=True).estimate(),
            of_rare.of_mean(change[gender == RARE]).estimate(),
            of_frequent.of_mean(right[gender == FREQUENT], is_proportion=True).estimate(),
            draws.of_mean(right, is_proportion=True).estimate(),
        ]
        rows.append([balance, *map(_percent, estimates), f"{minutes[balance]:.1f}"])
    counts = {name: int((gender == name).sum()) for name in (RARE, FREQUENT)}
    print(f"test part: {counts}; 95 % intervals of a bootstrap over images\n")
    header = ["--balance", f"recall, {RARE} (rare)", "change by it", f"recall, {FREQUENT}", "accuracy", "minutes"]
    print(markdown_table(header, rows))


def _percent(estimate: Estimate) -> str:
    return f"{100 * estimate.value:.1f} % ({100 * estimate.low:.1f} to {100 * estimate.high:.1f})"


if __name__ == "__main__":
    main()
