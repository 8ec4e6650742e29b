"""Extraction: every input has a row, nothing is computed twice, a kill costs one shard."""

import dataclasses
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from faceheads.table import FaceRow, FaceTable, Status, TableError
from faceheads.table_io import read_table
from features import extract
from features.extract import Extraction
from features.extract_worker import TaskResult
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


def test_rows_of_a_version_that_did_not_measure_quality_are_kept_and_counted(photos, tmp_path):
    run(photos, tmp_path / "f.parquet")
    measured = read_table(tmp_path / "f.parquet")
    arrow = pq.read_table(tmp_path / "f.parquet").drop_columns(["brightness", "sharpness"])
    pq.write_table(arrow, tmp_path / "f.parquet")
    write_photos(tmp_path / "more", 2, seed=9)
    shutil.copytree(photos, tmp_path / "more", dirs_exist_ok=True)
    (tmp_path / "more" / "new.png").write_bytes((tmp_path / "more" / "000.png").read_bytes() + b"changed")
    summary = run(tmp_path / "more", tmp_path / "f.parquet")
    table = read_table(tmp_path / "f.parquet")
    assert (summary.n_computed, summary.n_reused, summary.n_unmeasured) == (1, 13, 11)
    assert list(table.path[~np.isnan(table.sharpness)]) == ["new.png"]
    again = run(tmp_path / "more", tmp_path / "g.parquet")
    assert again.n_unmeasured == 0
    kept = np.isin(read_table(tmp_path / "g.parquet").path, measured.path)
    np.testing.assert_array_equal(read_table(tmp_path / "g.parquet")[kept].brightness, measured.brightness)


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
    monkeypatch.setattr(extract, "process", _process_that_dies)
    summary = run(photos, tmp_path / "f.parquet", jobs=2)
    table = read_table(tmp_path / "f.parquet")
    failed = table[table.status == "failed"]
    assert list(failed.path) == ["005.png"]
    assert "worker process died" in failed.reason[0]
    assert summary.status_counts["no_face"] == 12


def _process_that_dies(root, config, crops, task):
    if "005.png" in task.paths:
        os.kill(os.getpid(), signal.SIGKILL)
    return TaskResult([FaceRow(path, "", Status.NO_FACE) for path in task.paths])


_STOPPED_RUN = """
import sys, time
from pathlib import Path
from features.extract import Extraction
from tests.features.photos import whole_image_config
folder, output = map(Path, sys.argv[1:3])
n_left = int(sys.argv[3])
def wait_to_be_killed(n_images, times):
    global n_left
    n_left -= n_images
    if n_left <= 0:
        print("here", flush=True)
        time.sleep(600)
images = sorted(p.name for p in folder.iterdir())
Extraction(folder, images, whole_image_config(), output, shard_size=8).run(wait_to_be_killed)
"""


def test_a_killed_run_is_taken_up_with_less_than_a_shard_computed_again(tmp_path):
    folder, output = tmp_path / "photos", tmp_path / "f.parquet"
    names = write_photos(folder, 60)
    for n_images, n_saved in ((20, 16), (45, 40)):
        _kill_after(n_images, folder, output)
        parts = (tmp_path / "f.parquet.parts").glob("*.parquet")
        assert len({path for part in parts for path in read_table(part).path}) == n_saved
        assert not output.exists()
    summary = Extraction(folder, names, whole_image_config(), output, shard_size=8).run()
    assert (summary.n_reused, summary.n_computed) == (40, 20)
    Extraction(folder, names, whole_image_config(), tmp_path / "fresh.parquet", shard_size=8).run()
    assert_same_rows(read_table(output), read_table(tmp_path / "fresh.parquet"))


def _kill_after(n_images, folder, output):
    """Start a run and kill -9 it when it has gone through so many images."""
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    command = [sys.executable, "-c", _STOPPED_RUN, str(folder), str(output), str(n_images)]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "here\n"
        process.kill()


def test_shards_of_a_stopped_run_are_not_overwritten_while_their_rows_are_needed(tmp_path):
    folder, output = tmp_path / "photos", tmp_path / "f.parquet"
    old = write_photos(folder, 6)
    n_done = 0

    def stop_at_the_end(n_images, times):
        nonlocal n_done
        n_done += n_images
        if n_done == len(old):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Extraction(folder, old, whole_image_config(), output, shard_size=2).run(stop_at_the_end)
    new = [f"new/{name}" for name in write_photos(folder / "new", 4, seed=5)]
    summary = Extraction(folder, [*new, *old], whole_image_config(), output, shard_size=2).run()
    assert (summary.n_reused, summary.n_computed) == (4, 6)
    Extraction(folder, [*new, *old], whole_image_config(), tmp_path / "fresh.parquet", shard_size=2).run()
    assert_same_rows(read_table(output), read_table(tmp_path / "fresh.parquet"))


def test_a_folder_of_other_things_is_never_replaced(photos, tmp_path):
    precious = tmp_path / "pictures"
    shutil.copytree(photos, precious)
    before = sorted(path.name for path in precious.iterdir())
    for overwrite in (False, True):
        with pytest.raises(TableError, match="holds other things than a feature table, for example '000.png'"):
            run(photos, precious, overwrite=overwrite)
    assert sorted(path.name for path in precious.iterdir()) == before


def test_what_is_put_into_the_table_folder_while_it_is_made_survives(photos, tmp_path):
    run(photos, tmp_path / "table")
    images = sorted(path.name for path in photos.iterdir())
    again = Extraction(photos, images, whole_image_config(), tmp_path / "table", overwrite=True)
    with pytest.raises(TableError, match="for example 'notes.txt'"):
        again.run(lambda *_: (tmp_path / "table" / "notes.txt").write_text("mine"))
    assert (tmp_path / "table" / "notes.txt").read_text() == "mine"


def test_an_empty_folder_can_become_a_table_and_a_table_folder_can_be_made_anew(photos, tmp_path):
    (tmp_path / "table").mkdir()
    run(photos, tmp_path / "table")
    (photos / "extra.png").write_bytes((photos / "000.png").read_bytes()[:-1])
    try:
        assert run(photos, tmp_path / "table").n_computed == 1
        assert run(photos, tmp_path / "table", overwrite=True).n_computed == 14
    finally:
        (photos / "extra.png").unlink()
    assert {path.name for path in (tmp_path / "table").iterdir()} == {f"part-0000{i}.parquet" for i in range(4)}


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


@pytest.mark.parametrize(("n_images", "n_workers"), [(1, 2), (64, 2), (65, 3), (1000, 16)])
def test_no_more_workers_are_started_than_there_are_tasks(tmp_path, n_images, n_workers):
    extraction = Extraction(tmp_path, [], config=whole_image_config(), output=tmp_path / "f.parquet", jobs=16)
    assert extraction._pool(n_images)._jobs == n_workers
