"""Command-line options that extraction, annotation and verification of photos share."""

from __future__ import annotations

import argparse

from .embed import PRECISIONS, EmbedderRequest
from .pipeline_config import FACE_POLICIES, NO_FACE_POLICIES, PipelineConfig
from .reduction import reduction_for

DETECTORS = ("hog", "cnn", "mtcnn", "none")


def add_detection_options(parser: argparse.ArgumentParser) -> None:
    """Options that choose and configure the detector."""
    group = parser.add_argument_group("detection")
    group.add_argument("--detector", choices=DETECTORS, default="hog", help="which detector (default: %(default)s)")
    group.add_argument(
        "--upsample",
        type=natural,
        metavar="N",
        help="times the image is doubled first (hog: default 1, cnn: default 0)",
    )
    group.add_argument("--threshold", type=float, help="detection threshold (hog, cnn: default 0; lower finds more)")
    group.add_argument("--min_face", type=natural, default=0, metavar="PX", help="ignore smaller faces (default: 0)")
    group.add_argument(
        "--reduce",
        action="store_true",
        help="look for faces in a copy of the photo that is as small as --min_face allows: for large photos",
    )
    group.add_argument(
        "--faces",
        choices=FACE_POLICIES,
        default="largest",
        help="what to keep of several faces (default: %(default)s)",
    )
    group.add_argument(
        "--no_face",
        choices=NO_FACE_POLICIES,
        default="skip",
        help="what to do with an image without a face: no vector, or embed it whole (default: %(default)s)",
    )


def add_embedder_options(parser: argparse.ArgumentParser) -> None:
    """Options that choose and configure the embedder."""
    group = parser.add_argument_group("embedding")
    group.add_argument(
        "--embedder",
        default="dlib",
        metavar="NAME|PATH",
        help="dlib, facenet, dlib-reference, spectrum (tells fakes from photos), a .onnx file with its .json, or a "
        "finetuned network's folder (default: dlib)",
    )
    group.add_argument(
        "--layers",
        default="final",
        help="final, a preset (identity, attributes), or layer names joined by commas (default: %(default)s)",
    )
    group.add_argument("--landmarks", choices=("auto", "5", "68"), default="auto", help="dlib's landmark predictor")
    group.add_argument("--flip", action="store_true", help="average each face with its mirror image")
    group.add_argument("--jitter", type=natural, default=0, metavar="N", help="average N randomly moved crops")
    group.add_argument(
        "--restore",
        action="store_true",
        help="clear bad photos of noise, rain, fog and darkness: faces, and photos without any",
    )
    group.add_argument(
        "--precision",
        choices=PRECISIONS,
        default="float32",
        help="int8: dlib's network in 8 bits, faster on a CPU; other embeddings, which go with int8 only",
    )
    group.add_argument("--batch_size", type=_positive, default=64, help="crops a network pass (default: %(default)s)")


def add_machine_options(parser: argparse.ArgumentParser) -> None:
    """Options on processes and devices."""
    group = parser.add_argument_group("machine")
    group.add_argument("--jobs", type=int, help="worker processes (default: one a core; 1 runs in this process)")
    group.add_argument("--device", default="cpu", help="cpu, cuda, or several as cuda:0,1 (default: %(default)s)")


def pipeline_config(args: argparse.Namespace) -> PipelineConfig:
    """The pipeline that parsed options describe.

    Raises
    ------
    ValueError
        If an option does not go with the detector.
    """
    return PipelineConfig(
        embedder=EmbedderRequest(
            name=args.embedder,
            layers=tuple(args.layers.split(",")),
            landmarks=args.landmarks,
            flip=args.flip,
            jitter=args.jitter,
            restore=args.restore,
            batch_size=args.batch_size,
            precision=args.precision,
        ),
        detector=args.detector,
        detector_settings=_detector_settings(args),
        landmarks=args.landmarks,
        faces=args.faces,
        min_face_px=args.min_face,
        no_face=args.no_face,
    )


def _detector_settings(args: argparse.Namespace) -> dict:
    given = {name: getattr(args, name) for name in ("upsample", "threshold") if getattr(args, name) is not None}
    if given and args.detector not in ("hog", "cnn"):
        raise ValueError(f"--{next(iter(given))} is a setting of hog and cnn; the detector is {args.detector!r}.")
    if args.reduce:
        given["reduction"] = reduction_for(args.detector, given, args.min_face)
    if args.restore and args.detector != "none":
        given["restore"] = True
    return given


def devices(text: str) -> tuple[str, ...]:
    """Device names from ``cpu``, ``cuda``, ``cuda:0`` or ``cuda:0,1``.

    Raises
    ------
    ValueError
        If the text has another form, or asks for a GPU that torch does not see.
    """
    if text == "cpu":
        return ("cpu",)
    kind, _, numbers = text.partition(":")
    if kind != "cuda" or not all(n.isdecimal() for n in numbers.split(",") if numbers):
        raise ValueError(f"--device must be cpu, cuda, or cuda:0,1 …; got {text!r}.")
    names = tuple(f"cuda:{n}" for n in numbers.split(",")) if numbers else ("cuda:0",)
    _check_gpus(names)
    return names


def _check_gpus(names: tuple[str, ...]) -> None:
    import torch

    n_there = torch.cuda.device_count()
    for name in names:
        if int(name.partition(":")[2]) >= n_there:
            raise ValueError(f"--device {name}: torch sees {n_there} CUDA devices on this machine. Use --device cpu.")


def natural(text: str) -> int:
    """A whole number from 0 on, for argparse."""
    value = int(text)
    if value < 0:
        raise argparse.ArgumentTypeError(f"must be 0 or more; got {value}")
    return value


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"must be 1 or more; got {value}")
    return value
