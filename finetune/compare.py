"""The command ``python -m finetune.compare``: finished trainings side by side, how good, how large and how fast they are."""

from __future__ import annotations

import argparse
import math
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import torch

from faceheads.atomic import write_text
from faceheads.command import run_command
from faceheads.metrics.intervals import Estimate
from faceheads.report.document import Cell, Document, Measured, Note, Section, Table, Text
from faceheads.report.markdown import markdown

from .execution import find_device
from .finished_run import FinishedRun, read_run
from .throughput import Speed, measure_speeds

_LEAD = (
    "Figures of the validation part in the epoch that was kept. They chose it, and so look somewhat better than on faces that "
    "nobody has seen; train.py on the test part says how good the embeddings are."
)
_OTHER_ROWS = "These trainings were validated on different rows: their figures do not say which network is better."


def compare_parser() -> argparse.ArgumentParser:
    """The parser of ``python -m finetune.compare``."""
    parser = argparse.ArgumentParser(
        prog="python -m finetune.compare",
        description="Compare finished trainings: their figures, the size of their networks, and their speed on this machine.",
    )
    parser.add_argument("runs", nargs="+", type=Path, metavar="RUN", help="the --out of python -m finetune")
    parser.add_argument("--out", type=Path, metavar="FILE.md", help="write the table there too")
    parser.add_argument("--device", default="cpu", help="cpu or cuda (default: %(default)s)")
    parser.add_argument("--batch_size", type=int, default=32, help="crops of a batch (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=5, help="turns of each network (default: %(default)s)")
    return parser


def compare_main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code (0 done, 2 wrong use)."""
    args = compare_parser().parse_args(argv)
    return run_command("finetune.compare", lambda: _compare(args))


def _compare(args: argparse.Namespace) -> int:
    for name in ("batch_size", "rounds"):
        if getattr(args, name) < 1:
            raise ValueError(f"--{name} must be at least 1; got {getattr(args, name)}.")
    runs = [read_run(folder) for folder in args.runs]
    speeds = measure_speeds(runs, find_device(args.device), args.batch_size, args.rounds)
    page = markdown(comparison(runs, speeds, _measured_how(args)))
    print(page, end="")
    if args.out is not None:
        write_text(args.out, page)
    return 0


def comparison(runs: Sequence[FinishedRun], speeds: Sequence[Speed], measured_how: str) -> Document:
    """A table of trainings, one a row.

    Parameters
    ----------
    runs : sequence of FinishedRun
    speeds : sequence of Speed
        Of each.
    measured_how : str
        A sentence on the speeds.
    """
    names = list(dict.fromkeys(name for run in runs for name in run.figures))
    header = ("run", "network", "crops", *names, "parameters", "size", "crops/s", "times the first")
    rows = tuple(_row(run, speed, names) for run, speed in zip(runs, speeds, strict=True))
    has_same_rows = len({run.settings.get("data") for run in runs}) == 1
    notes = () if has_same_rows else (Note(_OTHER_ROWS),)
    how = "In brackets 95 % intervals that draw persons, and of ratios the range over the rounds."
    section = Section("Networks", (*notes, Table(header, rows), Text(f"{how} {measured_how}")))
    return Document("Comparison of trained networks", _LEAD, (section,))


def _row(run: FinishedRun, speed: Speed, names: Sequence[str]) -> tuple[Cell, ...]:
    height, width = run.size_hw
    figures = [figure_cell(name, run.figures[name]) if name in run.figures else "" for name in names]
    size = (f"{run.n_parameters / 1e6:.1f} M", f"{run.size_bytes / 1e6:.1f} MB")
    ratio = Measured(f"{speed.ratio:.2f}", f"{speed.lowest:.2f}, {speed.highest:.2f}")
    return (
        str(run.folder),
        run.spec.network,
        f"{height} x {width}",
        *figures,
        *size,
        f"{speed.crops_per_s:.0f}",
        ratio,
    )


def figure_cell(name: str, estimate: Estimate) -> Measured:
    """A figure of ``epochs.csv`` with its interval: accuracies and EERs in percent, errors of ages in years."""
    is_share = "accuracy" in name or name.startswith("eer") or name in ("gap", "mean_minus_gap")
    scale, form = (100, "{:.1f}") if is_share else (1, "{:.2f}")
    value, low, high = (form.format(scale * number) for number in (estimate.value, estimate.low, estimate.high))
    unit = " %" if is_share else ""
    return Measured(f"{value}{unit}", f"{low}, {high}" if math.isfinite(estimate.low) else "")


def _measured_how(args: argparse.Namespace) -> str:
    load = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    return (
        f"Speed on {args.device} ({torch.get_num_threads()} threads{load}, torch {torch.__version__}), batches of "
        f"{args.batch_size}, median of {args.rounds} rounds in which the networks took turns."
    )


if __name__ == "__main__":
    sys.exit(compare_main())
