"""Extraction: every input has a row, nothing is computed twice, a kill costs one shard."""

import dataclasses
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from faceheads.table import FaceRow, FaceTable, Status, TableError
from faceheads.table_io import read_table
from features import extract
from features.extract import Extraction
from tests.features.photos import whole_image_config, write_photos


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    folder = tmp_path_factory.mktemp("photos")
    write_photos(folder, 11)
    (folder / "empty.jpg").write_bytes(b"")
    (folder / "half.png").write_bytes((folder / "000.png").read_bytes()[:300])
    return folder


def run(folder, output, **changes):
    images = sorted(p.name for p in folder.iterdir())
    settings = {"config": whole_image_config(), "shard_size": 4, **changes}
    return Extraction(folder, settings.pop("images", images), output=output, **settings).run()


def assert_same_rows(one, two, tolerance=1e-6):
    for name in FaceTable._column_names():
        if name == "embedding":
            np.testing.assert_allclose(one.embedding, two.embedding, atol=tolerance)
        else:
            np.testing.assert_array_equal(getattr(one, name), getattr(two, name), err_msg=name)


def test_every_input_has_a_row_in_order_and_the_counts_add_up(photos, tmp_path):
    summary = run(photos, tmp_path / "f.parquet")
    table = read_table(tmp_path / "f.parquet")
    assert list(table.path) == sorted(p.name for p in photos.iterdir())
    assert summary.n_images == 13
    assert summary.status_counts["unreadable"] == 2
    assert sum(summary.status_counts.values()) == 13
    assert summary.n_faces == 11
    reasons = dict(zip(table.path, table.reason, strict=True))
    assert reasons["empty.jpg"] == "empty file"
    assert reasons["half.png"].startswith("truncated")
    assert not (tmp_path / "f.parquet.parts").exists()


@pytest.mark.parametrize("name", ["f.parquet", "f.csv", "folder"])
def test_a_second_run_computes_nothing_and_leaves_the_files_alone(photos, tmp_path, name):
    run(photos, tmp_path / name)
    before = {p: (p.stat().st_mtime_ns, p.read_bytes()) for p in tmp_path.rglob("*") if p.is_file()}
    again = run(photos, tmp_path / name)
    assert (again.n_computed, again.n_reused, again.n_faces) == (0, 13, 11)
    assert before == {p: (p.stat().st_mtime_ns, p.read_bytes()) for p in tmp_path.rglob("*") if p.is_file()}


def test_all_forms_hold_the_same_rows(photos, tmp_path):
    for name in ("f.parquet", "f.csv", "folder"):
        run(photos, tmp_path / name)
    assert_same_rows(read_table(tmp_path / "f.parquet"), read_table(tmp_path / "f.csv"))
    assert_same_rows(read_table(tmp_path / "f.parquet"), read_table(tmp_path / "folder"))


def test_two_workers_give_the_rows_of_one_process(photos, tmp_path):
    run(photos, tmp_path / "one.parquet", jobs=1)
    run(photos, tmp_path / "two.parquet", jobs=2)
    assert_same_rows(read_table(tmp_path / "one.parquet"), read_table(tmp_path / "two.parquet"))


def test_content_decides_not_the_path(photos, tmp_path):
    run(photos, tmp_path / "f.parquet")
    before = read_table(tmp_path / "f.parquet")
    moved = tmp_path / "moved"
    shutil.copytree(photos, moved)
    (moved / "003.png").rename(moved / "zzz.png")
    summary = run(moved, tmp_path / "f.parquet")
    table = read_table(tmp_path / "f.parquet")
    assert (summary.n_computed, summary.n_reused) == (0, 13)
    np.testing.assert_array_equal(table.embedding[table.path == "zzz.png"], before.embedding[before.path == "003.png"])


def test_changed_and_new_images_are_computed_and_removed_ones_disappear(photos, tmp_path):
    folder = tmp_path / "changing"
    shutil.copytree(photos, folder)
    run(folder, tmp_path / "f.parquet")
    write_photos(tmp_path / "new", 2, seed=9)
    shutil.copy(tmp_path / "new" / "000.png", folder / "000.png")
    shutil.copy(tmp_path / "new" / "001.png", folder / "0000-first.png")
    (folder / "010.png").unlink()
    summary = run(folder, tmp_path / "f.parquet")
    assert (summary.n_computed, summary.n_reused) == (2, 11)
    run(folder, tmp_path / "fresh.parquet")
    assert_same_rows(read_table(tmp_path / "f.parquet"), read_table(tmp_path / "fresh.parquet"))


