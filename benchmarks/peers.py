"""Ours beside the peers: detection, embedding, and photo to embedding, on the same images in one run.

Every image goes through all contestants of a task in turn, each time beginning with another one, so that what else the
machine does slows all of them. A ratio is a contestant's time for an image over ours for the same image. All use one
thread. What is not installed, or whose file is not there, is left out: facenet-pytorch (its embedding network has
random weights, which take the same time), OpenCV's YuNet (``--yunet face_detection_yunet_2023mar.onnx``), and
face_recognition. dlib's CNN detector takes seconds a photo: ``--with_cnn``.

Networks that gain by batches are given one image at a time here, as the peers' interfaces have it; for batches see
``benchmarks.mtcnn``, ``benchmarks.dlib_embedding`` and ``benchmarks.end_to_end``.

    python -m benchmarks.peers --data ../shared/data [--lfw 30] [--groups 4] [--wider 20] [--yunet FILE] [--with_cnn]
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

# Before torch is imported: a thread that waits must not take the core from the one that works.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import cv2
import dlib
import numpy as np
import torch

from faceheads.images.reading import read_image
from faceheads.networks.inception_resnet_v1 import InceptionResnetV1
from faceheads.networks.torchvision_guard import ensure_torchvision
from faceheads.weights import find_weights
from features.detect import make_detector
from features.embed import EmbedderRequest
from features.pipeline import FacePipeline
from features.pipeline_config import PipelineConfig

from .arguments import benchmark_parser
from .dlib_embedding import lfw_chips
from .photos import photo_sets
from .report import machine_line, markdown_table

#: Takes an image and gives the number of faces, or of embeddings.
Work = Callable[[np.ndarray], int]


@dataclass
class Contestant:
    """One way to do a task, and the seconds that it took for each image; the first of a task is ours."""

    name: str
    package: str
    work: Work
    wall_s: list[float] = field(default_factory=list)
    cpu_s: list[float] = field(default_factory=list)
    n_found: int = 0

    def run(self, image: np.ndarray) -> None:
        """Do the task for one image."""
        wall, cpu = time.perf_counter(), time.process_time()
        self.n_found += self.work(image)
        self.wall_s.append(time.perf_counter() - wall)
        self.cpu_s.append(time.process_time() - cpu)


def main() -> None:
    """Print a table for each task."""
    args = _arguments()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    print(f"{machine_line()}")
    photos = [read_image(path).rgb for some in _sets(args).values() for path in some]
    photos = [photo for photo in photos if min(photo.shape[:2]) >= 20]  # smaller ones make facenet-pytorch raise
    chips = list(lfw_chips(args.data / "lfw" / "lfw-deepfunneled", max(8, args.lfw)))
    _compare("detection as dlib's HOG detector does it, one upsampling", _hog_like(args), photos)
    _compare("detection by MTCNN", _mtcnn_like(), photos)
    if args.with_cnn:
        _compare("detection as dlib's CNN detector does it", _cnn_like(), photos)
    _compare("dlib's embedding of a chip", _dlib_embedders(), chips)
    _compare("facenet's embedding network, a chip enlarged to 160 x 160", _facenet_embedders(), _enlarged(chips))
    _compare("photo to embeddings of all faces", _loops(), photos)
    print(f"\nload now {os.getloadavg()[0]:.1f}")


def _arguments() -> argparse.Namespace:
    parser = benchmark_parser(__doc__)
    parser.add_argument("--lfw", type=int, default=30)
    parser.add_argument("--groups", type=int, default=4)
    parser.add_argument("--wider", type=int, default=20)
    parser.add_argument("--yunet", type=Path, help="OpenCV's face_detection_yunet_*.onnx")
    parser.add_argument("--with_cnn", action="store_true", help="dlib's CNN detector too: seconds a photo")
    return parser.parse_args()


def _sets(args: argparse.Namespace) -> dict[str, list[Path]]:
    return photo_sets(args.data, args.lfw, args.groups, args.wider)


def _enlarged(chips: Sequence[np.ndarray]) -> list[np.ndarray]:
    return [cv2.resize(chip, (160, 160)) for chip in chips]


def _compare(task: str, contestants: list[Contestant], images: Sequence[np.ndarray]) -> None:
    for contestant in contestants:
        contestant.work(images[0])  # what is made at first use does not count
    for number, image in enumerate(images):
        first = number % len(contestants)
        for contestant in [*contestants[first:], *contestants[:first]]:
            contestant.run(image)
    header = ["", "version", "found", "ms, median", "CPU ms, median", "times ours, median", "lower quartile", "upper"]
    print(f"\n**{task}**: {len(images)} images\n")
    print(markdown_table(header, [_row(contestant, contestants[0]) for contestant in contestants]))


def _row(contestant: Contestant, ours: Contestant) -> list[object]:
    ratios = [theirs / own for theirs, own in zip(contestant.wall_s, ours.wall_s, strict=True)]
    lower, middle, upper = statistics.quantiles(ratios, n=4)
    times = [f"{statistics.median(seconds) * 1e3:.1f}" for seconds in (contestant.wall_s, contestant.cpu_s)]
    figures = [f"{ratio:.2f}" for ratio in (middle, lower, upper)]
    return [contestant.name, _version(contestant.package), contestant.n_found, *times, *figures]


def _version(package: str) -> str:
    try:
        return version(package) if package else ""
    except PackageNotFoundError:
        return "unknown"


# ------------------------------------------------------------------------------------------------ contestants


def _ours(detector: str, **settings) -> Contestant:
    made = make_detector(detector, **settings)
    return Contestant(f"ours, {detector}", "", lambda image: len(made.detect([image])[0]))


def _hog_like(args: argparse.Namespace) -> list[Contestant]:
    detector = dlib.get_frontal_face_detector()
    contestants = [_ours("hog"), Contestant("dlib, HOG", "dlib-bin", lambda image: len(detector(image, 1)))]
    if args.yunet is not None:
        contestants.append(_yunet(args.yunet))
    return contestants


def _yunet(path: Path) -> Contestant:
    detector = cv2.FaceDetectorYN.create(str(path), "", (320, 320))

    def detect(image: np.ndarray) -> int:
        detector.setInputSize((image.shape[1], image.shape[0]))
        _, faces = detector.detect(np.ascontiguousarray(image[:, :, ::-1]))
        return 0 if faces is None else len(faces)

    return Contestant("OpenCV, YuNet", "opencv-python-headless", detect)


def _mtcnn_like() -> list[Contestant]:
    contestants = [_ours("mtcnn")]
    if _is_there("facenet_pytorch"):
        from facenet_pytorch import MTCNN

        theirs = MTCNN(keep_all=True, select_largest=False)
        contestants.append(
            Contestant("facenet-pytorch, MTCNN", "facenet-pytorch", lambda image: _n_boxes(theirs, image))
        )
    return contestants


def _n_boxes(detector, image: np.ndarray) -> int:
    boxes, _, _ = detector.detect(image, landmarks=True)
    return 0 if boxes is None else len(boxes)


def _cnn_like() -> list[Contestant]:
    model = dlib.cnn_face_detection_model_v1(str(find_weights("dlib_cnn_detector")))
    return [_ours("cnn"), Contestant("dlib, CNN", "dlib-bin", lambda image: len(model(image, 0)))]


def _dlib_embedders() -> list[Contestant]:
    def embedding(**settings) -> Work:
        embedder = EmbedderRequest(**settings).build()
        return lambda chip: len(embedder.embed(chip[np.newaxis]))

    contestants = [Contestant("ours, float32", "", embedding())]
    if _is_there("onnx") and _is_there("onnxruntime"):
        contestants.append(Contestant("ours, int8", "onnxruntime", embedding(precision="int8")))
    return [*contestants, Contestant("dlib", "dlib-bin", embedding(name="dlib-reference"))]


def _facenet_embedders() -> list[Contestant]:
    contestants = [Contestant("ours", "", _embedding(InceptionResnetV1()))]
    if _is_there("facenet_pytorch"):
        from facenet_pytorch import InceptionResnetV1 as Theirs

        contestants.append(Contestant("facenet-pytorch", "facenet-pytorch", _embedding(Theirs())))
    return contestants


def _embedding(network: torch.nn.Module) -> Work:
    network = network.eval().requires_grad_(False)

    def embed(crop: np.ndarray) -> int:
        with torch.inference_mode():
            pixels = torch.from_numpy(crop[np.newaxis]).permute(0, 3, 1, 2)
            return len(network((pixels.float() - 127.5) / 128))

    return embed


def _loops() -> list[Contestant]:
    pipeline = FacePipeline(PipelineConfig(faces="all"))
    contestants = [Contestant("ours", "", lambda image: _n_embedded(pipeline, image))]
    if _is_there("face_recognition"):
        import face_recognition

        def loop(image: np.ndarray) -> int:
            boxes = face_recognition.face_locations(image)
            return len(face_recognition.face_encodings(image, known_face_locations=boxes, model="small"))

        contestants.append(Contestant("face_recognition", "face-recognition", loop))
    return contestants


def _n_embedded(pipeline: FacePipeline, image: np.ndarray) -> int:
    [vectors] = pipeline.embed(pipeline.find_faces([image]))
    return 0 if vectors is None else len(vectors)


def _is_there(module: str) -> bool:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            ensure_torchvision()
            __import__(module)
        except ImportError:
            return False
    return True


if __name__ == "__main__":
    main()
