"""A finetuning that is killed at random steps and resumed, against one that was not: the same bytes.

    python -m benchmarks.finetune_resume --data ../shared/data [--kills 3]
    python -m benchmarks.finetune_resume --feature feature.parquet --crops crops --backbone resnet18 --lr 0.01

Without ``--feature`` some photos of UTKFace are cut out first. One training runs to its end; then, in a folder of its own
for each kill, the same training is ended by ``kill -9`` behind a step drawn at random, and resumed with ``--resume``. What
is not an option here is handed to ``python -m finetune``.

The exit code is 1 if a log, the exported weights or a number in the last checkpoint differs, or a training was over before it
was killed.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import torch

from faceheads.networks.exported import WEIGHTS_NAME
from finetune.checkpoint import load_state
from finetune.history import EPOCHS, STEPS
from finetune.loop import CHECKPOINT
from finetune.session import EMBEDDER

from .arguments import benchmark_parser
from .photos import photos_in, spread
from .report import machine_line, markdown_table

REPOSITORY = Path(__file__).resolve().parents[1]
#: Small enough for minutes on a CPU; given options count more.
SETTINGS = {
    "--recipe": "age_gender",
    "--batch_size": "16",
    "--epochs": "3",
    "--validation_size": "0.2",
    "--checkpoint_every": "4",
    "--lr": "0.003",
}
_STEPS_DONE = re.compile(rb"(\d+)/(\d+) \[")


def main() -> int:
    """Print what each kill left and whether the end was the same; 0 if it was every time."""
    args, options = _arguments()
    print(f"{machine_line()}\n", flush=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        feature, crops = (args.feature, args.crops) if args.feature else _cut_out(args, folder)
        command = [sys.executable, "-m", "finetune", "--feature", feature, "--crops", crops]
        command += [*(word for setting in SETTINGS.items() for word in setting), *options]
        whole = Run(command, folder / "whole")
        whole.finish()
        steps = random.Random(args.seed).sample(range(1, whole.n_steps), min(args.kills, whole.n_steps - 1))
        kills = [_killed(command, folder / f"killed_{step}", whole, step) for step in steps]
    rows = [(i + 1, *kill) for i, kill in enumerate(kills)]
    parts = (STEPS, EPOCHS, "last checkpoint", "exported weights")
    print(markdown_table(("kill", f"behind step (of {whole.n_steps})", "resumed from step", *parts), rows))
    return 0 if all(verdict == "equal" for kill in kills for verdict in kill[2:]) else 1


def _arguments() -> tuple[argparse.Namespace, list[str]]:
    parser = benchmark_parser(__doc__)
    parser.add_argument("--feature", type=Path, help="table made with --save_crops (default: of photos of UTKFace)")
    parser.add_argument("--crops", type=Path, help="the crops of that table")
    parser.add_argument("--photos", type=int, default=240, help="of UTKFace (default: %(default)s)")
    parser.add_argument("--kills", type=int, default=3, help="(default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of the steps (default: %(default)s)")
    args, options = parser.parse_known_args()
    if (args.feature is None) != (args.crops is None):
        parser.error("--feature and --crops belong together")
    return args, options


def _cut_out(args: argparse.Namespace, folder: Path) -> tuple[Path, Path]:
    """Crops of some photos of UTKFace, whose names hold the labels, and their table."""
    (folder / "photos").mkdir()
    for photo in spread(photos_in(args.data / "utkface"), args.photos):
        (folder / "photos" / photo.name).symlink_to(photo.resolve())
    feature, crops = folder / "feature.parquet", folder / "crops"
    command = [sys.executable, "feature_extraction.py", "--data_dir", folder / "photos", "--dataset", "utkface"]
    command += ["--save_feature", feature, "--save_crops", crops]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    if not feature.is_file():
        raise SystemExit(f"feature_extraction.py failed:\n{done.stderr[-2000:]}")
    return feature, crops


@dataclass
class Run:
    """A training in a folder.

    Attributes
    ----------
    command : list
        Of ``python -m finetune``, without ``--out``.
    folder : Path
    n_steps : int
        Of the whole training, as the run said so far.
    """

    command: list
    folder: Path
    n_steps: int = field(default=0, init=False)

    def finish(self, *options: str) -> None:
        """Run to the end."""
        if self._run(options) != 0:
            raise SystemExit(f"python -m finetune failed; run it yourself: {self._line(options)}")

    def kill_behind(self, step: int) -> int:
        """Kill the training as soon as it says that it has done a step; returns the step that it said, 0 if it was over."""
        self._run((), step)
        return self._said

    def _run(self, options: tuple[str, ...], last_step: float = float("inf")) -> int:
        self._said = 0
        process = subprocess.Popen(
            [*map(str, self.command), "--out", str(self.folder), *options],
            cwd=REPOSITORY,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        said = b""
        while some := os.read(process.stderr.fileno(), 4096):
            said = said[-4096:] + some
            for done, n_steps in _STEPS_DONE.findall(said)[-1:]:
                self._said, self.n_steps = int(done), int(n_steps)
            if last_step <= self._said < self.n_steps:
                os.killpg(process.pid, signal.SIGKILL)
                break
        return process.wait()

    def _line(self, options: tuple[str, ...]) -> str:
        return " ".join([*map(str, self.command), "--out", str(self.folder), *options])


def _killed(command: list, folder: Path, whole: Run, step: int) -> tuple:
    """The step of the kill, that of the checkpoint, and what is equal in the end."""
    run = Run(command, folder)
    said = run.kill_behind(step)
    is_killed = not (folder / EMBEDDER).is_dir()
    resumed_from = load_state(folder / CHECKPOINT)["step"]
    if is_killed:
        run.finish("--resume")
    verdicts = [(folder / name).read_bytes() == (whole.folder / name).read_bytes() for name in (STEPS, EPOCHS)]
    verdicts.append(_is_equal(*(load_state(one / CHECKPOINT) for one in (folder, whole.folder))))
    weights = [(one / EMBEDDER / WEIGHTS_NAME).read_bytes() for one in (folder, whole.folder)]
    verdicts.append(weights[0] == weights[1])
    words = ["equal" if equal else "DIFFERENT" for equal in verdicts]
    return (said, resumed_from, *(words if is_killed else ["not killed"] * len(words)))


def _is_equal(one: object, other: object) -> bool:
    """Whether two states are the same to the last bit."""
    if isinstance(one, torch.Tensor):
        return one.dtype == other.dtype and torch.equal(one, other)
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(_is_equal(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(_is_equal, one, other))
    return one == other


if __name__ == "__main__":
    sys.exit(main())