def test_another_specification_is_refused_and_named(photos, tmp_path):
    run(photos, tmp_path / "f.parquet")
    before = (tmp_path / "f.parquet").read_bytes()
    other = dataclasses.replace(
        whole_image_config(), embedder=dataclasses.replace(whole_image_config().embedder, flip=True)
    )
    with pytest.raises(TableError, match="embedder.flip: False there, True now.*--overwrite"):
        run(photos, tmp_path / "f.parquet", config=other)
    assert (tmp_path / "f.parquet").read_bytes() == before
    summary = run(photos, tmp_path / "f.parquet", config=other, overwrite=True)
    assert summary.n_computed == 13


def test_failed_images_are_tried_again_only_when_asked(photos, tmp_path):
    run(photos, tmp_path / "f.parquet")
    assert run(photos, tmp_path / "f.parquet").n_computed == 0
    assert run(photos, tmp_path / "f.parquet", retry_failed=True).n_computed == 2


def test_an_image_that_kills_its_worker_becomes_a_failed_row(photos, tmp_path, monkeypatch):
    monkeypatch.setattr(extract, "_process", _process_that_dies)
    summary = run(photos, tmp_path / "f.parquet", jobs=2)
    table = read_table(tmp_path / "f.parquet")
    failed = table[table.status == "failed"]
    assert list(failed.path) == ["005.png"]
    assert "worker process died" in failed.reason[0]
    assert summary.status_counts["no_face"] == 12


def _process_that_dies(root, config, crops, is_worker, task):
    if "005.png" in task.paths:
        os.kill(os.getpid(), signal.SIGKILL)
    return extract._TaskResult([FaceRow(path, "", Status.NO_FACE) for path in task.paths], {})


_KILLED_RUN = """
import sys
from pathlib import Path
from features.extract import Extraction
from tests.features.photos import whole_image_config
folder, output = map(Path, sys.argv[1:])
if __name__ == "__main__":
    images = sorted(p.name for p in folder.iterdir())
    print("ready", flush=True)
    Extraction(folder, images, whole_image_config(), output, jobs=1, shard_size=8).run()
"""


def test_a_killed_run_is_taken_up_with_less_than_a_shard_computed_again(tmp_path):
    folder = tmp_path / "photos"
    names = write_photos(folder, 120)
    script = tmp_path / "run.py"
    script.write_text(_KILLED_RUN)
    output = tmp_path / "f.parquet"
    rng = random.Random(0)
    for _ in range(2):
        _kill_after(script, folder, output, rng.uniform(0.05, 0.4))
        assert not output.exists(), "the run was over before it was killed"
    parts = sorted((tmp_path / "f.parquet.parts").glob("*.parquet"))
    n_saved = len({path for part in parts for path in read_table(part).path})
    assert n_saved > 0
    summary = Extraction(folder, names, whole_image_config(), output, shard_size=8).run()
    assert summary.n_reused == n_saved
    Extraction(folder, names, whole_image_config(), tmp_path / "fresh.parquet", shard_size=8).run()
    assert_same_rows(read_table(output), read_table(tmp_path / "fresh.parquet"))


def _kill_after(script, folder, output, seconds):
    """Start a run, wait until a new shard is there and some time more, then kill -9."""
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    parts = output.with_name(output.name + ".parts")
    before = {p.stat().st_ino for p in parts.glob("part-*")}
    process = subprocess.Popen([sys.executable, script, folder, output], env=environment, stdout=subprocess.PIPE)
    while {p.stat().st_ino for p in parts.glob("part-*")} <= before:
        assert process.poll() is None, "the run ended without writing a shard"
        time.sleep(0.002)
    time.sleep(seconds)
    process.kill()
    process.wait()
    process.stdout.close()


def test_wrong_input_is_an_error_that_says_what_to_do(photos, tmp_path):
    with pytest.raises(ValueError, match="There are no images in"):
        run(photos, tmp_path / "f.parquet", images=[])
    with pytest.raises(ValueError, match=r"several times: \['000.png'\]"):
        run(photos, tmp_path / "f.parquet", images=["000.png", "000.png"])
    with pytest.raises(ValueError, match=r"must end in .parquet or .csv or be a folder; got 'f.txt'"):
        run(photos, tmp_path / "f.txt")


def test_crops_are_saved_beside_their_path(photos, tmp_path):
    run(photos, tmp_path / "f.parquet", crop_folder=tmp_path / "crops")
    assert len(list((tmp_path / "crops").glob("*.png"))) == 11
