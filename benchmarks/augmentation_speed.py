"""How many crops a second are loaded and augmented, and how many a network then trains on: does the loader hold it up?

Crops are random pixels: no augmentation's time depends on what is in them. Settings are measured in turns, a few batches
each, so a busy machine slows all of them alike; the table has medians over the rounds. ``share of a step`` is the time a
batch is waited for when nothing is loaded ahead, as a share of a training step of dlib's network; the real loader works
ahead of the network, so the wait is smaller still.

    python -m benchmarks.augmentation_speed [--size_px 150] [--batch_size 64] [--rounds 7] [--device cpu]
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from statistics import median

import numpy as np
import torch
from torch import Tensor

from faceheads.pool import set_passive_wait
from finetune.augment import Augmentation
from finetune.backbones import build_backbone
from finetune.blended_pixels import BlendedPixels
from finetune.crop_face import face_in_crop
from finetune.distorting import Distorter
from finetune.distortions import Subject
from finetune.loader import BatchLoader
from finetune.mean_face import mean_face_points

from .report import machine_line, markdown_table

NONE = Augmentation(flip=0, shift=0, zoom=0, colour=0)
SETTINGS = {
    "nothing": NONE,
    "default": Augmentation(),
    "default and gray, blur, erase 0.3 each": Augmentation(gray=0.3, blur=0.3, erase=0.3),
    "default and cutout 0.5": Augmentation(cutout=0.5),
    "default and distort 0.3": Augmentation(distort=0.3),
    "default and distort 1": Augmentation(distort=1.0),
}
N_CROPS, N_BATCHES = 2000, 4


def main() -> None:
    """Measure and print."""
    args = _arguments()
    set_passive_wait()
    device = torch.device(args.device)
    random = np.random.default_rng(0)
    pixels = random.integers(0, 256, (N_CROPS, args.size_px, args.size_px, 3), np.uint8)
    rows = random.integers(0, N_CROPS, (N_BATCHES, args.batch_size))
    runs = {name: _run(pixels, rows, augmentation, device) for name, augmentation in SETTINGS.items()}
    blended = BlendedPixels(pixels, mean_face_points(_face(args.size_px)), 0)
    third = np.where(np.arange(args.batch_size) % 3 == 0, N_CROPS, 0)
    runs["default and self_blend 1"] = _run(blended, rows + third, Augmentation(), device)
    step = _training_step(torch.from_numpy(pixels[: args.batch_size]).permute(0, 3, 1, 2), device)
    seconds: dict[str, list[float]] = {name: [] for name in (*runs, "step")}
    for _ in range(args.rounds):
        for name, run in runs.items():
            seconds[name].append(_time(run, device) / N_BATCHES)
        seconds["step"].append(_time(step, device))
    _report(args, {name: median(values) for name, values in seconds.items()})


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--size_px", type=int, default=150)
    parser.add_argument("--batch_size", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--device", default="cpu")
    return parser.parse_args()


def _run(
    pixels: np.ndarray | BlendedPixels, rows: np.ndarray, augmentation: Augmentation, device: torch.device
) -> Callable[[], object]:
    """Loads and augments all batches once, as a training does."""
    face = _face(pixels.shape[1])
    loader = BatchLoader(pixels, device, Distorter(augmentation, face, 0) if augmentation.distort else None)
    generator = torch.Generator()

    def batches() -> Iterator[Tensor]:
        for crops in loader.changed_batches((some, step) for step, some in enumerate(rows)):
            yield augmentation(crops, generator, face)

    return lambda: [batch.shape for batch in batches()]


def _face(size_px: int) -> Subject:
    return face_in_crop({"kind": "dlib_chip", "size": size_px, "padding": 0.25}, size_px)


def _training_step(crops: Tensor, device: torch.device) -> Callable[[], object]:
    network = build_backbone("dlib").to(device).train()
    crops = crops.to(device)

    def step() -> None:
        network(crops, ("final",)).square().sum().backward()
        network.zero_grad(set_to_none=True)

    return step


def _time(work: Callable[[], object], device: torch.device) -> float:
    start = time.perf_counter()
    work()
    if device.type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - start


def _report(args: argparse.Namespace, seconds: dict[str, float]) -> None:
    print(f"{machine_line()}, torch {torch.__version__}, {torch.get_num_threads()} threads, device {args.device}\n")
    step = seconds.pop("step")
    print(
        markdown_table(
            ("augmentation", "crops/s", "share of a step"),
            [(name, f"{args.batch_size / s:,.0f}", f"{s / step:.1%}") for name, s in seconds.items()],
        )
    )
    print(f"\nA step of dlib's network on {args.batch_size} crops of {args.size_px} px: {step:.2f} s.")


if __name__ == "__main__":
    main()
