"""Attention of a tiny random transformer, against the same computed by hand in numpy."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from faceheads.networks.timm_network import import_timm
from features.embedders import ArrayEmbedder, TorchEmbedder
from features.explain import job as job_module
from features.explain.attention import Attention, attention_of
from features.explain.attention_picture import attention_picture
from features.explain.job import ExplanationJob
from features.pipeline import FacePipeline
from tests.features.photos import whole_image_config, write_photos
from tests.tables import table_spec

timm_models = import_timm("this test").models

SIDE, PATCH, DIMENSION, HEADS, BLOCKS = 24, 8, 12, 3, 2
SPEC = replace(table_spec(DIMENSION).embedder, network="vit", dimension=DIMENSION)


class Tiny(torch.nn.Module):
    """A vision transformer with random weights, in the form that embedders have."""

    def __init__(self, pool="token", seed=0):
        super().__init__()
        torch.manual_seed(seed)
        self.network = timm_models.VisionTransformer(
            img_size=SIDE,
            patch_size=PATCH,
            embed_dim=DIMENSION,
            depth=BLOCKS,
            num_heads=HEADS,
            num_classes=0,
            global_pool=pool,
            class_token=pool == "token",
            dynamic_img_size=True,
            dynamic_img_pad=True,
        )
        for weights in self.parameters():
            torch.nn.init.normal_(weights, std=0.5)

    def forward(self, crops, layers):
        return self.network(crops.float() / 255)


def embedder(pool="token"):
    module = Tiny(pool)
    return TorchEmbedder(SPEC, lambda: module, "cpu", 4)


@pytest.fixture
def crop():
    return np.random.default_rng(0).integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)


def softmax(x):
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def normalised(x, norm):
    mean, variance = x.mean(axis=1, keepdims=True), x.var(axis=1, keepdims=True)
    return (x - mean) / np.sqrt(variance + norm.eps) * norm.weight.numpy() + norm.bias.numpy()


def linear(x, layer):
    return x @ layer.weight.numpy().T + layer.bias.numpy()


def attention_by_hand(network, crop):
    """Weights of every block and head, one product after the other."""
    pixels = crop.transpose(2, 0, 1) / 255
    kernel = network.patch_embed.proj
    patches = [pixels[:, y : y + PATCH, x : x + PATCH] for y in range(0, SIDE, PATCH) for x in range(0, SIDE, PATCH)]
    tokens = [network.cls_token.numpy()[0, 0]]
    tokens += [np.tensordot(kernel.weight.numpy(), patch, 3) + kernel.bias.numpy() for patch in patches]
    x = np.array(tokens) + network.pos_embed.numpy()[0]
    found = np.empty((BLOCKS, HEADS, len(x), len(x)))
    width = DIMENSION // HEADS
    for number, block in enumerate(network.blocks):
        q, k, v = np.split(linear(normalised(x, block.norm1), block.attn.qkv), 3, axis=1)
        out = np.empty_like(q)
        for head in range(HEADS):
            part = slice(head * width, (head + 1) * width)
            found[number, head] = softmax(q[:, part] @ k[:, part].T / np.sqrt(width))
            out[:, part] = found[number, head] @ v[:, part]
        x = x + linear(out, block.attn.proj)
        hidden = torch.nn.functional.gelu(torch.from_numpy(linear(normalised(x, block.norm2), block.mlp.fc1))).numpy()
        x = x + linear(hidden, block.mlp.fc2)
    return found


def test_the_attention_is_that_computed_by_hand(crop):
    tiny = embedder()
    found = attention_of(tiny, crop)
    expected = attention_by_hand(tiny.module.network, crop)
    assert found.weights == pytest.approx(expected, abs=1e-4)
    assert found.grid_hw == (3, 3)
    middle = slice(PATCH // 2, None, PATCH)  # at the middles of the patches the map is what the patch has
    heads = found.of_heads()
    assert heads.shape == (HEADS, SIDE, SIDE)
    one = Attention(found.weights, (3, 3), (1, 1), (3, 3), True).of_heads()
    assert one[1].ravel() == pytest.approx(expected[-1, 1, 0, 1:], abs=1e-4)
    assert heads[1, middle, middle].mean() == pytest.approx(one[1].mean(), rel=0.1)


def test_rollout_multiplies_half_attention_and_half_shortcut_of_all_blocks(crop):
    tiny = embedder()
    found = attention_of(tiny, crop)
    first, second = (block.mean(axis=0) for block in attention_by_hand(tiny.module.network, crop))
    expected = (0.5 * second + 0.5 * np.eye(10)) @ (0.5 * first + 0.5 * np.eye(10))
    shares = Attention(found.weights, (3, 3), (1, 1), (3, 3), True).rollout()
    assert shares.ravel() == pytest.approx(expected[0, 1:], abs=1e-5)
    assert expected.sum(axis=1) == pytest.approx(1)


def test_reading_attention_leaves_the_network_as_it_was(crop):
    tiny = embedder()
    before = tiny.embed(crop[None])
    fused = [block.attn.fused_attn for block in tiny.module.network.blocks]
    attention_of(tiny, crop)
    assert [block.attn.fused_attn for block in tiny.module.network.blocks] == fused
    assert all(fused)
    assert not any(block.attn.attn_drop._forward_hooks for block in tiny.module.network.blocks)
    assert np.array_equal(tiny.embed(crop[None]), before)


def test_without_a_class_token_the_patches_are_averaged_and_odd_crops_are_cut(crop):
    odd = np.pad(crop, ((0, 5), (0, 0), (0, 0)))
    found = attention_of(embedder("avg"), odd)
    assert found.weights.shape == (BLOCKS, HEADS, 12, 12)
    assert found.grid_hw == (4, 3)
    assert found.rollout().shape == odd.shape[:2]
    shares = replace(found, patch_hw=(1, 1), crop_hw=(4, 3)).of_heads()
    assert shares[0].ravel() == pytest.approx(found.weights[-1, 0].mean(axis=0), abs=1e-6)


def test_other_networks_are_refused_with_what_to_do_instead(crop):
    for other in (
        TorchEmbedder(SPEC, lambda: torch.nn.Conv2d(3, 3, 1), "cpu", 4),
        ArrayEmbedder(SPEC, lambda: None, 4),
        TorchEmbedder(SPEC, lambda: timm_models.ResNet(timm_models.resnet.BasicBlock, (1, 1, 1, 1)), "cpu", 4),
    ):
        with pytest.raises(ValueError, match="need a vision transformer.*Explain by gradients"):
            attention_of(other, crop)


def test_the_picture_shows_the_crop_the_rollout_and_every_head():
    gray = np.full((SIDE, SIDE, 3), 128, np.uint8)
    weights = np.full((1, 3, 10, 10), 0.1, np.float32)
    weights[0, 1, 0, 1] = 0.9  # the second head looks at the first patch
    picture = attention_picture(gray, Attention(weights, (3, 3), (PATCH, PATCH), (SIDE, SIDE), True))
    assert picture.shape == (2 * 204, 4 * 204, 3)
    crop, rollout, first, second = (picture[:200, x : x + 200].astype(int) for x in range(0, 816, 204))
    assert np.abs(crop - 128).max() <= 1
    assert np.abs(first - 128).max() <= 1
    for shown in (rollout, second):
        assert shown[20, 20, 0] - shown[20, 20, 2] > 100
        assert np.abs(shown[180, 180] - 128).max() <= 1
    assert (picture[204:, 204:] == 255).all()


def test_a_photo_gets_the_picture_and_the_arrays_of_attention(tmp_path, monkeypatch):
    photos = write_photos(tmp_path / "photos", 1, size=SIDE)
    spec = replace(SPEC, landmark_scheme="none", crop={"kind": "box_square", "size": SIDE, "margin": 0.0})
    tiny = TorchEmbedder(spec, Tiny, "cpu", 4)
    monkeypatch.setattr(job_module, "_tools", lambda job: (None, FacePipeline(job.config, tiny)))
    config = whole_image_config()
    job = ExplanationJob(tmp_path / "photos", tmp_path / "out", None, config, ("gender",), method="attention")
    assert [one.n_faces for one in job.run(photos)] == [1]
    folder = tmp_path / "out" / job_module.EXPLANATIONS
    assert sorted(path.name for path in folder.iterdir()) == ["000.png.0.attention.png", "000.png.0.npz"]
    with np.load(folder / "000.png.0.npz", allow_pickle=False) as arrays:
        expected = attention_of(tiny, arrays["crop"])
        assert np.array_equal(arrays["attention"], expected.rollout())
        assert arrays["attention_heads"].shape == (HEADS, SIDE, SIDE)
