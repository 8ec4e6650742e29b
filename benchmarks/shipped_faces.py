"""Test faces of UTKFace and the heads that ship, which never saw them: what benchmarks on explanations share."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from functools import cache, partial
from itertools import islice
from pathlib import Path
from typing import TypeVar

import numpy as np

from faceheads.headfile import HeadFile
from faceheads.images.reading import read_image
from faceheads.pool import OrderedPool
from faceheads.store import load_heads
from features.annotate.cli import default_heads
from features.explain.decision import HeadDecision, head_decision
from features.explain.network import DifferentiableNetwork
from features.pipeline import FacePipeline
from features.pipeline_config import PipelineConfig

from .arguments import benchmark_parser
from .report import machine_line

Result = TypeVar("Result")


def test_photos(folder: Path, seed: int) -> list[Path]:
    """Photos of the test part of the shared split (sha256 mod 5), in random order."""
    files = sorted(folder.glob("*.jpg"))
    order = np.random.default_rng(seed).permutation(len(files))
    return [files[i] for i in order if int(hashlib.sha256(files[i].read_bytes()).hexdigest(), 16) % 5 == 0]


@cache
def shipped_tools() -> tuple[HeadFile, FacePipeline, DifferentiableNetwork]:
    """The heads, the pipeline that they need, in torch, and its network; once a process."""
    heads = load_heads(default_heads())
    config = PipelineConfig.from_spec(heads.table_spec)
    pipeline = FacePipeline(replace(config, embedder=replace(config.embedder, backend="torch"), no_face="skip"))
    return heads, pipeline, DifferentiableNetwork(pipeline.embedder)


def crop_of(path: Path) -> np.ndarray | None:
    """The aligned crop of a photo's face, uint8 of shape (height, width, 3); None where none is found."""
    found = shipped_tools()[1].find_faces([read_image(path).rgb])[0]
    return None if found.crops is None else found.crops[0, 0]


def decision_about(crop: np.ndarray, target: str) -> HeadDecision:
    """What the shipped heads decide about a crop in one of their targets."""
    heads, pipeline, _ = shipped_tools()
    return head_decision(heads, target, pipeline.embedder.embed(crop[None])[0])


def results_on_test_faces(
    module_doc: str, n_faces: int, work: Callable[[int, tuple[int, Path]], Result | None]
) -> list[Result]:
    """What ``work`` says of the first test photos that show a face, in worker processes; prints the machine first.

    Parameters
    ----------
    module_doc : str
        What the benchmark says of itself; its options are those of all of them, and ``--faces``, ``--jobs``, ``--seed``.
    n_faces : int
        Default of ``--faces``.
    work : callable
        Takes the seed and a numbered photo; gives None where there is no face.
    """
    parser = benchmark_parser(module_doc)
    parser.add_argument("--faces", type=int, default=n_faces)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    print(f"{machine_line()}\n")
    photos = list(enumerate(test_photos(args.data / "utkface" / "UTKFace", args.seed)))
    with OrderedPool(partial(work, args.seed), _lost, args.jobs) as pool:
        return list(islice((one for one in pool.map(photos) if one is not None), args.faces))


def _lost(photo: tuple[int, Path]) -> None:
    """What becomes of a numbered photo whose worker died: a line, and no result."""
    print(f"{photo[1].name}: the worker died")
