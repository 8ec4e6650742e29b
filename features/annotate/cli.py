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
from faceheads.identification.thresholds import DEFAULT_FPIR
from faceheads.pool import resolve_jobs, set_passive_wait
from faceheads.spec import TableSpec
from faceheads.store import HeadFile, load_heads, software_versions

from ..explain.attention import transformer_of
from ..explain.job import ATTENTION, EXPLANATIONS, ExplanationJob
from ..explain.methods import METHODS
from ..failures import Allowance
from ..folders import list_images
from ..options import DETECTORS, add_machine_options, devices, natural
from ..patience import announced
from ..pipeline_config import UNKNOWN_SPEC, PipelineConfig
from .fonts import font_for
from .people import PeopleRequest, Recognised, recognise
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
    _add_people_options(parser)
    _add_explanation_options(parser)
    _add_detection_options(parser)
    add_machine_options(parser)
    parser.add_argument("--font", metavar="FILE", help="TrueType font for names that the built-in one cannot write")
    parser.add_argument("--max_failures", default="10%", metavar="N|P%%", help="as in feature_extraction.py")
    parser.add_argument("--json", action="store_true", help="print the summary as JSON")
    return parser


def _add_people_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group(
        "people",
        "Who it is. Nothing else is predicted then, unless --model or --attributes asks for it.",
    )
    group.add_argument(
        "--gallery",
        type=Path,
        metavar="DIR|TABLE",
        help="write names on faces: photos of people, NAME/*.jpg or NAME.jpg, or the feature table of such a folder",
    )
    group.add_argument(
        "--group",
        action="store_true",
        help="number the people whom nobody named: groups.csv, and a sheet of the faces of each in groups/",
    )
    group.add_argument(
        "--match_threshold",
        type=Path,
        metavar="T.json",
        help="of verify.py --save_threshold (default: one that ships)",
    )
    group.add_argument(
        "--fpir",
        type=float,
        metavar="P",
        help="share of strangers that may be given a name, at most (default: what the threshold gives; with the one that "
        f"ships {DEFAULT_FPIR:g})",
    )
    group.add_argument(
        "--gallery_faces",
        choices=("only", "largest", "central"),
        default="only",
        help="of several faces in a photo of the gallery; only: the photo is left out (default: %(default)s)",
    )


def _add_explanation_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("explanations", "Which pixels a decision came from, about a second a face.")
    group.add_argument(
        "--explain",
        metavar="A,B",
        help=f"targets to explain, joined by commas: pictures and arrays in {EXPLANATIONS}/",
    )
    group.add_argument(
        "--explain_by",
        choices=(*METHODS, ATTENTION),
        default="gradients",
        help="integrated gradients; occlusion, what happens when parts are hidden: slower, for any network; or attention, "
        "where a vision transformer looks whatever the target (default: %(default)s)",
    )


def _add_detection_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group(
        "detection", "By default as in the table that the model, or threshold, learned from."
    )
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
    people = _people_request(args)
    model = _model(args, people)
    heads = None if model is None else load_heads(model, args.trust)
    shown = _targets("--attributes", args.attributes, heads)
    explained = _targets("--explain", args.explain, heads)
    _check_font(args.font)
    if not args.img_dir.is_dir():
        raise ValueError(f"--img_dir must be a folder of photos; there is none at {args.img_dir}.")
    photos = _photos(args.img_dir, args.output_dir)
    if not photos:
        raise ValueError(f"There are no photos in {args.img_dir}.")
    jobs = resolve_jobs(args.jobs)
    found = None if people is None else _recognised(args, people, photos, jobs)
    config = found.config if heads is None else _config(args, heads.table_spec)
    if explained is not None and args.explain_by == ATTENTION:
        transformer_of(replace(config.embedder, backend="torch").build(config.device))
    job = AnnotationJob(args.img_dir, photos, args.output_dir, model, config, shown, args.trust, jobs, args.font)
    if found is not None:
        job = replace(job, known=found.known, font_path=font_for(found.names_shown, args.font))
    with tqdm(total=len(photos), unit="photo", desc="annotate", file=sys.stderr) as bar:
        summary = job.run(_provenance(model, heads, config, found), bar.update, announced)
    n_explained = None if explained is None else _explain(args, photos, model, config, explained, jobs)
    _print(summary, args, found, n_explained)
    return allowed.exit_code(summary.status_counts)


