"""The command ``python -m faceheads.convert``: an old pickled model becomes a head file; the pickle is never run."""

from __future__ import annotations

import argparse
import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ..command import run_command
from ..fitted_head import Head
from ..headfile import HeadError, HeadFile
from ..spec import TableSpec
from ..store import N_GOLDEN, save_heads
from ..table_io import read_spec
from .network import convert_network
from .records import MAX_BYTES, PickleError, read_records

#: Spread of made-up embeddings: that of dlib's, whose length is at most about one.
_SPREAD = 0.1


def convert_parser() -> argparse.ArgumentParser:
    """The parser of the command."""
    parser = argparse.ArgumentParser(
        prog="python -m faceheads.convert",
        description="Convert the pickle of a scikit-learn MLPClassifier, alone or in a list with the names of its outputs "
        "(the face_model.pkl of face-classification), to a head file. Nothing in the pickle is executed.",
    )
    parser.add_argument("old", type=Path, help="the pickle")
    parser.add_argument("new", type=Path, help="the head file, NAME.skops")
    parser.add_argument(
        "--like",
        type=Path,
        metavar="TABLE",
        help="a feature table with embeddings such as the model learned from: the pickle does not say which these are. "
        "Without it the heads fit tables of unknown origin only",
    )
    parser.add_argument("--target", default="target", help="name of what is decided, where the pickle has none")
    return parser


def convert_main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code, 2 with one line on stderr for what the user can repair."""
    args = convert_parser().parse_args(argv)
    return run_command("faceheads.convert", lambda: _convert(args))


def _convert(args: argparse.Namespace) -> int:
    if args.new.suffix != ".skops":
        raise HeadError(f"The new file must end in .skops; got {args.new.name!r}.")
    file = convert_file(args.old, None if args.like is None else read_spec(args.like), args.target)
    save_heads(args.new, file)
    names = ", ".join(file.targets[:5]) + (", …" if len(file.targets) > 5 else "")
    print(f"{args.new}: {len(file.targets)} targets ({names}) from embeddings of {file.dimension} numbers")
    print("Its errors are not known here: measure them before you rely on it.")
    return 0


def convert_file(path: Path, spec: TableSpec | None = None, target_name: str = "target") -> HeadFile:
    """The heads in an old pickle.

    Parameters
    ----------
    path : Path
    spec : TableSpec or None
        How the embeddings are made that the model takes.
    target_name : str
        Of what is decided, where it has no name in the pickle.

    Raises
    ------
    HeadError
        If the file is missing, too large, damaged, something else, or does not fit the specification.
    """
    data = _read(path)
    try:
        head = convert_network(read_records(data), target_name)
    except PickleError as error:
        raise HeadError(f"{path} cannot be converted: {error}") from error
    n_inputs = head.estimator.n_features_in_
    if spec is not None and spec.embedder.dimension != n_inputs:
        raise HeadError(
            f"{path} takes embeddings of {n_inputs} numbers; those of --like have {spec.embedder.dimension}. "
            "Extract with the embedder that the model learned from, such as --embedder dlib for 128."
        )
    return _head_file(head, spec, data, path.name)


def _read(path: Path) -> bytes:
    if not path.is_file():
        raise HeadError(f"There is no file {path}.")
    if path.stat().st_size > MAX_BYTES:
        raise HeadError(f"{path} has {path.stat().st_size:,} bytes; at most {MAX_BYTES:,} are read.")
    return path.read_bytes()


def _head_file(head: Head, spec: TableSpec | None, data: bytes, name: str) -> HeadFile:
    rng = np.random.default_rng(0)
    inputs = _SPREAD * rng.standard_normal((N_GOLDEN, head.estimator.n_features_in_))
    origin = {"converted_from": name, "converted_sha256": hashlib.sha256(data).hexdigest()}
    return HeadFile((head,), spec, inputs.astype(np.float32), origin)
