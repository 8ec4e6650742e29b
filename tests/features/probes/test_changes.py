import numpy as np
import pytest

from features.probes.blending import blend
from features.probes.changes import CHANGES, FLOOR, PROBES
from features.probes.colours import lab_of
from features.probes.recolour import HAIR_COLOURS
from features.probes.scene import Scene
from tests.features.probes.drawn_faces import drawn_head, drawn_scene


@pytest.fixture(scope="module")
def scene():
    return drawn_scene()


@pytest.fixture(scope="module")
def regions(scene):
    """Eyes, mouth and what is far from the face, bool."""
    x, y = scene.coordinates
    eyes = (np.abs(np.abs(x) - 0.5) < 0.3) & (np.abs(y - 0.05) < 0.2)
    return {"eyes": eyes, "mouth": np.hypot(x, y - 1.3) < 0.3, "far": np.hypot(x, y) > 2.4}


def moved(scene, name, where):
    return np.abs(CHANGES[name](scene).astype(int) - scene.rgb)[where].mean()


def test_every_change_gives_a_picture_of_the_same_shape_and_does_something(scene):
    before = scene.rgb.copy()
    for name, change in CHANGES.items():
        changed = change(scene)
        assert (changed.shape, changed.dtype) == (scene.rgb.shape, np.uint8), name
        assert (changed != scene.rgb).any(), name
    assert np.array_equal(scene.rgb, before)


def test_every_probe_and_every_control_exists_once():
    names = [probe.name for probe in (*PROBES, FLOOR)] + [probe.control for probe in PROBES]
    assert sorted(names) == sorted(CHANGES)


@pytest.mark.parametrize("name", HAIR_COLOURS)
def test_hair_gets_the_colour_and_the_face_stays_as_it_was(name):
    rgb, frame, hair = drawn_head()
    scene = Scene(rgb, frame)
    changed = CHANGES[f"{name} hair"](scene)
    colour = HAIR_COLOURS[name]
    inside = hair & (scene.hair > 0.99)
    mean = lab_of(changed)[inside].mean(axis=0)
    assert mean == pytest.approx([colour.lightness, colour.a, colour.b], abs=6)
    x, y = scene.coordinates
    is_face = np.hypot(x / 0.9, (y - 0.4) / 1.2) < 1
    assert np.array_equal(changed[is_face], rgb[is_face])


def test_the_control_of_hair_changes_as_much_and_leaves_the_head_alone(scene):
    share = scene.background_like_hair
    assert share.sum() == pytest.approx(scene.hair.sum(), rel=0.02)
    changed = CHANGES["blond background"](scene)
    is_head = (scene.hair > 0.99) | (scene.background == 0)
    assert np.abs(changed.astype(int) - scene.rgb)[is_head].max() <= 2
    assert np.abs(changed.astype(int) - scene.rgb)[share > 0.9].mean() > 20


def test_where_no_hair_is_found_hair_cannot_be_recoloured():
    rgb, frame, _ = drawn_head()
    tight = Scene(np.ascontiguousarray(rgb[95:]), frame.moved((0, 95)))
    assert CHANGES["blond hair"](tight) is None
    assert CHANGES["blond background"](tight) is None
    assert CHANGES["darker"](tight) is not None


@pytest.mark.parametrize(("name", "least"), [("sunglasses", 100), ("glasses", 1.5), ("eyes blurred", 1)])
def test_glasses_and_blurs_are_at_the_eyes_and_their_controls_at_the_mouth(scene, regions, name, least):
    control = next(probe.control for probe in PROBES if probe.name == name)
    assert moved(scene, name, regions["eyes"]) > least
    assert moved(scene, control, regions["mouth"]) > least / 3
    for at_eyes, other in ((name, "mouth"), (control, "eyes"), (name, "far"), (control, "far")):
        assert moved(scene, at_eyes, regions[other]) == 0


