"""Does a head that tells fakes from photos still tell them once the files were saved again, and does it learn to?

Takes the images of ``python -m finetune.fakes``, and a head that ``train.py`` made on their ``spectrum`` with the split that lies
beside it. Images of people that the head has not seen are compressed again or made smaller and back. The last column is a
new head of the same kind, trained on copies that were made so too.

    python -m benchmarks.resaved_fakes --fakes FAKES --head bona_fide.skops [--images 400]
"""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image
from sklearn.base import clone
from sklearn.metrics import roc_auc_score

from faceheads.labels import read_labels
from faceheads.networks.spectrum import spectrum
from faceheads.splits import TEST, TRAIN, load_split
from faceheads.store import load_heads
from faceheads.verification.bona_fide_head import TARGET, BonaFideHead
from finetune.image_job import LABELS

from .arguments import benchmark_parser
from .report import machine_line, markdown_table

#: Images that a spectrum is taken of at once.
_BATCH = 100


def main() -> None:
    """Print a table with a row for each way to save again."""
    parser = benchmark_parser(__doc__)
    parser.add_argument("--fakes", type=Path, required=True, help="folder of images with labels.csv")
    parser.add_argument("--head", type=Path, required=True, help="NAME.skops, with NAME.split.csv beside it")
    parser.add_argument(
        "--images", type=int, default=400, help="to learn from, and to report on (default: %(default)s)"
    )
    args = parser.parse_args()
    print(f"{machine_line()}\n")
    head = BonaFideHead.of(load_heads(args.head)).file.heads[0].estimator
    parts = _parts(args)
    header = ["saved again", "photos called fake", "fakes called fake", "AUC", "AUC, trained on such copies"]
    print(markdown_table(header, [_row(name, save, head, parts, args.fakes) for name, save in _WAYS.items()]))


def _parts(args) -> dict[str, pd.Series]:
    """Whether images are fakes, by path, of people that taught the head and of others."""
    is_fake = read_labels(args.fakes / LABELS)[TARGET] == 1
    split = load_split(args.head.with_suffix(".split.csv")).set_index("path")["part"]
    chosen = {part: is_fake[is_fake.index.isin(split.index[split == part])] for part in (TRAIN, TEST)}
    return {part: values.sample(min(args.images, len(values)), random_state=0) for part, values in chosen.items()}


def _row(
    name: str, save: Callable[[Image.Image], Image.Image], head, parts: dict[str, pd.Series], folder: Path
) -> list[str]:
    X = {part: _spectra([folder / path for path in values.index], save) for part, values in parts.items()}
    is_fake = parts[TEST].to_numpy()
    p = head.predict_proba(X[TEST])[:, 1]
    again = clone(head).fit(X[TRAIN], parts[TRAIN].to_numpy().astype(int)).predict_proba(X[TEST])[:, 1]
    shares = [f"{(p[kind] >= 0.5).mean():.0%}" for kind in (~is_fake, is_fake)]
    return [name, *shares, *(f"{roc_auc_score(is_fake, values):.3f}" for values in (p, again))]


def _spectra(paths: list[Path], save: Callable[[Image.Image], Image.Image]) -> np.ndarray:
    return np.concatenate(
        [
            spectrum(np.stack([np.asarray(save(Image.open(path).convert("RGB"))) for path in paths[i : i + _BATCH]]))
            for i in range(0, len(paths), _BATCH)
        ]
    )


def _compressed(image: Image.Image, quality: int) -> Image.Image:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality)
    return Image.open(buffer).convert("RGB")


def _smaller(image: Image.Image, side_px: int) -> Image.Image:
    return image.resize((side_px, side_px), Image.Resampling.BICUBIC).resize(image.size, Image.Resampling.BICUBIC)


_WAYS = {
    "not at all": lambda image: image,
    "JPEG of quality 90": lambda image: _compressed(image, 90),
    "JPEG of quality 75": lambda image: _compressed(image, 75),
    "160 pixels and back": lambda image: _smaller(image, 160),
    "100 pixels and back": lambda image: _smaller(image, 100),
}

if __name__ == "__main__":
    main()
