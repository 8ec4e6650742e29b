"""Make what ships in ``faceheads/data``: the sample table, the default heads, and their card.

    python feature_extraction.py --data_dir ../shared/data/utkface --save_feature utkface.parquet \\
        --layers attributes --flip --no_face whole
    python -m benchmarks.shipped_data --feature utkface.parquet

Everything is learned from UTKFace's training part (``--split content``); the card reports the test part. The sample is
drawn from the training part: no file names, no hashes, no boxes, numbers rounded to float16.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from faceheads.atomic import write_text
from faceheads.labels import default_label_path, labels_for, read_labels, write_labels
from faceheads.metrics.intervals import wilson_interval
from faceheads.splits import NEITHER, split_by_content
from faceheads.store import load_heads
from faceheads.table import FaceTable
from faceheads.table_io import read_table, write_table

from .report import markdown_table

DATA = Path("faceheads/data")
CARD = Path("docs/default_heads.md")
TARGETS = ("gender", "age", "race")
N_SAMPLE = 3000
#: Cohorts with fewer test faces are left out of the card.
MIN_COHORT = 50
DECADES = [0, 10, 20, 30, 40, 50, 60, 70, 80, 200]


def main() -> None:
    """Write the three files."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--feature", type=Path, required=True)
    args = parser.parse_args()
    table = read_table(args.feature)
    labels = labels_for(table, read_labels(default_label_path(args.feature)), allow_missing=True)
    part = split_by_content(list(table.sha256), labels[list(TARGETS)])
    is_known = labels["age"].notna().to_numpy()
    _write_sample(table, labels, np.flatnonzero((part == "train") & is_known & (table.status == "ok")))
    _train_heads(args.feature)
    test = (part == "test") & is_known & table.has_embedding
    n_conflicts = int((part == NEITHER).sum())
    figures = _card_figures(table[test], labels[test])
    write_text(CARD, CARD_TEXT.format(n_images=table.n_images, n_conflicts=n_conflicts, **figures))


def _write_sample(table: FaceTable, labels: pd.DataFrame, rows: np.ndarray) -> None:
    chosen = np.random.default_rng(0).permutation(rows)[:N_SAMPLE]
    names = np.array([f"sample/{i:04d}.jpg" for i in range(len(chosen))], dtype=object)
    part = table[chosen]
    sample = replace(
        part,
        path=names,
        sha256=np.full(len(chosen), "", object),
        box_xyxy=np.full_like(part.box_xyxy, np.nan),
        landmarks_xy=np.full_like(part.landmarks_xy, np.nan),
        embedding=part.embedding.astype(np.float16).astype(np.float32),
    )
    write_table(DATA / "sample.parquet", sample)
    write_labels(DATA / "sample_labels.csv", labels.iloc[chosen][list(TARGETS)].set_axis(pd.Index(names)))


def _train_heads(feature: Path) -> None:
    targets = [part for target in TARGETS for part in ("--target", target)]
    heads = ["--head", "mlp", "--head", "age=distribution"]
    command = [sys.executable, "train.py", "--feature", feature, *targets, *heads, "--split", "content"]
    subprocess.run([*command, "--save_model", DATA / "default_heads.skops"], check=True)
    (DATA / "default_heads.split.csv").unlink()


def _card_figures(table: FaceTable, labels: pd.DataFrame) -> dict[str, str]:
    """The table by cohort, and the layers that the heads look at."""
    heads = load_heads(DATA / "default_heads.skops")
    guesses = {p.target: p.value for p in heads.predict(table.embedding, table.spec)}
    decade = pd.cut(labels["age"].astype(float), DECADES, right=False).astype(str).to_numpy()
    cohorts = {"all": np.full(len(table), "all")}
    cohorts |= {name: labels[name].astype(str).to_numpy() for name in ("gender", "race")}
    cohorts |= {"age": decade, "found by the detector": np.where(table.status == "ok", "yes", "no, taken whole")}
    rows = [
        [column, value, *_figures(labels[is_in], {t: g[is_in] for t, g in guesses.items()})]
        for column, values in cohorts.items()
        for value in sorted(set(values))
        if (is_in := values == value).sum() >= MIN_COHORT
    ]
    header = ["cohort", "", "faces", "gender right", "race as annotated right", "age off by (mean, years)"]
    return {"table": markdown_table(header, rows), "layers": ", ".join(heads.table_spec.embedder.layers)}


def _figures(labels: pd.DataFrame, guesses: dict[str, np.ndarray]) -> list[str]:
    n = len(labels)
    cells = [str(n)]
    for target in ("gender", "race"):
        share = float((labels[target].to_numpy() == guesses[target]).mean())
        low, high = wilson_interval(share, n)
        cells.append(f"{share:.1%} [{low:.1%}, {high:.1%}]")
    error = np.abs(labels["age"].to_numpy(float) - guesses["age"].astype(float))
    half = 1.96 * error.std(ddof=1) / np.sqrt(n)
    return [*cells, f"{error.mean():.1f} [{error.mean() - half:.1f}, {error.mean() + half:.1f}]"]


CARD_TEXT = """# The heads that ship: gender, age, race as annotated

`pred.py` uses them when no `--model` is given. Made by `python -m benchmarks.shipped_data`.

- **What they are.** For gender and race four averaged multilayer perceptrons (128, 128), for the age a distribution over 40 bins
  of ages (`--head distribution`), on pooled stages ({layers}) of dlib's
  embedding network, averaged over the mirror image; faces found by HOG with one upsampling.
- **What they learned from.** The training part of UTKFace as it lies in `shared/data` ({n_images:,} aligned crops; {n_conflicts} copies of
  equal images with conflicting labels left out). UTKFace's terms are **non-commercial research**, and the heads inherit
  them; the code's licence (MIT) does not cover them. See MODEL_LICENSES.md.
- **What they say.** What UTKFace's annotators would have said. Gender has two classes there, race five; age is an
  estimate of looks by an algorithm that annotators corrected. None of this is what a person is.
- **Where they fail.** Small children's gender; faces over 70; faces turned away; races that UTKFace has few pictures of
  ("Others" above all). Photos unlike UTKFace's portraits do worse than this table.
- **What they are not for.** Decisions about people. Inferring race from faces is banned or restricted for many uses (EU
  AI Act, Article 5). `--attributes` chooses what is predicted at all.

## On UTKFace's test part

Images whose sha256 is 0 mod 5, never trained on. 95 % intervals (rows drawn independently: persons are not known). Cohorts of
fewer than 50 faces are not shown.

{table}
"""

if __name__ == "__main__":
    main()
