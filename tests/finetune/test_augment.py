import numpy as np
import pytest
import torch
from PIL import Image, ImageFilter

from finetune.augment import Augmentation
from finetune.batch_changes import blurred, erased, luma, moved, recoloured
from finetune.crop_face import face_in_crop
from finetune.distortions import Subject

STRONG = Augmentation(flip=0.5, shift=0.1, zoom=0.2, colour=0.4, gray=0.3, blur=0.5, erase=0.5)
NOTHING = {"flip": 0, "shift": 0, "zoom": 0, "colour": 0}


@pytest.fixture
def crops():
    return torch.randint(0, 256, (6, 3, 24, 20), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


def seeded(seed=1):
    return torch.Generator().manual_seed(seed)


def test_the_same_seed_changes_crops_in_the_same_way_and_each_crop_in_its_own(crops):
    crops[1] = crops[0]
    once, again, other = STRONG(crops, seeded()), STRONG(crops, seeded()), STRONG(crops, seeded(2))
    assert torch.equal(once, again)
    assert not torch.equal(once, other) and not torch.equal(once[0], once[1])
    assert once.dtype == torch.float32 and once.min() >= 0 and once.max() <= 255


def test_with_all_values_0_nothing_changes(crops):
    assert torch.equal(Augmentation(**NOTHING)(crops, seeded()), crops.float())


def test_a_flip_is_the_mirror_image(crops):
    changed = Augmentation(**{**NOTHING, "flip": 1.0})(crops, seeded())
    torch.testing.assert_close(changed, crops.flip(3).float(), atol=1e-2, rtol=0)


def test_a_shift_moves_to_the_right_and_down_also_when_flipped(crops):
    x = crops.float()
    shift = torch.tensor([[0.1, 1 / 24]]).repeat(6, 1)  # 2 of 20 columns, 1 of 24 rows
    for is_flipped in (False, True):
        there = moved(x, torch.full((6,), is_flipped), shift, torch.ones(6))
        expected = x.flip(3) if is_flipped else x
        torch.testing.assert_close(there[:, :, 1:, 2:], expected[:, :, :-1, :-2], atol=1e-2, rtol=0)


def test_a_zoom_enlarges_about_the_middle():
    x = torch.zeros(1, 1, 20, 20)
    x[:, :, 8:12, 8:12] = 1
    larger = moved(x, torch.tensor([False]), torch.zeros(1, 2), torch.tensor([2.0]))
    assert larger[0, 0, 10, 7] > 0.9 and larger.sum() == pytest.approx(4 * 16, rel=0.05)


def test_colours_change_as_pillow_changes_them():
    from PIL import ImageEnhance

    rgb = np.random.default_rng(0).integers(60, 180, (8, 8, 3), np.uint8)
    x = torch.from_numpy(rgb).permute(2, 0, 1)[None].float()
    one = torch.ones(1)
    for position, enhance in enumerate((ImageEnhance.Brightness, ImageEnhance.Contrast, ImageEnhance.Color)):
        factors = [one, one, one]
        factors[position] = torch.tensor([1.3])
        expected = np.asarray(enhance(Image.fromarray(rgb)).enhance(1.3), float)
        changed = recoloured(x, *factors)[0].permute(1, 2, 0).numpy()
        np.testing.assert_allclose(changed, expected, atol=1.5)  # Pillow rounds to whole numbers
    assert torch.allclose(luma(recoloured(x, one, one, 0 * one)), luma(x), atol=1e-3)


def test_a_blur_is_gaussian():
    rgb = np.random.default_rng(0).integers(0, 256, (30, 30), np.uint8)
    x = torch.from_numpy(rgb)[None, None].float()
    expected = np.asarray(Image.fromarray(rgb).filter(ImageFilter.GaussianBlur(1.5)), float)
    got = blurred(x, torch.tensor([1.5]))[0, 0].numpy()
    np.testing.assert_allclose(got[8:-8, 8:-8], expected[8:-8, 8:-8], atol=6)  # Pillow's are three box blurs


def test_a_rectangle_of_one_colour_is_erased(crops):
    x = crops.float()
    start, stop = torch.tensor([[0.25, 0.5]]).repeat(6, 1), torch.tensor([[0.5, 1.0]]).repeat(6, 1)
    out = erased(x, torch.arange(6) > 0, start, stop, torch.full((6, 3), 7.0))
    assert torch.equal(out[0], x[0])
    assert (out[1:, :, 6:12, 10:] == 7).all() and torch.equal(out[:, :, :6], x[:, :, :6])


def test_a_value_out_of_range_is_refused():
    with pytest.raises(ValueError, match="'blur' must be in"):
        Augmentation(blur=1.5)


CHIP_FACE = face_in_crop({"kind": "dlib_chip", "size": 60, "padding": 0.25}, 60)


@pytest.mark.parametrize(("part", "place"), [("eyes", 0), ("eyes", 1), ("nose", 2), ("mouth", 3)])
def test_a_cut_out_covers_its_part_of_the_face_and_no_other(part, place):
    crops = torch.full((8, 3, 60, 60), 100, dtype=torch.uint8)
    changed = Augmentation(**NOTHING, cutout=1.0, cutout_part=part)(crops, seeded(), CHIP_FACE)
    for i, (x, y) in enumerate(CHIP_FACE.parts_xy):
        is_covered = (changed[:, :, int(y), int(x)] != 100).any(1)
        own = i == place or (part == "eyes" and i < 2)
        assert is_covered.all() if own else not is_covered.any()
    assert (changed == 100).float().mean() > 0.6


def test_cut_outs_come_with_their_probability_and_all_parts_in_turn():
    crops = torch.full((400, 3, 60, 60), 100, dtype=torch.uint8)
    changed = Augmentation(**NOTHING, cutout=0.6)(crops, seeded(), CHIP_FACE)
    covered = torch.stack([(changed[:, :, int(y), int(x)] != 100).any(1) for x, y in CHIP_FACE.parts_xy[1:]])
    assert covered.sum(0).max() == 1
    assert covered.any(0).float().mean() == pytest.approx(0.6, abs=0.08)
    assert covered.float().mean(1).tolist() == pytest.approx([0.2] * 3, abs=0.07)


def test_a_cut_out_beyond_the_edge_covers_what_is_inside():
    """Fixed offsets in pixels erased nothing where a corner was negative."""
    landmarks = np.array([[20, 2], [14, 2], [2, 2], [8, 2], [11, 14]], float)
    crops = torch.full((4, 3, 24, 24), 100, dtype=torch.uint8)
    face = Subject(30.0, landmarks, "dlib5")
    changed = Augmentation(**NOTHING, cutout=1.0, cutout_part="eyes")(crops, seeded(), face)
    assert (changed[:, :, 0, 0] != 100).any(1).all() and (changed[:, :, 12:] == 100).all()


def test_parts_can_be_cut_out_of_aligned_crops_only():
    with pytest.raises(ValueError, match="--cutout needs crops that are aligned"):
        Augmentation(cutout=0.5)(torch.zeros(1, 3, 8, 8), seeded(), Subject())
