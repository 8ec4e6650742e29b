"""ResNet-18 is torchvision's, tensor by tensor and number by number."""

import importlib.util

import pytest
import torch

from faceheads.networks.exported import load_exported, save_exported
from faceheads.networks.resnet import DEVIATION_RGB, MEAN_RGB, ResNet18
from faceheads.networks.torchvision_guard import ensure_torchvision
from faceheads.spec import EmbedderSpec

CROPS = torch.randint(0, 256, (2, 3, 48, 40), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


@pytest.mark.skipif(importlib.util.find_spec("torchvision") is None, reason="compares with torchvision")
def test_it_computes_what_torchvision_computes_with_its_weights():
    ensure_torchvision()
    from torchvision.models import resnet18
    from torchvision.transforms.functional import normalize

    torch.manual_seed(0)
    theirs = resnet18(weights=None).eval()
    theirs.fc = torch.nn.Identity()
    ours = ResNet18().eval()
    ours.load_state_dict(theirs.state_dict())
    with torch.inference_mode():
        expected = theirs(normalize(CROPS / 255, list(MEAN_RGB), list(DEVIATION_RGB)))
        torch.testing.assert_close(ours(CROPS), expected, atol=1e-4, rtol=1e-4)


def test_it_is_exported_and_read_again(tmp_path):
    torch.manual_seed(0)
    network = ResNet18().eval()
    save_exported(tmp_path, EmbedderSpec("resnet18", "", 512, "dlib5"), network)
    spec, again = load_exported(tmp_path)
    assert spec.network == "resnet18"
    with torch.inference_mode():
        assert torch.equal(again.eval()(CROPS), network(CROPS))


def test_other_layers_and_small_crops_are_refused():
    network = ResNet18()
    with pytest.raises(ValueError, match="must be 'final'; got 'stage3'"):
        network(CROPS, ("stage3",))
    with pytest.raises(ValueError, match="at least 32 × 32"):
        network(CROPS[:, :, :20])
