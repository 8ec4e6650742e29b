"""The command ``python -m features.probes`` (``faceheads-probe``): what changes the decisions of heads."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from tqdm import tqdm

from faceheads.atomic import write_text
from faceheads.cohorts import cohort_columns
from faceheads.command import run_command
from faceheads.images.writing import write_image
from faceheads.labels import labels_for, read_labels
from faceheads.pool import resolve_jobs, set_passive_wait
from faceheads.report.extra import require
from faceheads.report.writing import write_document
from faceheads.samples import Samples, group_samples
from faceheads.splits import NEITHER
from faceheads.store import load_heads
from faceheads.table import FaceTable

from ..annotate.cli import default_heads
from ..failures import Allowance
from ..folders import list_images
from ..options import add_machine_options, devices
from ..pipeline import FacePipeline
from ..pipeline_config import UNKNOWN_SPEC, PipelineConfig
from .changes import FAMILIES
from .document import probe_document
from .effects import Effect, measure_effects
from .job import Probed, ProbeJob
from .sheet import probe_sheet
from .tables import effects_frame, effects_text, faces_frame

EFFECTS_FILE, FACES_FILE, SHEET_FILE, REPORT_NAME = "effects.csv", "faces.csv", "sheet.png", "probes"


def probe_parser() -> argparse.ArgumentParser:
    """The parser of the command."""
    parser = argparse.ArgumentParser(
        prog="python -m features.probes",
        description="Change each face of a folder of photos in one thing at a time (hair recoloured, glasses drawn, eyes "
        "blurred, other light) and tell how often the decisions of heads flip, beside controls that change as much "
        "where it means nothing.",
    )
    parser.add_argument("--img_dir", required=True, type=Path, help="folder of photos")
    parser.add_argument("--output_dir", type=Path, default=Path("probes"), help="(default: %(default)s)")
    parser.add_argument("--model", type=Path, help="head file of train.py (default: the heads that ship)")
    parser.add_argument("--trust", action="store_true", help="load a .pkl or .joblib model; it can run any code")
    parser.add_argument("--embedder", metavar="PATH", help="where the model's network lies, if it is not built in")
    parser.add_argument("--attributes", metavar="A,B", help="targets to ask about (default: all of the model)")
    parser.add_argument("--probes", metavar="A,B", help=f"of {', '.join(FAMILIES)} (default: all)")
    parser.add_argument("--label", type=Path, help="labels of the photos, for --cohort and --groups")
    parser.add_argument(
        "--cohort", action="append", default=[], metavar="COLUMN", help="report by this column too; may be repeated"
    )
    parser.add_argument(
        "--groups",
        default="auto",
        help="who is drawn for intervals: label column of persons, folder, content, or auto",
    )
    parser.add_argument("--report", action="store_true", help="also write the report (HTML and Markdown)")
    parser.add_argument("--seed", type=int, default=0, help="of noise and intervals (default: %(default)s)")
    parser.add_argument("--max_failures", default="10%", metavar="N|P%%", help="as in feature_extraction.py")
    add_machine_options(parser)
    return parser


def probe_main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code (0 done, 1 too many failures, 2 wrong use)."""
    args = probe_parser().parse_args(argv)
    return run_command("probes", lambda: _probe(args))


def _probe(args: argparse.Namespace) -> int:
    set_passive_wait()
    allowed = Allowance.parse(args.max_failures)
    if args.report:
        require("matplotlib.figure", "jinja2", instead="leave --report away")
    labels = None if args.label is None else read_labels(args.label)
    job = _job(args)
    photos = list_images(args.img_dir)
    if not photos:
        raise ValueError(f"There are no photos in {args.img_dir}.")
    FacePipeline(job.config).warm_up()
    with tqdm(total=len(photos), unit="photo", desc="probe", file=sys.stderr) as bar:
        probed = job.run(photos, bar.update)
    counted = ", ".join(f"{n} {status}" for status, n in probed.table.status_counts().items() if n)
    if not probed.answers:
        raise ValueError(f"No face was found in the photos of {args.img_dir}: {counted}.")
    samples = _samples(probed.table.usable, labels, args.groups)
    effects = measure_effects(probed, samples.groups, cohort_columns(samples, args.cohort), args.seed)
    remarks = [f"Photos: {counted}. Faces: {len(samples.table)}.", f"Drawn for intervals: {samples.grouped_by}."]
    print("\n".join(remarks) + effects_text(effects))
    written = _write(args.output_dir, probed, effects, remarks if args.report else None)
    print(f"\nwritten to {args.output_dir}: {', '.join(written)}")
    return allowed.exit_code(probed.table.status_counts())


def _job(args: argparse.Namespace) -> ProbeJob:
    model = default_heads() if args.model is None else args.model
    heads = load_heads(model, args.trust)
    targets = _chosen("--attributes", args.attributes, heads.targets)
    families = _chosen("--probes", args.probes, FAMILIES)
    if heads.table_spec is None:
        raise ValueError(UNKNOWN_SPEC)
    (device, *others) = devices(args.device)
    if others:
        raise ValueError(f"--device: probes work on one device; got {args.device!r}.")
    config = PipelineConfig.from_spec(heads.table_spec, args.embedder, no_face="skip", device=device)
    jobs = resolve_jobs(args.jobs)
    return ProbeJob(
        args.img_dir, model, config, targets, FAMILIES if families is None else families, args.seed, args.trust, jobs
    )


def _chosen(option: str, names: str | None, known: Sequence[str]) -> tuple[str, ...] | None:
    """What an option names, None where it is not given."""
    if names is None:
        return None
    chosen = tuple(name.strip() for name in names.split(","))
    unknown = [name for name in chosen if name not in known]
    if unknown:
        raise ValueError(f"{option} must be some of {list(known)}; got {unknown}.")
    return chosen


def _samples(faces: FaceTable, labels: pd.DataFrame | None, groups: str) -> Samples:
    """Faces with their labels, missing where they have none, and their persons."""
    if labels is None:
        matched = pd.DataFrame(index=pd.Index(faces.keys, name="path", dtype=object))
    else:
        matched = labels_for(faces, labels, allow_missing=True)
    samples = Samples(faces, matched, np.arange(len(faces)), np.full(len(faces), NEITHER, object))
    return group_samples(samples, groups)


def _write(output: Path, probed: Probed, effects: Sequence[Effect], remarks: Sequence[str] | None) -> list[str]:
    """Write everything, the report only with remarks for it; returns the names of the files."""
    write_text(output / EFFECTS_FILE, effects_frame(effects).to_csv(index=False, float_format="%.6g"))
    write_text(output / FACES_FILE, faces_frame(probed).to_csv(index=False, float_format="%.4g"))
    written = [EFFECTS_FILE, FACES_FILE]
    if probed.shown:
        write_image(output / SHEET_FILE, probe_sheet(probed.shown, probed.changes))
        written.append(SHEET_FILE)
    if remarks is None:
        return written
    document = probe_document(effects, probed.shown, probed.changes, remarks)
    return [*written, *(path.name for path in write_document(output, REPORT_NAME, document))]