def test_glasses_are_darker_than_what_they_cover_and_drawn_on_both_sides_alike():
    rgb, frame, _ = drawn_head(centre_xy=(129.5, 125))
    plain = Scene(np.full_like(rgb, 180), frame)
    glasses = CHANGES["glasses"](plain).astype(int)
    assert glasses.min() < 60
    x, _ = plain.coordinates
    assert (glasses < 90)[x < 0].sum() == pytest.approx((glasses < 90)[x > 0].sum(), rel=0.05)


def test_light_adds_up(scene):
    light = lambda rgb: (rgb.astype(float) / 255) ** 2.2
    darker = CHANGES["darker"](scene)
    assert np.abs(light(darker) - light(scene.rgb) / 4).max() < 0.006
    warm = CHANGES["warm light"](scene).astype(int) - scene.rgb
    assert warm[..., 0].mean() > 0 > warm[..., 2].mean()
    gray = CHANGES["gray photo"](scene)
    assert (gray == gray[..., :1]).all()


def test_light_from_a_side_is_stronger_there(scene):
    x, _ = scene.coordinates
    for name, side in (("light from the left", -1), ("light from the right", 1)):
        change = CHANGES[name](scene).astype(int) - scene.rgb
        assert change[side * x > 1].mean() > 10 > -10 > change[side * x < -1].mean()


def test_light_from_a_side_falls_off_by_e_for_each_eye_distance():
    rgb, frame, _ = drawn_head()
    plain = Scene(np.full_like(rgb, 120), frame)
    x, _ = plain.coordinates
    gain = (CHANGES["light from the right"](plain)[..., 0] / 120) ** 2.2
    middle, right, left = (gain[np.abs(x - at) < 0.05].mean() for at in (0, 0.5, -0.5))
    assert middle == pytest.approx(0.741, rel=0.03)  # exp(−0.3): the other side loses more than this side gains
    assert right / left == pytest.approx(np.e, rel=0.05)


def test_blurs_are_as_large_and_lie_in_the_middle_of_eyes_and_mouth():
    rgb, frame, _ = drawn_head()
    noise = Scene(np.random.default_rng(0).integers(0, 256, rgb.shape, dtype=np.uint8), frame)
    x, y = noise.coordinates
    is_changed = {name: (CHANGES[name](noise) != noise.rgb).any(axis=2) for name in ("eyes blurred", "mouth blurred")}
    centres = [(x[some].mean(), y[some].mean()) for some in is_changed.values()]
    assert centres[0] == pytest.approx((0, 0), abs=0.03)
    assert centres[1] == pytest.approx(frame.points[48:68].mean(axis=0), abs=0.03)
    assert is_changed["mouth blurred"].sum() == pytest.approx(is_changed["eyes blurred"].sum(), rel=0.03)


def test_background_only_leaves_the_head(scene):
    for probe in PROBES:
        if probe.control.endswith("background only"):
            assert np.array_equal(
                CHANGES[probe.control](scene)[scene.background == 0], scene.rgb[scene.background == 0]
            )
            assert moved(scene, probe.control, scene.background > 0.99) > 1


def test_noise_is_invisible_and_the_same_for_a_seed(scene):
    noisy = CHANGES["invisible noise"](scene).astype(int) - scene.rgb
    assert noisy.std() == pytest.approx(2, rel=0.05)
    again, other = (Scene(scene.rgb, scene.frame, seed) for seed in ((0,), (1,)))
    assert np.array_equal(CHANGES["invisible noise"](again), CHANGES["invisible noise"](scene))
    assert not np.array_equal(CHANGES["invisible noise"](other), CHANGES["invisible noise"](scene))


def test_blending_is_exact_at_its_ends():
    rgb, other = np.random.default_rng(0).integers(0, 256, (2, 5, 4, 3), dtype=np.uint8)
    share = np.zeros((5, 4))
    share[2:] = 1
    assert np.array_equal(blend(rgb, other, share), np.concatenate([rgb[:2], other[2:]]))
