"""Fakes of LFW's View 1 people against dlib's network, as it is and with traces finetuned by the recipe ``quadruplet``.

Images are those of ``benchmarks/kryptonite_like.py``: photos and fakes of one kind of DevTrain people to learn from, photos
and fakes of every kind of DevTest people to report on, all through the same crop and JPEG, faces found by HOG. eer_real is
that of mated pairs against pairs of two persons, eer_fake that of the same mated pairs against fakes with photos of the
person they claim to be. Settings were chosen on the validation part, other people of DevTrain, on which the best epoch is
chosen too. The network is trained twice, the second time from what it learned the first time. Both networks average each face
with its mirror image. The last rows are of the same faces, compressed once more.

    python -m benchmarks.finetuned_fakes [--data ../shared/data] [--feature TABLE] [--cache DIR] [--seen poisson] [--epochs N]
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from faceheads.labels import labels_for, read_labels
from faceheads.pool import resolve_jobs, set_passive_wait
from faceheads.verification.trials import Trials
from features.embed import EmbedderRequest
from features.pipeline_config import PipelineConfig
from finetune.distortions import Subject
from finetune.distortions.camera import jpeg
from finetune.fake_plan import REAL
from finetune.image_job import LABELS

from .kept_crops import KeptCrops, pooled_crops, train
from .lfw_fakes import PARTS, eer_cells, eer_header, eers, fake_trials, fakes_parser, make_images
from .report import machine_line, markdown_table

FROZEN, FINETUNED = "frozen", "finetuned"
#: What is other in the second training.
AGAIN = {"lr": 0.002}
#: Of the crops in the last rows: what is left of the traces when a photo is saved once more.
QUALITY = 90
CONFIG = PipelineConfig(EmbedderRequest(), "hog", faces="central")
#: Of the training, chosen on the validation part. dlib's own six stages stay as they are. Moved and enlarged crops would lose
#: the fine traces that fakes have.
SETTINGS = {
    "recipe": "quadruplet",
    "backbone": "dlib_traces",
    "freeze": 6,
    "bona_fide_weight": 1,
    "lr": 0.003,
    "ema": 0.99,
    "patience": 30,
    "n_photos": 4,
    "validation_size": 0.15,
    "shift": 0,
    "zoom": 0,
    "colour": 0.1,
}


def main() -> None:
    """Make fakes, finetune, print eer_real and eer_fake of both networks."""
    args = _arguments()
    set_passive_wait()
    print(f"{machine_line()}\n", flush=True)
    start = time.perf_counter()
    kept = _kept_crops(args)
    made = time.perf_counter()
    folder = _finetuned(kept, args)
    trained = time.perf_counter()
    requests = {FROZEN: EmbedderRequest(flip=True), FINETUNED: EmbedderRequest(str(folder), flip=True)}
    trials = {name: _trials(kept, request) for name, request in requests.items()}
    saved_again = _saved_again(kept)
    for name, request in requests.items():
        trials[f"{name}, faces saved as JPEG {QUALITY}"] = _trials(saved_again, request)
    rows = [[name, *eer_cells(one)] for name, one in trials.items()]
    print("\nDevTest, 95 % intervals that know that pairs share people\n")
    print(markdown_table(["network", *eer_header(args.seen)], rows))
    _print_bar(trials, args.seen)
    minutes = [(b - a) / 60 for a, b in ((start, made), (made, trained))]
    print("\nminutes: images and crops {:.1f}, finetuning {:.1f}".format(*minutes))


def _arguments() -> argparse.Namespace:
    parser = fakes_parser(__doc__, "demo/finetuned_fakes")
    parser.add_argument("--epochs", type=int, default=30, help="of each of the two trainings (default: %(default)s)")
    parser.set_defaults(train_fakes=4000)
    return parser.parse_args()


def _kept_crops(args: argparse.Namespace) -> KeptCrops:
    """Faces of the images of both parts, labelled with what they are and with their part."""
    folders, labels = {}, []
    for part in PARTS:
        folder = make_images(part, args)
        found = read_labels(folder / LABELS)
        folders[folder.name] = (folder, list(found.index))
        labels.append(found.assign(split=part.lower()).rename(index=lambda path, name=folder.name: f"{name}/{path}"))
    return pooled_crops(folders, pd.concat(labels), CONFIG, args.cache, resolve_jobs(args.jobs))


def _finetuned(kept: KeptCrops, args: argparse.Namespace) -> Path:
    """The folder of the network, trained unless it is there: once, and then again from what was learned."""
    run = args.cache / f"run-{args.seen}-{args.epochs}"
    begun = train(_options(args, kept), run)
    return train({**_options(args, kept), **AGAIN, "weights": begun}, run.with_name(f"{run.name}-again"))


def _options(args: argparse.Namespace, kept: KeptCrops) -> dict[str, object]:
    where = {"crops": kept.folder, "feature": kept.feature, "split": "given", "groups": "identity"}
    return {**where, **SETTINGS, "epochs": args.epochs}


def _trials(kept: KeptCrops, request: EmbedderRequest) -> Trials:
    """The comparisons of DevTest's images with a network's embeddings."""
    table = kept.embedded(request, kept.rows_of("test"))
    return fake_trials(table, labels_for(table, kept.labels), seed=len("Test"))


def _saved_again(kept: KeptCrops) -> KeptCrops:
    """The same with every crop of the test part compressed once more."""
    pixels = np.array(kept.crops.pixels)
    random, whole = np.random.default_rng(0), Subject()
    tested = set(kept.table.keys[kept.rows_of("test")])
    for row, key in enumerate(kept.crops.keys):
        if key in tested:
            pixels[row] = jpeg(pixels[row], random, whole, quality=QUALITY)
    return replace(kept, crops=replace(kept.crops, pixels=pixels))


def _print_bar(trials: Mapping[str, Trials], seen: str) -> None:
    before, after = (eers(trials[name]) for name in (FROZEN, FINETUNED))
    fall = 1 - after[seen].value / before[seen].value
    rise = after[REAL].value - before[REAL].value
    print(f"\neer_fake of {seen} falls by {fall:.0%}, eer_real rises by {rise:.4f}")


if __name__ == "__main__":
    main()
