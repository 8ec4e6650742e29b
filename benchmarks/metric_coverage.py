"""How often the 95 % intervals of a head's metrics hold the truth when photos share persons.

Persons are simulated, each with photos of an own number; the scores of a person's photos have an effect of the person in
common. The true value of a metric is that of scikit-learn on a very large population. The last column draws single rows
instead of persons, as a bootstrap that does not know of persons would, in a quarter of the trials.

    python -m benchmarks.metric_coverage [--trials 1000] [--people 300] [--jobs 2]

The exit code is 1 if an interval of the first table holds the truth in less than 93 % or more than 97 % of the trials. The
second table is of the calibration error, which a finite set makes too high, and its interval with it.
"""

from __future__ import annotations

import argparse
import os
import sys
from dataclasses import dataclass

import joblib
import numpy as np
import pandas as pd
import sklearn.metrics as reference

from faceheads.metrics import Estimate, GroupBootstrap, classification_metrics, regression_metrics
from faceheads.metrics.cohorts import measure_cohorts

from .report import machine_line, markdown_table

N_PEOPLE_OF_TRUTH = 200_000
LEAST, MOST = 0.93, 0.97
N_RESAMPLES = 500
#: Spread of the effect that all photos of a person share, beside a spread of 1 among the photos.
PERSON = 0.8
#: Distance of the classes' mean scores in each cohort.
DISTANCE = {"near": 2.0, "far": 2.8}
YEARS = 4.0
#: Numbers that a finite set makes too high.
BIASED = ("ece",)


@dataclass(frozen=True, eq=False)
class Photos:
    """Photos with everything that is measured: arrays of shape (n_photos,), ``probabilities`` (n_photos, 2)."""

    person: np.ndarray
    cohort: np.ndarray
    coin: np.ndarray
    y: np.ndarray
    probabilities: np.ndarray
    age: np.ndarray
    guessed_age: np.ndarray

    @classmethod
    def draw(cls, n_people: int, rng: np.random.Generator) -> Photos:
        """Photos of new persons, one to nine each."""
        person = np.repeat(np.arange(n_people), rng.integers(1, 10, n_people))
        cohort, coin = (rng.choice(values, n_people)[person] for values in (list(DISTANCE), ["heads", "tails"]))
        y = (rng.random(n_people) < 0.4).astype(int)[person]
        distance = pd.Series(DISTANCE)[cohort].to_numpy()
        score = distance * (y - 0.5) + rng.normal(0, PERSON, n_people)[person] + rng.normal(0, 1, len(person))
        p = 1 / (1 + np.exp(-2 * score))  # surer than is right
        age = rng.uniform(10, 80, n_people)[person]
        guessed = age + rng.normal(0, YEARS * PERSON, n_people)[person] + rng.normal(0, YEARS, len(person))
        return cls(person, cohort, coin, y, np.stack([1 - p, p], axis=1), age, guessed)

    @property
    def decided(self) -> np.ndarray:
        """Position of the more probable class."""
        return self.probabilities.argmax(axis=1)


