"""Training on a GPU: images a second, the share of the time that it waits for data, and whether it computes what a CPU does.

    python -m benchmarks.finetune_gpu
    python -m benchmarks.finetune_gpu --device cpu --crops 96 --size 48 --batch_size 16 --steps 2 --no_compile

ResNet-18 learns a label of two classes from random crops in a memory-mapped file, with the recipe's augmentation, in
bfloat16 and through ``torch.compile``. The second command is a dry check for machines without a GPU; its figures mean nothing.
Needs Python, torch, timm, numpy, pandas, Pillow and safetensors only.

*Waiting* is how much longer a step takes with crops from the file than with crops that lie on the GPU. *Equal* are CPU and
GPU in float32 (no TF32) if none of the numbers differs by more than its tolerance: augmented pixels by ``PIXEL_TOLERANCE``
of their 255 levels; embeddings, the loss and the gradient by their ``TOLERANCE``, relative to the largest number.

The exit code is 1 if there are fewer than ``IMAGES_PER_S``, more waiting than ``WAITING``, or unequal numbers; on a CPU only
the last counts.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import cycle, islice
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from faceheads.networks.precision import full_float32
from finetune.augment import Augmentation
from finetune.backbones import build_backbone
from finetune.examples import Examples
from finetune.execution import Execution, find_device
from finetune.loop import Trainer
from finetune.model import Model
from finetune.recipes import Recipe
from finetune.rehearsal import peak_bytes
from finetune.samplers import shuffled_batches
from finetune.stepper import Batch
from finetune.tasks import ClassTask

from .report import machine_line, markdown_table

#: What issue 6 asks of a GPU.
IMAGES_PER_S, WAITING = 8_000, 0.05
#: Largest differences of a CPU and a GPU: of pixels in levels, and of what a network makes of them, as shares of the largest number.
PIXEL_TOLERANCE, TOLERANCE = 0.05, {"embeddings": 1e-4, "loss": 1e-4, "gradient": 1e-3}
#: Steps that are not measured: compiling, first allocations.
N_WARM_UP = 10
#: Turns of each source of crops.
N_TURNS = 3
N_COMPARED = 32


def main() -> int:
    """Print the table; 0 if all is as asked for."""
    args = _arguments()
    device = _device(args.device)
    print(f"{machine_line()}\n{_device_line(device)}\n", flush=True)
    with tempfile.TemporaryDirectory() as name:
        pixels = _random_crops(Path(name) / "crops.npy", args.crops, args.size)
        trainer = _trainer(pixels, args, device, Path(name))
        from_file, resident = _seconds_a_step(trainer, args.steps)
    waiting = max(0.0, 1 - resident / from_file)
    differences = _differences(args.size, device)
    rows = [
        ("images/s, crops from the file", f"{args.batch_size / from_file:,.0f}", f"≥ {IMAGES_PER_S:,}"),
        ("images/s, crops on the device", f"{args.batch_size / resident:,.0f}", ""),
        ("share of the time waiting for crops", f"{waiting:.1%}", f"< {WAITING:.0%}"),
        ("memory", f"{peak_bytes(device) / 2**30:.1f} GiB", ""),
        *((f"CPU and {device.type}: {name}", f"{found:.1e}", f"≤ {most:g}") for name, found, most in differences),
    ]
    print(markdown_table(("", "measured", "asked for"), rows))
    is_equal = all(found <= most for _, found, most in differences)
    is_fast = device.type != "cuda" or (args.batch_size / from_file >= IMAGES_PER_S and waiting < WAITING)
    return 0 if is_equal and is_fast else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda", help="cuda, or cpu for a dry check (default: %(default)s)")
    parser.add_argument("--crops", type=int, default=16_384, help="in the file (default: %(default)s)")
    parser.add_argument("--size", type=int, default=128, help="of a crop in pixels (default: %(default)s)")
    parser.add_argument("--batch_size", type=int, default=512, help="(default: %(default)s)")
    parser.add_argument("--steps", type=int, default=200, help="that are measured (default: %(default)s)")
    parser.add_argument("--no_compile", action="store_true", help="without torch.compile")
    args = parser.parse_args()
    if args.crops < 2 * args.batch_size:
        parser.error(f"--crops must be two batches at least; got {args.crops}")
    return args


def _device(name: str) -> torch.device:
    try:
        return find_device(name)
    except ValueError as error:
        raise SystemExit(f"{error} That is a dry check only: see python -m benchmarks.finetune_gpu --help.") from error


def _device_line(device: torch.device) -> str:
    if device.type != "cuda":
        return "no GPU: a dry check"
    return f"{torch.cuda.get_device_name(device)}, CUDA {torch.version.cuda}, torch {torch.__version__}"


def _random_crops(path: Path, n_crops: int, size_px: int) -> np.ndarray:
    """Crops of noise in a file, memory-mapped as real ones are; uint8 of shape (n_crops, size_px, size_px, 3)."""
    pixels = np.lib.format.open_memmap(path, "w+", np.uint8, (n_crops, size_px, size_px, 3))
    random = np.random.default_rng(0)
    for crop in pixels:
        crop[:] = random.integers(0, 256, crop.shape, np.uint8)
    pixels.flush()
    return np.load(path, mmap_mode="r")


def _trainer(pixels: np.ndarray, args: argparse.Namespace, device: torch.device, folder: Path) -> Trainer:
    precision = "bf16" if device.type == "cuda" else "float32"
    recipe = Recipe("gender", "resnet18", batch_size=args.batch_size, epochs=1_000_000, precision=precision)
    rows = np.arange(len(pixels))
    examples = Examples(
        pixels, rows, rows[: args.batch_size], lambda epoch: shuffled_batches(len(rows), args.batch_size, 0, epoch)
    )
    execution = Execution(device, is_compiled=not args.no_compile)
    return Trainer(_model(len(rows)), examples, recipe, folder, execution)


def _model(n_rows: int) -> Model:
    torch.manual_seed(0)
    network = build_backbone("resnet18", "scratch")
    return Model(
        network, ("final",), ClassTask("gender", torch.arange(n_rows) % 2, 2, network.layer_dimension("final"))
    )


def _loaded_again(trainer: Trainer) -> Iterator[list[Batch]]:
    """The batches of one epoch after the other, from the file."""
    while True:
        yield from trainer.batches(trainer.progress.step // trainer.steps_per_epoch)


def _seconds_a_step(trainer: Trainer, n_steps: int) -> tuple[float, float]:
    """Seconds of a step with crops from the file, and with crops on the device; medians of turns."""
    sources = (_loaded_again(trainer), cycle([next(trainer.batches(0))]))
    seconds = [[_seconds(trainer, batches, n_steps) for batches in sources] for _ in range(N_TURNS)]
    from_file, resident = np.median(seconds, axis=0)
    return float(from_file), float(resident)


def _seconds(trainer: Trainer, batches: Iterator[list[Batch]], n_steps: int) -> float:
    for some in islice(batches, min(n_steps, N_WARM_UP)):
        trainer.train_step(some)
    _wait_for(trainer.execution.device)
    started = time.perf_counter()
    for some in islice(batches, n_steps):
        trainer.train_step(some)
    _wait_for(trainer.execution.device)
    return (time.perf_counter() - started) / n_steps


def _wait_for(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def _differences(size_px: int, device: torch.device) -> list[tuple[str, float, float]]:
    """What is compared, the largest difference between the CPU and the device, and the largest that is allowed."""
    random = np.random.default_rng(1)
    crops = torch.from_numpy(random.integers(0, 256, (N_COMPARED, 3, size_px, size_px), np.uint8))
    cpu = torch.device("cpu")
    pixels = [_augmented(crops.to(place)) for place in (cpu, device)]
    found = [("augmented pixels", (pixels[0] - pixels[1]).abs().max().item(), PIXEL_TOLERANCE)]
    with full_float32(device):
        on_cpu, on_device = (_computed(crops, place) for place in (cpu, device))
    for name, most in TOLERANCE.items():
        difference = (on_cpu[name] - on_device[name]).abs().max() / on_cpu[name].abs().max()
        found.append((name, difference.item(), most))
    return found


def _augmented(crops: Tensor) -> Tensor:
    return Augmentation()(crops, torch.Generator().manual_seed(0)).cpu()


def _computed(crops: Tensor, device: torch.device) -> dict[str, Tensor]:
    """Embeddings, a loss of them, and its gradient at the first convolution, on the CPU.

    In evaluation mode: batch statistics of an untrained network enlarge rounding a thousandfold, on a CPU as on a GPU.
    """
    model = _model(N_COMPARED).to(device).eval()
    embedding = model.network(crops.to(device), model.layers)
    logits = F.normalize(embedding) @ F.normalize(embedding).T
    loss = F.cross_entropy(logits, torch.arange(len(crops), device=device))
    loss.backward()
    weights = next(model.network.parameters())
    return {"embeddings": embedding.detach().cpu(), "loss": loss.detach().cpu(), "gradient": weights.grad.cpu()}


if __name__ == "__main__":
    sys.exit(main())