def _people_request(args: argparse.Namespace) -> PeopleRequest | None:
    if args.gallery is None and args.fpir is not None:
        raise ValueError("--fpir goes with --gallery.")
    if args.gallery is None and not args.group:
        if args.match_threshold is not None:
            raise ValueError("--match_threshold goes with --gallery or --group.")
        return None
    return PeopleRequest(args.gallery, args.group, args.match_threshold, args.fpir, args.gallery_faces)


def _model(args: argparse.Namespace, people: PeopleRequest | None) -> Path | None:
    """The head file; none where only people are asked for."""
    is_asked = people is None or args.attributes is not None or args.explain is not None
    if args.model is None and is_asked:
        return default_heads()
    return args.model


def _recognised(args: argparse.Namespace, people: PeopleRequest, photos: list[str], jobs: int) -> Recognised:
    config = _config(args, people.load_file().spec)
    found = recognise(args.img_dir, photos, args.output_dir, config, people, jobs)
    for remark in found.remarks:
        print(f"note: {remark}", file=sys.stderr)
    return found


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


def _targets(option: str, names: str | None, heads: HeadFile | None) -> tuple[str, ...] | None:
    """The targets that an option names, None where it is not given."""
    if names is None:
        return None
    if heads is None:
        raise ValueError(f"{option} needs heads to predict with: give --model.")
    targets = tuple(name.strip() for name in names.split(","))
    missing = [name for name in targets if name not in heads.targets]
    if missing:
        raise ValueError(f"{option}: the model predicts {list(heads.targets)}; it has no {missing}.")
    return targets


def _explain(
    args: argparse.Namespace,
    photos: list[str],
    model: Path,
    config: PipelineConfig,
    targets: tuple[str, ...],
    jobs: int,
) -> int:
    """Explain every face; returns how many there were. What is wrong with a photo was said when it was annotated."""
    job = ExplanationJob(args.img_dir, args.output_dir, model, config, targets, args.explain_by, args.trust, jobs)
    with tqdm(total=len(photos), unit="photo", desc="explain", file=sys.stderr) as bar:
        return sum(done.n_faces for done in job.run(photos, bar.update))


def _check_font(path: str | None) -> None:
    try:
        load_font(MIN_TEXT_PX, path)
    except OSError as error:
        raise ValueError(f"--font must be a TrueType or OpenType file; {path!r} is none ({error}).") from error


def _config(args: argparse.Namespace, spec: TableSpec | None) -> PipelineConfig:
    """The pipeline that a head or threshold file asks for, with the options that the user changed."""
    if spec is None:
        raise ValueError(UNKNOWN_SPEC)
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
            f"note: faces were found by {spec.detector} {dict(spec.detector_settings)} when errors were measured; with other "
            "detection they may not hold",
            file=sys.stderr,
        )
    return changed


def _provenance(model: Path | None, heads: HeadFile | None, config: PipelineConfig, found: Recognised | None) -> dict:
    """Where the decisions come from, as JSON values."""
    values = {
        "detector": config.detector,
        "detector_settings": config.detector_settings,
        "versions": software_versions(),
    }
    if heads is not None:
        values |= {
            "model": model.name,
            "model_sha256": hashlib.sha256(model.read_bytes()).hexdigest(),
            "targets": list(heads.targets),
            "embedder_digest": heads.table_spec.embedder_digest,
        }
    return values if found is None else {**values, "people": found.summary}


def _print(
    summary: AnnotationSummary, args: argparse.Namespace, found: Recognised | None, n_explained: int | None
) -> None:
    people = None if found is None else found.summary
    if args.json:
        values = {"photos": summary.n_photos, "faces": summary.n_faces, "status": summary.status_counts}
        values |= {"faces_per_photo": summary.faces_per_photo, "output": str(args.output_dir)}
        if n_explained is not None:
            values["faces_explained"] = n_explained
        print(json.dumps(values if people is None else {**values, "people": people}))
        return
    print(f"photos        {summary.n_photos:>8}")
    for status, count in summary.status_counts.items():
        print(f"  {status:<14}{count:>6}")
    print(f"faces         {summary.n_faces:>8}")
    if found is not None:
        print("\n".join(found.lines()))
    if n_explained is not None:
        print(f"explained     {n_explained:>8}   in {args.output_dir / EXPLANATIONS}")
    print(f"written to    {args.output_dir}: annotated photos, faces.csv, faces.parquet, faces.json, photos.csv")