def main() -> int:
    """Print the two tables; 0 if every interval of the first holds the truth about as often as it says."""
    args = _arguments()
    truth = _truth(Photos.draw(N_PEOPLE_OF_TRUTH, np.random.default_rng(args.seed)))
    seeds = range(args.seed + 1, args.seed + 1 + args.trials)
    by_person = _coverage(args, truth, seeds, is_by_person=True)
    by_row = _coverage(args, truth, seeds[: args.trials // 4], is_by_person=False)
    print(f"{machine_line()}\n\n{args.trials} trials of {args.people} persons, {N_RESAMPLES} draws each\n")
    for is_biased in (False, True):
        names = [name for name in truth if (name in BIASED) == is_biased]
        rows = [[n, f"{truth[n]:.4f}", f"{by_person[n]:.1%}", f"{by_row[n]:.1%}"] for n in names]
        print(
            markdown_table(["metric", "truth", "95 % intervals that hold it", "rows drawn instead of persons"], rows)
        )
        print()
    outside = [n for n in truth if n not in BIASED and not LEAST <= by_person[n] <= MOST]
    print(f"outside {LEAST:.0%} to {MOST:.0%}: {', '.join(outside) if outside else 'none'}")
    return 1 if outside else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=1000)
    parser.add_argument("--people", type=int, default=300)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


# ------------------------------------------------------------------------------------------------- truth


def _truth(photos: Photos) -> dict[str, float]:
    """What scikit-learn's functions say of a very large population."""
    y, decided, p = photos.y, photos.decided, photos.probabilities[:, 1]
    error = np.abs(photos.guessed_age - photos.age)
    accuracy = {name: (y == decided)[photos.cohort == name].mean() for name in DISTANCE}
    near, far = accuracy["near"], accuracy["far"]
    mae = [error[photos.cohort == name].mean() for name in DISTANCE]
    return {
        "accuracy": reference.accuracy_score(y, decided),
        "balanced_accuracy": reference.balanced_accuracy_score(y, decided),
        "macro_f1": reference.f1_score(y, decided, average="macro"),
        "precision": reference.precision_score(y, decided),
        "recall": reference.recall_score(y, decided),
        "roc_auc": reference.roc_auc_score(y, p),
        "pr_auc": reference.average_precision_score(y, p),
        "brier": reference.brier_score_loss(y, p),
        "ece": _calibration_error(y == decided, photos.probabilities.max(axis=1)),
        "mae": reference.mean_absolute_error(photos.age, photos.guessed_age),
        "rmse": reference.root_mean_squared_error(photos.age, photos.guessed_age),
        "within_5": (error <= 5).mean(),
        "within_10": (error <= 10).mean(),
        "accuracy, far": far,
        "accuracy, near − far": near - far,
        "mean − gap of accuracy": (near + far) / 2 - abs(near - far),
        "gap of accuracy": abs(near - far),
        "mean absolute error, near − far": mae[0] - mae[1],
        "gap of accuracy, equal cohorts": 0.0,
        "mean − gap of accuracy, equal cohorts": (y == decided).mean(),
    }


def _calibration_error(is_right: np.ndarray, confidence: np.ndarray) -> float:
    frame = pd.DataFrame({"bin": np.ceil(confidence * 15), "right": is_right, "confidence": confidence})
    means, shares = frame.groupby("bin").mean(), frame["bin"].value_counts(normalize=True)
    return float(((means["right"] - means["confidence"]).abs() * shares).sum())


# ------------------------------------------------------------------------------------------------- trials


def _coverage(args: argparse.Namespace, truth: dict[str, float], seeds: range, is_by_person: bool) -> pd.Series:
    """Metric → share of the samples whose interval holds the truth."""
    jobs = joblib.Parallel(n_jobs=args.jobs, batch_size=25)
    return pd.DataFrame(
        jobs(joblib.delayed(_covered)(args.people, truth, seed, is_by_person) for seed in seeds)
    ).mean()


def _covered(n_people: int, truth: dict[str, float], seed: int, is_by_person: bool) -> dict[str, bool]:
    photos = Photos.draw(n_people, np.random.default_rng(seed))
    groups = photos.person if is_by_person else np.arange(len(photos.person))
    estimates = _estimates(photos, GroupBootstrap(groups, N_RESAMPLES, seed))
    return {name: e.low <= truth[name] <= e.high for name, e in estimates.items()}


def _estimates(photos: Photos, draws: GroupBootstrap) -> dict[str, Estimate]:
    metrics = classification_metrics(photos.y, photos.decided, photos.probabilities, draws)
    metrics |= regression_metrics(photos.age, photos.guessed_age, draws)
    return {name: metric.estimate() for name, metric in metrics.items()} | _of_cohorts(photos, draws)


def _of_cohorts(photos: Photos, draws: GroupBootstrap) -> dict[str, Estimate]:
    right, error = photos.y == photos.decided, np.abs(photos.guessed_age - photos.age)

    def measure(rows: np.ndarray, part: GroupBootstrap) -> dict:
        return {"accuracy": part.of_mean(right[rows], is_proportion=True), "mae": part.of_mean(error[rows])}

    by_cohort = measure_cohorts("cohort", pd.Categorical(photos.cohort, list(DISTANCE)), draws, measure)
    by_coin = measure_cohorts("coin", pd.Categorical(photos.coin), draws, measure)
    difference = by_cohort.differences[0].metrics
    return {
        "accuracy, far": by_cohort.cohorts[1].metrics["accuracy"],
        "accuracy, near − far": difference["accuracy"],
        "mean − gap of accuracy": by_cohort.combined["accuracy"],
        "gap of accuracy": by_cohort.gaps["accuracy"],
        "mean absolute error, near − far": difference["mae"],
        "gap of accuracy, equal cohorts": by_coin.gaps["accuracy"],
        "mean − gap of accuracy, equal cohorts": by_coin.combined["accuracy"],
    }


if __name__ == "__main__":
    sys.exit(main())
