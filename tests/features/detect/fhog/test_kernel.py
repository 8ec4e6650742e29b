"""The whole detector against dlib's."""

import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from faceheads.images.reading import read_image
from features.detect.fhog import HogKernel, kernel
from tests.features.detect.fhog.reference import dlib_faces, textured


def check_equal(image, upsample, threshold):
    """The same list as dlib's; its length."""
    rectangles, scores, detectors = HogKernel(upsample, threshold)(image)
    wanted_rectangles, wanted_scores, wanted_detectors = dlib_faces(np.ascontiguousarray(image), upsample, threshold)
    assert rectangles.tolist() == wanted_rectangles.tolist()
    assert detectors.tolist() == wanted_detectors.tolist()
    assert scores == pytest.approx(wanted_scores, abs=1e-5)
    return len(rectangles)


@pytest.mark.parametrize("upsample", [0, 1, 2])
@pytest.mark.parametrize("size", [(80, 80), (97, 131), (180, 90), (64, 300)])
def test_textures_give_dlibs_list(size, upsample):
    assert check_equal(textured(*size, seed=sum(size)), upsample, -2.0) > 0


def test_a_picture_cut_into_many_strips_and_tiles_gives_dlibs_list():
    assert check_equal(textured(420, 1300, seed=5), 0, -1.8) > 3


@pytest.mark.parametrize("upsample", [0, 1, 2])
@pytest.mark.parametrize("size", [(1, 1), (1, 9), (5, 2000), (2000, 5), (23, 24), (24, 24), (79, 40)])
def test_small_and_narrow_images_give_dlibs_list(size, upsample):
    check_equal(np.random.default_rng(0).integers(0, 256, (*size, 3), np.uint8), upsample, -2.0)


@pytest.mark.parametrize("value", [0, 128, 255])
def test_flat_images_have_no_faces(value):
    assert check_equal(np.full((150, 160, 3), value, np.uint8), 1, -0.5) == 0


def test_gray_pictures_give_dlibs_list():
    gray = textured(150, 140, seed=2)[:, :, :1]
    assert check_equal(np.repeat(gray, 3, axis=2), 1, -2.0) > 0


def test_views_that_are_not_contiguous_or_not_writeable_give_the_same():
    image = textured(120, 260, seed=3)
    wanted = HogKernel(1, -2.0)(image[:, ::2].copy())
    frozen = image[:, ::2].copy()
    frozen.flags.writeable = False
    for view in (image[:, ::2], np.asfortranarray(image[:, ::2]), frozen, image[:, ::2, ::-1][:, :, ::-1]):
        for found, column in zip(HogKernel(1, -2.0)(view), wanted, strict=True):
            assert np.array_equal(found, column)
    assert np.array_equal(image, textured(120, 260, seed=3))


def test_a_lower_threshold_only_adds_to_the_end_of_the_list():
    image = textured(160, 200, seed=9)
    few, many = HogKernel(1, -1.6)(image), HogKernel(1, -2.4)(image)
    assert 0 < len(few[0]) < len(many[0])
    for column, longer in zip(few, many, strict=True):
        assert np.array_equal(column, longer[: len(column)])


def test_more_windows_than_there_is_room_for_are_all_found(monkeypatch):
    image = textured(200, 220, seed=4)
    wanted = kernel._hits(image, 0, -3.0)
    workspaces = kernel.Workspaces()
    room = workspaces.fitting(200, 220, 0, kernel._model(), n_hits=1).hits.size // kernel.HIT_FLOATS
    monkeypatch.setattr(kernel, "_WORKSPACES", workspaces)
    monkeypatch.setattr(type(workspaces).fitting, "__defaults__", (1,))
    assert room < len(wanted)
    assert np.array_equal(kernel._hits(image, 0, -3.0), wanted)


def test_a_small_image_after_a_large_one_is_not_disturbed_by_what_that_left():
    small, large = textured(90, 100, seed=6), textured(300, 400, seed=7)
    detector = HogKernel(0, -2.4)
    before = detector(small)
    detector(large)
    assert all(np.array_equal(one, other) for one, other in zip(before, detector(small), strict=True))


def test_threads_may_share_a_kernel():
    images = [textured(90 + 7 * number, 120 + 5 * number, seed=number) for number in range(8)]
    detector = HogKernel(1, -2.2)
    wanted = [detector(image) for image in images]
    with ThreadPoolExecutor(4) as pool:
        for _ in range(3):
            for found, one in zip(pool.map(detector, images), wanted, strict=True):
                assert all(np.array_equal(column, same) for column, same in zip(found, one, strict=True))


def test_a_kernel_can_be_sent_to_another_process():
    detector = pickle.loads(pickle.dumps(HogKernel(2, -0.25)))
    assert (detector.upsample, detector.threshold) == (2, -0.25)


@pytest.mark.parametrize("upsample", [-1, 0.5, True, "1"])
def test_a_wrong_upsample_is_refused(upsample):
    with pytest.raises(ValueError, match=r"upsample must be a whole number of at least 0; got "):
        HogKernel(upsample)


@pytest.mark.parametrize("threshold", [np.nan, np.inf])
def test_a_wrong_threshold_is_refused(threshold):
    with pytest.raises(ValueError, match="threshold must be finite"):
        HogKernel(1, threshold)


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((90, 90), np.uint8),
        np.zeros((90, 90, 4), np.uint8),
        np.zeros((90, 90, 3)),
        np.zeros((0, 90, 3), np.uint8),
    ],
)
def test_what_is_no_rgb_image_is_refused(image):
    with pytest.raises(ValueError, match="image must be a uint8 array of shape"):
        HogKernel(0)(image)


def test_a_cache_that_cannot_be_written_costs_time_but_not_the_result(monkeypatch):
    compiled, tried = object(), []

    def compile_(is_cached, digest, signature):
        tried.append(is_cached)
        if is_cached:
            raise OSError("no space left on device")
        return compiled

    monkeypatch.setattr(kernel, "_compile", compile_)
    with pytest.warns(RuntimeWarning, match="cannot be kept for the next process: no space left"):
        assert kernel._scan.__wrapped__() is compiled
    assert tried == [True, False]


def test_the_digest_of_the_sources_changes_with_any_of_them(tmp_path, monkeypatch):
    for name in ("kernel.py", "resize.py"):
        (tmp_path / name).write_text("pass\n")
    monkeypatch.setattr(kernel, "__file__", str(tmp_path / "kernel.py"))
    before = kernel._source_digest()
    (tmp_path / "resize.py").write_text("pass  # changed\n")
    assert kernel._source_digest() != before


def test_without_numba_the_package_can_be_imported_and_says_what_is_missing():
    code = (
        "import sys; sys.modules['numba'] = None; import features.detect.fhog\n"
        "try: from features.detect.fhog import HogKernel\n"
        "except ImportError as error: print('numba' in str(error))"
    )
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True, timeout=60)
    assert done.stdout == "True\n", done.stderr


@pytest.mark.parametrize("upsample, threshold", [(0, 0.0), (1, 0.0), (1, -0.5)])
def test_photos_of_people_give_dlibs_list(upsample, threshold, lfw_photos):
    n_found = sum(check_equal(read_image(path).rgb, upsample, threshold) for path in lfw_photos[::24])
    assert n_found >= 4


def test_a_group_photo_gives_dlibs_list(group_photos):
    path = next(path for path in group_photos if path.stem == "korean-protest")
    assert check_equal(read_image(path).rgb, 1, -0.5) >= 11
