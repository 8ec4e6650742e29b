"""The command ``pred.py`` (``faceheads-annotate``): photos become annotated photos and tables of decisions."""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from tqdm import tqdm

from faceheads.command import run_command
from faceheads.pool import resolve_jobs, set_passive_wait
from faceheads.spec import TableSpec
from faceheads.store import HeadFile, load_heads, software_versions

from ..failures import Allowance
from ..folders import list_images
from ..options import DETECTORS, add_machine_options, devices, natural
from ..patience import announced
from ..pipeline import PipelineConfig
from .planning import MIN_TEXT_PX
from .run import AnnotationJob, AnnotationSummary
from .text import load_font

#: Heads that ship with the project.
DEFAULT_HEADS = "default_heads.skops"


def annotation_parser() -> argparse.ArgumentParser:
    """The parser of ``pred.py``."""
    parser = argparse.ArgumentParser(
        prog="pred.py",
        description="Annotate every face of every photo of a folder, nested folders too, with what the heads of a model "
        "file say: annotated photos, one table a photo, and faces.csv, faces.parquet, faces.json, photos.csv for all.",
        epilog="Predicting race or other sensitive attributes of people from their faces is banned or restricted for "
        "many uses (EU AI Act, Article 5). 'race' here means race as annotated in the training data, nothing more; "
        "--attributes chooses what is predicted.",
    )
    parser.add_argument("--img_dir", required=True, type=Path, help="folder of photos")
    parser.add_argument("--output_dir", type=Path, default=Path("results"), help="(default: %(default)s)")
    parser.add_argument("--model", type=Path, help="head file of train.py (default: the heads that ship)")
    parser.add_argument("--attributes", help="what to predict and draw, joined by commas (default: all of the model)")
    parser.add_argument("--trust", action="store_true", help="load a .pkl or .joblib model; it can run any code")
    parser.add_argument("--embedder", metavar="PATH", help="where the model's network lies, if it is not built in")
    _add_detection_options(parser)
    add_machine_options(parser)
    parser.add_argument("--font", metavar="FILE", help="TrueType font for names that the built-in one cannot write")
    parser.add_argument("--max_failures", default="10%", metavar="N|P%%", help="as in feature_extraction.py")
    parser.add_argument("--json", action="store_true", help="print the summary as JSON")
    return parser


def _add_detection_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("detection", "By default as in the table that the model learned from.")
    group.add_argument("--detector", choices=DETECTORS[:3], help="another detector than in training")
    group.add_argument(
        "--upsample", type=natural, metavar="N", help="times the photo is doubled first: finds smaller faces"
    )
    group.add_argument("--threshold", type=float, help="detection threshold; lower finds more")
    group.add_argument("--min_face", type=natural, default=0, metavar="PX", help="ignore smaller faces (default: 0)")
    group.add_argument("--landmarks", choices=("auto", "5", "68"), default="auto", help="dlib's landmark predictor")


def annotate_main(argv: Sequence[str] | None = None) -> int:
    """Run ``pred.py``; returns its exit code (0 done, 1 too many failures, 2 wrong use)."""
    args = annotation_parser().parse_args(argv)
    return run_command("pred.py", lambda: _annotate(args))


def _annotate(args: argparse.Namespace) -> int:
    set_passive_wait()
    allowed = Allowance.parse(args.max_failures)
    model = default_heads() if args.model is None else args.model
    heads = load_heads(model, args.trust)
    shown = _shown(args.attributes, heads)
    _check_font(args.font)
    config = _config(args, heads)
    if not args.img_dir.is_dir():
        raise ValueError(f"--img_dir must be a folder of photos; there is none at {args.img_dir}.")
    photos = _photos(args.img_dir, args.output_dir)
    if not photos:
        raise ValueError(f"There are no photos in {args.img_dir}.")
    job = AnnotationJob(
        args.img_dir, photos, args.output_dir, model, config, shown, args.trust, resolve_jobs(args.jobs), args.font
    )
    with tqdm(total=len(photos), unit="photo", desc="annotate", file=sys.stderr) as bar:
        summary = job.run(_provenance(model, heads, config), bar.update, announced)
    _print(summary, args)
    return allowed.exit_code(summary.status_counts)


