import json
from dataclasses import replace

import numpy as np
import pytest

from faceheads.images.reading import read_image
from finetune.crop_file import CropFileError, open_crop_file, pack_crops
from tests.finetune.crops import write_crops


@pytest.fixture
def extraction(tmp_path):
    table, _ = write_crops(tmp_path / "crops", n_people=2)
    return tmp_path / "crops", table, tmp_path / "crops.npy"


def test_packed_crops_are_those_of_the_folder_in_the_order_of_the_table(extraction):
    folder, table, target = extraction
    packed = pack_crops(folder, table, target)
    assert packed.keys == tuple(table.keys) and packed.sha256 == tuple(table.sha256)
    assert packed.crop == {"kind": "dlib_chip", "size": 150, "padding": 0.25}
    for key, pixels in zip(packed.keys, packed.pixels, strict=True):
        np.testing.assert_array_equal(pixels, read_image(folder / f"{key}.png").rgb)


def test_crops_are_decoded_once_and_again_when_a_photo_changed(extraction):
    folder, table, target = extraction
    pack_crops(folder, table, target)
    written = target.stat().st_mtime_ns
    pack_crops(folder, table, target)
    assert target.stat().st_mtime_ns == written
    table.sha256[0] = "0" * 64
    assert pack_crops(folder, table, target).sha256[0] == "0" * 64
    assert target.stat().st_mtime_ns != written


def test_a_missing_crop_is_named(extraction):
    folder, table, target = extraction
    (folder / "p1/0.jpg.png").unlink()
    with pytest.raises(CropFileError, match=r"1 of 6 are missing, for example \['p1/0.jpg'\]"):
        pack_crops(folder, table, target)


def test_a_crop_of_another_size_or_damage_is_refused(extraction):
    folder, table, target = extraction
    write_crops(folder / "other", n_people=1, n_photos=1, size_px=30)
    (folder / "other/p0/0.jpg.png").replace(folder / "p1/0.jpg.png")
    with pytest.raises(CropFileError, match="'p1/0.jpg'"):
        pack_crops(folder, table, target)
    (folder / "p1/0.jpg.png").write_bytes(b"no picture")
    with pytest.raises(CropFileError, match="cannot be read"):
        pack_crops(folder, table, target)
    assert not target.exists()


def test_jittered_crops_are_refused(extraction):
    folder, table, target = extraction
    jittered = replace(table, spec=table.spec.with_embedder(replace(table.spec.embedder, jitter=3)))
    with pytest.raises(CropFileError, match="without --jitter"):
        pack_crops(folder, jittered, target)


def test_a_file_that_does_not_fit_its_description_is_refused(extraction):
    folder, table, target = extraction
    pack_crops(folder, table, target)
    np.save(target, np.zeros((5, 40, 40, 3), np.uint8))
    with pytest.raises(CropFileError, match="must hold 6 RGB crops"):
        open_crop_file(target)
    np.save(target, np.array([{}], object), allow_pickle=True)
    with pytest.raises(CropFileError, match="damaged"):
        open_crop_file(target)
    target.with_suffix(".json").write_text(json.dumps([]))
    with pytest.raises(CropFileError, match="JSON beside it"):
        open_crop_file(target)
