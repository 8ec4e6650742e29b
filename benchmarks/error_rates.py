"""EER, DET points and AUC against scikit-learn and pyeer on random score sets with ties.

pyeer is compared when ``--pyeer`` names the Python of an environment that has it (pip install pyeer==0.5.6).

    python -m benchmarks.error_rates [--pyeer /path/to/python]
"""

from __future__ import annotations

import argparse
import json
import subprocess

import numpy as np
from sklearn.metrics import det_curve, roc_auc_score, roc_curve

from faceheads.verification.error_rates import ErrorCurve

from .report import machine_line, markdown_table

#: Runs in the other environment. pyeer's curve stops at the highest similarity, which leaves the last step out of its area
#: when a non-mated score is highest: the step is added.
_PYEER = """
import json, sys, warnings
warnings.simplefilter("ignore")
from pyeer.eer_info import get_eer_stats
out = []
for mated, others in json.load(sys.stdin):
    s = get_eer_stats(mated, others)
    last = s.fmr[-1] * (1 - s.fnmr[-1]) / 2
    out.append([list(s.thrs), list(s.fmr), list(s.fnmr), s.eer, s.auc + last])
json.dump(out, sys.stdout)
"""


def main() -> None:
    """Print the largest difference of each number over all score sets."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--n_sets", type=int, default=200)
    parser.add_argument("--pyeer", metavar="PYTHON", help="Python of an environment with pyeer")
    args = parser.parse_args()
    sets = list(_random_sets(args.n_sets))
    n_with_ties = sum(len(np.unique(scores)) < len(scores) for scores, _ in sets)
    print(f"{machine_line()}\n\n{len(sets)} score sets, {n_with_ties} with ties; largest absolute difference:\n")
    rows = _against_sklearn(sets)
    if args.pyeer is not None:
        rows += _against_pyeer(sets, args.pyeer)
    print(markdown_table(["against", "number", "difference"], rows))


def _random_sets(n_sets: int):
    rng = np.random.default_rng(20)
    for _ in range(n_sets):
        n_mated, n_non_mated = rng.integers(2, 1000, 2)
        scores = np.concatenate([rng.normal(rng.uniform(0, 3), 1, n_mated), rng.normal(0, 1, n_non_mated)])
        yield np.round(scores, int(rng.integers(0, 4))), np.arange(n_mated + n_non_mated) < n_mated


def _against_sklearn(sets: list) -> list[list[str]]:
    differences = {"DET points": 0.0, "AUC": 0.0, "EER, mean at the nearest": 0.0, "EER, FNMR at the nearest": 0.0}
    for scores, is_mated in sets:
        curve = ErrorCurve.from_similarities(scores, is_mated)
        fpr, fnr, thresholds = det_curve(is_mated, scores)
        ours = [curve.rates_at(t) for t in thresholds]
        auc = roc_auc_score(is_mated, scores)
        fpr_all, tpr, _ = roc_curve(is_mated, scores, drop_intermediate=False)
        i = np.argmin(np.round(np.abs(1 - tpr - fpr_all), 12))
        eer = curve.eer()
        found = (
            np.abs(np.array(ours) - np.stack([fpr, fnr], axis=1)).max(),
            abs(curve.auc - auc),
            abs(eer.mean_at_nearest - (fpr_all[i] + 1 - tpr[i]) / 2),
            abs(eer.fnmr_at_nearest - (1 - tpr[i])),
        )
        differences = {name: max(old, float(new)) for (name, old), new in zip(differences.items(), found)}
    return [["scikit-learn", name, f"{value:.1e}"] for name, value in differences.items()]


def _against_pyeer(sets: list, python: str) -> list[list[str]]:
    request = json.dumps([[list(scores[mated]), list(scores[~mated])] for scores, mated in sets])
    run = subprocess.run([python, "-c", _PYEER], input=request, capture_output=True, text=True, check=True)
    differences = np.zeros(3)
    for (scores, is_mated), (thresholds, fmr, fnmr, eer, auc) in zip(sets, json.loads(run.stdout), strict=True):
        curve = ErrorCurve.from_similarities(scores, is_mated)
        ours = np.array([curve.rates_at(t) for t in thresholds])
        points = np.abs(ours - np.stack([fmr, fnmr], axis=1)).max()
        found = (points, abs(curve.auc - auc), abs(curve.eer().fvc2000 - eer))
        differences = np.maximum(differences, found)
    names = ("DET points", "AUC (pyeer's last step added)", "EER as in FVC2000")
    return [["pyeer 0.5.6", name, f"{value:.1e}"] for name, value in zip(names, differences)]


if __name__ == "__main__":
    main()
