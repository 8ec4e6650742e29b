"""``verify.py A.jpg B.jpg --threshold T.json``: match, non-match or unsure, and what that is based on."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import numpy as np

from faceheads.pool import set_passive_wait
from faceheads.table import FaceTable
from faceheads.verification.bona_fide_check import PairEvidence
from faceheads.verification.evidence import Evidence
from faceheads.verification.known_errors import KnownErrors
from faceheads.verification.scores.registry import PLAIN
from faceheads.verification.threshold_file import Decision, ThresholdFile, load_threshold

from .explain.pair_job import PairExplanationJob, check_explainable
from .pipeline_config import PipelineConfig
from .threshold_pipelines import configs_of, see_photos


def verify_photos(args: argparse.Namespace) -> int:
    """Decide about two photos as the options say and print it; returns the exit code, 0 for a match.

    Raises
    ------
    ValueError
        If there are not two photos, or one has no face that can be compared.
    """
    file = _threshold(args)
    if args.explain is not None:
        check_explainable(file)  # better now than after the work
    configs = configs_of(file, args)
    faces, bona_fide = see_photos(args.photos, file, configs, args)
    _check_faces(args.photos, faces)
    decision = file.decide_photos(faces, bona_fide)
    explained = None if args.explain is None else _explain(args, file, configs[0], faces)
    print(_as_json(decision, explained) if args.json else in_words(decision, file, args.photos, explained))
    return 0 if decision.answer == "match" else 1


def _threshold(args: argparse.Namespace) -> ThresholdFile:
    if len(args.photos) != 2 or args.threshold is None:
        raise ValueError(f"give two photos and --threshold T.json; got {len(args.photos)} photos.")
    if args.score != PLAIN or args.bona_fide is not None:
        raise ValueError(
            "--score and --bona_fide go with --save_threshold; two photos are compared by what the threshold says."
        )
    set_passive_wait()
    return load_threshold(args.threshold)


def _check_faces(photos: list[Path], faces: FaceTable) -> None:
    # the reason, or the status where that says all
    reasons = np.where(faces.reason != "", faces.reason, faces.status)
    for path, has_embedding, why in zip(photos, faces.has_embedding, reasons, strict=True):
        if not has_embedding:
            raise ValueError(f"{path} cannot be compared: {why}. Failure to acquire is no decision.")


def _explain(args: argparse.Namespace, file: ThresholdFile, config: PipelineConfig, faces: FaceTable) -> Path:
    if file.check is not None:
        print("note: the similarity is explained; what the bona fide head saw is not", file=sys.stderr)
    return PairExplanationJob(args.explain, config, args.explain_by).run(tuple(args.photos), file, faces)


def _as_json(decision: Decision, explained: Path | None) -> str:
    return json.dumps(decision.to_json() | ({} if explained is None else {"explanation": str(explained)}))


# ------------------------------------------------------------------------------------------------- in words


def in_words(decision: Decision, file: ThresholdFile, photos: list[Path], explained: Path | None = None) -> str:
    """A decision in lines for a person.

    Parameters
    ----------
    decision : Decision
    file : ThresholdFile
    photos : list of Path
        Two.
    explained : Path, optional
        Where the picture of an explanation lies.
    """
    unsure = f"unsure from {file.unsure_low:.4f} to {file.unsure_high:.4f}"
    compared = f"{decision.similarity:.4f} ({file.score_name}; threshold {file.threshold:.4f}, {unsure})"
    of_people = _share(decision.fmr, decision.fmr_is_bound, f"pairs of two persons {_so_alike(file)}", file.errors)
    if decision.evidence is None:
        lines = [
            ("similarity", compared),
            ("probability", f"{decision.probability:.4f} that it is one person, if half of all pairs were"),
            ("FMR", of_people),
        ]
    else:
        lines = [("score", compared), *_of_evidence(decision, file, photos), ("FMR", of_people)]
        lines.append(("FMR, fakes", _of_fakes(decision.evidence, file)))
    if explained is not None:
        lines.append(("explained", str(explained)))
    return "\n".join([decision.answer, *(f"{name:<12} {words}" for name, words in lines)])


def _of_evidence(decision: Decision, file: ThresholdFile, photos: list[Path]) -> list[tuple[str, str]]:
    seen, p = decision.evidence, decision.probability
    prior = "if half of all pairs were and half of the others had a fake"
    return [
        ("probability", f"{p:.4f} that it is one person in two real photos, {prior}"),
        ("one person", f"{seen.one_person:.4f} by similarity {seen.similarity:.4f} ({file.similarity_name})"),
        *(("bona fide", f"{p:.4f} that {path} is no fake") for p, path in zip(seen.real, photos, strict=True)),
    ]


def _of_fakes(seen: PairEvidence, file: ThresholdFile) -> str:
    return _share(seen.fake_fmr, seen.fake_fmr_is_bound, f"pairs with a fake {_so_alike(file)}", file.check.errors)


def _so_alike(file: ThresholdFile) -> str:
    return "at least this alike" if file.check is None else "with such a score or a higher one"


def _share(fmr: float, is_bound: bool, what: str, errors: KnownErrors) -> str:
    bound = "less than about " if is_bound else ""
    return f"{bound}{fmr:.2g}: share of {what} ({_told(errors.evidence)})"


def _told(evidence: Evidence) -> str:
    return f"{evidence.n_non_mated:,} pairs of {evidence.n_identities:,} people, {evidence.data}"