def _photos(folder: Path, output: Path) -> list[str]:
    """Photos below a folder, without those that an earlier run wrote into an output folder inside it."""
    folder, output = folder.resolve(), output.resolve()
    photos = list_images(folder)
    if folder not in output.parents:
        return photos
    return [path for path in photos if output not in (folder / path).parents]


def default_heads() -> Path:
    """The head file that ships with the project."""
    import faceheads

    return Path(faceheads.__file__).parent / "data" / DEFAULT_HEADS


def _shown(attributes: str | None, heads: HeadFile) -> tuple[str, ...] | None:
    if attributes is None:
        return None
    names = tuple(name.strip() for name in attributes.split(","))
    missing = [name for name in names if name not in heads.targets]
    if missing:
        raise ValueError(f"--attributes: the model predicts {list(heads.targets)}; it has no {missing}.")
    return names


def _check_font(path: str | None) -> None:
    try:
        load_font(MIN_TEXT_PX, path)
    except OSError as error:
        raise ValueError(f"--font must be a TrueType or OpenType file; {path!r} is none ({error}).") from error


def _config(args: argparse.Namespace, heads: HeadFile) -> PipelineConfig:
    """The pipeline that the head file asks for, with the options that the user changed."""
    spec = heads.table_spec
    if spec is None:
        raise ValueError(
            "The model was trained on a table without a specification (a CSV of other software), so nobody can tell "
            "which embeddings it needs. Train again on a table that feature_extraction.py wrote."
        )
    changes = {"faces": "all", "no_face": "skip", "min_face_px": args.min_face, "device": _device(args.device)}
    if args.landmarks != "auto":
        changes["landmarks"] = args.landmarks
    return PipelineConfig.from_spec(_with_detection(args, spec), args.embedder, **changes)


def _device(text: str) -> str:
    names = devices(text)
    if len(names) > 1:
        raise ValueError(f"--device: pred.py works on one device; got {text!r}.")
    return names[0]


def _with_detection(args: argparse.Namespace, spec: TableSpec) -> TableSpec:
    """The specification with the detection that the user asked for, and a note when it is another than in training."""
    detector = spec.detector if args.detector is None else args.detector
    settings = dict(spec.detector_settings) if detector == spec.detector else {}
    given = {name: getattr(args, name) for name in ("upsample", "threshold") if getattr(args, name) is not None}
    changed = replace(spec, detector=detector, detector_settings={**settings, **given})
    if changed != spec:
        print(
            f"note: the heads learned from faces found by {spec.detector} {dict(spec.detector_settings)}; with other "
            "detection their measured errors may not hold",
            file=sys.stderr,
        )
    return changed


def _provenance(model: Path, heads: HeadFile, config: PipelineConfig) -> dict:
    """Where the decisions come from, as JSON values."""
    return {
        "model": model.name,
        "model_sha256": hashlib.sha256(model.read_bytes()).hexdigest(),
        "targets": list(heads.targets),
        "embedder_digest": heads.table_spec.embedder_digest,
        "detector": config.detector,
        "detector_settings": config.detector_settings,
        "versions": software_versions(),
    }


def _print(summary: AnnotationSummary, args: argparse.Namespace) -> None:
    if args.json:
        values = {"photos": summary.n_photos, "faces": summary.n_faces, "status": summary.status_counts}
        print(json.dumps({**values, "faces_per_photo": summary.faces_per_photo, "output": str(args.output_dir)}))
        return
    print(f"photos        {summary.n_photos:>8}")
    for status, count in summary.status_counts.items():
        print(f"  {status:<14}{count:>6}")
    print(f"faces         {summary.n_faces:>8}")
    print(f"written to    {args.output_dir}: annotated photos, faces.csv, faces.parquet, faces.json, photos.csv")
