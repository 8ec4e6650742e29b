"""The registry: what it knows, where it looks, what it refuses."""

from __future__ import annotations

import hashlib
import os
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from faceheads import weights
from faceheads.download import DownloadError, ExpectedFile
from faceheads.weights import WeightFile, WeightsError, fetch_weights, find_weights, import_wheel, list_weights

CONTENT = b"the weights of a network"
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture(autouse=True)
def empty_machine(monkeypatch, tmp_path):
    """No cache, no other tool's cache."""
    monkeypatch.setenv("FACEHEADS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))


@pytest.fixture
def toy(monkeypatch, tmp_path):
    """A registered file that an importable package ``toy_models`` could carry."""
    entry = WeightFile(
        name="toy",
        file_name="toy.bin",
        sha256=SHA256,
        size_bytes=len(CONTENT),
        licence="CC0",
        purpose="a test",
        url="http://127.0.0.1:9/toy.bin",  # the discard port: nobody listens
        package="toy_models",
        member="data/toy.bin",
        install="pip install toy-models",
    )
    monkeypatch.setitem(weights.REGISTRY, "toy", entry)
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    return entry


@pytest.fixture
def toy_package(toy, tmp_path):
    data = tmp_path / "site" / "toy_models" / "data"
    data.mkdir(parents=True)
    (data.parent / "__init__.py").write_text("raise RuntimeError('the package must not be imported')")
    (data / "toy.bin").write_bytes(CONTENT)
    return data / "toy.bin"


def put(path: Path, content: bytes = CONTENT) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def test_every_entry_is_complete():
    for entry in list_weights():
        assert len(entry.sha256) == 64 and set(entry.sha256) <= set("0123456789abcdef")
        assert entry.size_bytes > 0
        assert entry.url.startswith("https://")
        assert entry.licence and entry.purpose
    assert len({entry.file_name for entry in list_weights()}) == len(list_weights())


@pytest.mark.parametrize("name", ["dlib_resnet", "dlib_cnn_detector", "dlib_landmarks5", "dlib_landmarks68"])
def test_the_files_of_face_recognition_models_are_found_without_importing_it(name, monkeypatch):
    monkeypatch.delitem(sys.modules, "face_recognition_models", raising=False)
    # sha256 verified against the files that face_recognition_models 0.3.0 of PyPI installs
    path = find_weights(name)
    assert path.stat().st_size == weights.REGISTRY[name].size_bytes
    assert "face_recognition_models" not in sys.modules


def test_a_file_of_a_package_is_found_without_importing_the_package(toy_package):
    assert find_weights("toy") == toy_package
    assert "toy_models" not in sys.modules


def test_a_file_in_the_cache_folder_is_found(toy):
    path = put(toy.cache_path)
    assert find_weights("toy") == path


@pytest.mark.parametrize("folder", ["checkpoints", "hub/checkpoints"])
def test_a_file_that_torch_has_downloaded_is_found(toy, tmp_path, folder):
    path = put(tmp_path / "torch" / folder / "toy.bin")
    assert find_weights("toy") == path


def test_a_wrong_file_is_passed_over_for_the_right_one(toy_package, toy):
    toy_package.write_bytes(b"another release")
    path = put(toy.cache_path)
    assert find_weights("toy") == path


def test_a_wrong_file_alone_is_an_error_that_names_both_hashes(toy):
    put(toy.cache_path, b"tampered")
    with pytest.raises(WeightsError) as caught:
        find_weights("toy")
    assert SHA256 in str(caught.value)
    assert hashlib.sha256(b"tampered").hexdigest() in str(caught.value)


def test_a_file_that_changes_after_it_was_verified_is_verified_again(toy):
    path = put(toy.cache_path)
    find_weights("toy")
    put(path, CONTENT[::-1])  # same size
    os.utime(path, ns=(0, path.stat().st_mtime_ns + 1))
    with pytest.raises(WeightsError):
        find_weights("toy")


def test_an_unchanged_file_is_read_once(toy, monkeypatch):
    put(toy.cache_path)
    find_weights("toy")
    monkeypatch.setattr(weights, "sha256_of", lambda path: pytest.fail("read a second time"))
    find_weights("toy")


def test_a_missing_file_is_an_error_that_tells_the_ways_to_get_it(toy):
    with pytest.raises(WeightsError) as caught:
        find_weights("toy")
    for part in ("faceheads.weights fetch toy", toy.url, str(toy.cache_path), "FACEHEADS_CACHE", toy.install):
        assert part in str(caught.value)


def test_an_unknown_name_is_an_error_that_lists_the_known_ones():
    with pytest.raises(ValueError, match="'facenet_vggface2'.*got 'resnet50'"):
        find_weights("resnet50")


def test_what_is_on_the_machine_is_not_downloaded(toy, monkeypatch):
    monkeypatch.setattr(weights, "download", lambda *_, **__: pytest.fail("downloaded"))
    path = put(toy.cache_path)
    assert fetch_weights("toy") == path


def test_fetching_downloads_the_registered_content_to_the_cache(toy, monkeypatch):
    asked = []

    def download(url, target, expected, progress=None):
        asked.append((url, expected))
        return put(target)

    monkeypatch.setattr(weights, "download", download)
    assert fetch_weights("toy").read_bytes() == CONTENT
    assert asked == [(toy.url, ExpectedFile(SHA256, len(CONTENT)))]


def test_an_offline_machine_is_told_the_address_the_path_and_the_variable(toy):
    with pytest.raises(DownloadError) as caught:
        fetch_weights("toy")
    for part in (toy.url, "could not be reached", str(toy.cache_path), "FACEHEADS_CACHE", toy.install):
        assert part in str(caught.value)


def make_wheel(path: Path, monkeypatch) -> Path:
    """A wheel with stand-ins for MTCNN's three files, which the registry is made to expect."""
    with zipfile.ZipFile(path, "w") as archive:
        for stage in ("pnet", "rnet", "onet"):
            archive.writestr(f"facenet_pytorch/data/{stage}.pt", CONTENT + stage.encode())
    stand_ins = tuple(stand_in(entry) for entry in list_weights() if entry.in_wheel)
    monkeypatch.setattr(weights, "_FILES", stand_ins)
    for entry in stand_ins:
        monkeypatch.setitem(weights.REGISTRY, entry.name, entry)
    return path


def stand_in(entry: WeightFile) -> WeightFile:
    content = CONTENT + Path(entry.member).stem.encode()
    return replace(
        entry, sha256=hashlib.sha256(content).hexdigest(), size_bytes=len(content), package="facenet_pytorch"
    )


def test_mtcnn_is_taken_from_a_wheel(tmp_path, monkeypatch):
    wheel = make_wheel(tmp_path / "facenet_pytorch-2.5.3-py3-none-any.whl", monkeypatch)
    paths = import_wheel(wheel)
    assert [path.name for path in paths] == ["mtcnn_pnet.pt", "mtcnn_rnet.pt", "mtcnn_onet.pt"]
    assert find_weights("mtcnn_onet") == paths[2]


@pytest.mark.parametrize(
    ("platform", "variables", "expected"),
    [
        ("linux", {"XDG_CACHE_HOME": "/x"}, "/x/faceheads"),
        ("linux", {}, "/home/me/.cache/faceheads"),
        ("darwin", {}, "/home/me/Library/Caches/faceheads"),
        ("win32", {"LOCALAPPDATA": "/l"}, "/l/faceheads/Cache"),
        ("linux", {"FACEHEADS_CACHE": "/own"}, "/own"),
        ("linux", {"FACEHEADS_CACHE": ""}, "/home/me/.cache/faceheads"),
    ],
)
def test_the_cache_folder_is_the_platforms_unless_chosen(monkeypatch, platform, variables, expected):
    for name in ("FACEHEADS_CACHE", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setattr(Path, "home", lambda: Path("/home/me"))
    assert weights.cache_dir() == Path(expected)


def test_the_command_lists_every_file(capsys):
    assert weights.main([]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == [entry.name for entry in list_weights()]


def test_the_command_reports_a_failed_download_with_exit_status_1(toy, capsys):
    assert weights.main(["fetch", "toy"]) == 1
    assert "FACEHEADS_CACHE" in capsys.readouterr().err
