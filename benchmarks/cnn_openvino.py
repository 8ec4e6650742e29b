"""Would OpenVINO run the CNN detector's network faster than torch? The reason why the detector has one backend.

The network's seven convolutions are compiled by OpenVINO and run in turn with torch's on the tiled pyramids of photos
of WIDER FACE. A ratio is torch's CPU time over OpenVINO's for one photo: above 1, OpenVINO would be faster. The scores
must differ by well less than ``features.detect.cnn.SCORE_ERROR`` for the rectangles to stay dlib's.

    python -m benchmarks.cnn_openvino --data ../shared/data [--wider 12] [--rounds 3]
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path

# Before torch is imported: a thread that waits must not take the core from the one that works.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import numpy as np
import openvino
import torch
from openvino import Node, opset13

from faceheads.images.reading import read_image
from faceheads.networks.dlib_mmod import INPUT_SCALE, DlibMmod, build_dlib_mmod
from faceheads.weights import find_weights
from features.detect.tiled_pyramid import build_tiled_pyramid, make_layout

from .report import machine_line, markdown_table

THREADS = (1, 2)


def main() -> None:
    """Print a table with a line for each number of threads."""
    args = _arguments()
    network = build_dlib_mmod(find_weights("dlib_cnn_detector")).requires_grad_(False)
    photos = sorted((args.data / "wider_val" / "images").rglob("*.jpg"))
    planes = [_plane(network, path) for path in photos[:: max(1, len(photos) // args.wider)][: args.wider]]
    print(f"{machine_line()}\n")
    header = ["threads", "photos", "largest difference of scores", "torch / OpenVINO: median", "lowest", "highest"]
    print(markdown_table(header, [_row(network, planes, n_threads, args.rounds) for n_threads in THREADS]))
    print(f"\nload now {os.getloadavg()[0]:.1f}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--wider", type=int, default=12)
    parser.add_argument("--rounds", type=int, default=3)
    return parser.parse_args()


def _plane(network: DlibMmod, path: Path) -> torch.Tensor:
    rgb, options = read_image(path).rgb, network.input
    layout = make_layout(*rgb.shape[:2], options.pyramid_padding, options.pyramid_outer_padding)
    return build_tiled_pyramid(torch.from_numpy(rgb[np.newaxis]), layout, network.average_rgb, INPUT_SCALE)


def _row(network: DlibMmod, planes: list[torch.Tensor], n_threads: int, n_rounds: int) -> list[object]:
    torch.set_num_threads(n_threads)
    settings = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": n_threads, "NUM_STREAMS": 1}
    request = openvino.Core().compile_model(_graph(network), "CPU", settings).create_infer_request()
    differences, ratios = [], []
    for plane in planes:
        scores, found = network(plane).numpy(), request.infer([plane.numpy()])[0][:, 0]
        differences.append(np.abs(scores - found).max())
        for _ in range(n_rounds):
            ratios.append(_seconds(network, plane) / _seconds(request.infer, [plane.numpy()]))
    figures = (statistics.median(ratios), min(ratios), max(ratios))
    return [n_threads, len(planes), f"{max(differences):.1e}", *(f"{ratio:.2f}" for ratio in figures)]


def _graph(network: DlibMmod) -> openvino.Model:
    plane = opset13.parameter([-1, 3, -1, -1], np.float32)
    x = plane
    for conv in network.convs[:-1]:
        x = opset13.relu(_convolution(conv, x))
    return openvino.Model([_convolution(network.convs[-1], x)], [plane])


def _convolution(conv: torch.nn.Conv2d, x: Node) -> Node:
    y = opset13.convolution(x, conv.weight.contiguous().numpy(), conv.stride, conv.padding, conv.padding, [1, 1])
    return opset13.add(y, conv.bias.numpy()[:, np.newaxis, np.newaxis])


def _seconds(work: Callable, argument: object) -> float:
    start = time.process_time()
    work(argument)
    return time.process_time() - start


if __name__ == "__main__":
    main()
