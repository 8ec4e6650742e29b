"""Weights of other people's trainings, against a server on this machine and against torchvision."""

import hashlib
import http.server
import importlib.util
import threading
from dataclasses import replace

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from faceheads.download import DownloadError
from faceheads.networks.exported import save_exported
from faceheads.networks.timm_network import TIMM_NAMES, import_timm
from faceheads.networks.torchvision_guard import ensure_torchvision
from faceheads.spec import EmbedderSpec
from finetune import pretrained
from finetune.backbones import BACKBONES, build_backbone, exportable
from finetune.pretrained import PRETRAINED, load_weights, official_weights

NETWORK = "timm:test_resnet"
timm = import_timm("this test")


@pytest.fixture(autouse=True)
def empty_machine(monkeypatch, tmp_path):
    """No cache, no other tool's cache."""
    monkeypatch.setenv("FACEHEADS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))


@pytest.fixture
def server(tmp_path):
    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *args):
            super().__init__(*args, directory=str(tmp_path / "served"))

        def log_message(self, *_):
            pass

    (tmp_path / "served").mkdir()
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/"
        server.shutdown()
        thread.join()


def network(seed=0):
    torch.manual_seed(seed)
    return build_backbone(NETWORK)


def served(tmp_path, name="weights.pth"):
    """A state dict with classes, as a server has it, and its sha256."""
    state = {**network(seed=1).network.state_dict(), "fc.weight": torch.zeros(1000, 96), "fc.bias": torch.zeros(1000)}
    path = tmp_path / "served" / name
    torch.save(state, path)
    return hashlib.sha256(path.read_bytes()).hexdigest()


def publish(monkeypatch, url, sha256):
    weights = replace(
        PRETRAINED["resnet50"], name=NETWORK, file_name="weights.pth", url=url, sha256=sha256, size_bytes=None
    )
    monkeypatch.setitem(PRETRAINED, NETWORK, weights)


def test_official_weights_are_downloaded_once_and_loaded_without_their_classes(server, tmp_path, monkeypatch):
    publish(monkeypatch, server + "weights.pth", served(tmp_path)[:8])
    first = build_backbone(NETWORK, "official")
    assert all(map(torch.equal, first.state_dict().values(), network(seed=1).state_dict().values()))
    (tmp_path / "served" / "weights.pth").unlink()
    again = build_backbone(NETWORK, "official")
    assert all(map(torch.equal, again.state_dict().values(), first.state_dict().values()))


def test_other_content_than_the_name_says_is_refused(server, tmp_path, monkeypatch):
    served(tmp_path)
    publish(monkeypatch, server + "weights.pth", "01234567")
    with pytest.raises(DownloadError, match="must be 01234567; got"):
        build_backbone(NETWORK, "official")
    assert not (tmp_path / "cache" / "weights.pth").exists()


def test_without_a_connection_it_is_said_where_the_file_belongs(tmp_path, monkeypatch):
    publish(monkeypatch, "http://127.0.0.1:9/weights.pth", "01234567")  # the discard port: nobody listens
    with pytest.raises(
        DownloadError, match=rf"could not be fetched: .* put it at {tmp_path / 'cache' / 'weights.pth'}"
    ):
        build_backbone(NETWORK, "official")


def test_every_network_with_a_short_name_has_official_weights():
    assert set(PRETRAINED) == {*TIMM_NAMES, "resnet18"} and set(PRETRAINED) <= set(BACKBONES)
    for name, weights in PRETRAINED.items():
        assert weights.url.startswith("https://")
        assert name == "vit_small" or weights.sha256[:8] in weights.file_name


@pytest.mark.parametrize("name", sorted(set(TIMM_NAMES) - {"vgg16"}))  # timm has VGG's on the hub only
def test_the_addresses_are_those_of_timm(name):
    assert PRETRAINED[name].url == timm.models.get_pretrained_cfg(TIMM_NAMES[name]).url


def test_any_other_network_of_timm_has_what_timm_names():
    weights = pretrained._from_timm("timm:test_resnet.r160_in1k", build_backbone("timm:test_resnet.r160_in1k"))
    assert weights.url == "https://huggingface.co/timm/test_resnet.r160_in1k/resolve/main/model.safetensors"
    assert weights.file_name == "timm--test_resnet.r160_in1k.safetensors" and weights.sha256 == ""


def test_a_network_without_official_weights_is_named():
    with pytest.raises(ValueError, match="'nobody' must be 'scratch', a file or an exported folder"):
        official_weights("nobody", nn.Linear(1, 1))


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_a_file_in_timms_names_is_loaded(tmp_path, suffix):
    theirs = {name: tensor.contiguous() for name, tensor in network(seed=1).network.state_dict().items()}
    path = tmp_path / f"weights{suffix}"
    (torch.save if suffix == ".pth" else save_file)(theirs, path)
    ours = network()
    load_weights(ours, path)
    assert all(torch.equal(tensor, theirs[name]) for name, tensor in ours.network.state_dict().items())


@pytest.mark.skipif(importlib.util.find_spec("torchvision") is None, reason="compares with torchvision")
@pytest.mark.parametrize("name", ["resnet50", "vgg16"])
def test_the_names_of_torchvision_are_those_that_are_looked_for(name):
    ensure_torchvision()
    from torchvision import models

    with torch.device("meta"):
        theirs = getattr(models, name)(weights=None).state_dict()
        ours = build_backbone(name)
    inner = getattr(ours, "network", ours).state_dict()
    fitted = pretrained._fitted(theirs, inner)
    assert {key: tensor.shape for key, tensor in fitted.items()} == {
        key: tensor.shape for key, tensor in inner.items()
    }


def test_a_normalisation_where_others_have_their_classes_is_kept(tmp_path):
    torch.manual_seed(0)
    theirs = build_backbone("timm:test_convnext").network
    nn.init.uniform_(theirs.head.norm.weight)
    torch.save(theirs.state_dict(), tmp_path / "weights.pth")
    ours = build_backbone("timm:test_convnext", str(tmp_path / "weights.pth"))
    assert torch.equal(ours.network.head.norm.weight, theirs.head.norm.weight)


def test_a_file_of_an_older_torch_lacks_only_counters(tmp_path):
    theirs = network(seed=1).network.state_dict()
    old = {name: tensor for name, tensor in theirs.items() if not name.endswith("num_batches_tracked")}
    torch.save(old, tmp_path / "old.pth")
    ours = network()
    load_weights(ours, tmp_path / "old.pth")
    assert len(old) < len(theirs)
    assert all(torch.equal(tensor, theirs[name]) for name, tensor in ours.network.state_dict().items())


def test_an_exported_folder_of_the_same_network_is_loaded(tmp_path):
    theirs = network(seed=1)
    save_exported(tmp_path / "net", EmbedderSpec(NETWORK, "", theirs.dimension, "dlib5"), theirs)
    ours = build_backbone(NETWORK, str(tmp_path / "net"))
    assert all(map(torch.equal, ours.state_dict().values(), theirs.state_dict().values()))
    with pytest.raises(ValueError, match="does not fit TimmNetwork"):
        build_backbone("timm:test_vit", str(tmp_path / "net"))


def test_a_file_that_is_not_there_is_named():
    with pytest.raises(
        ValueError, match="'official', 'scratch', a file or an exported folder; nowhere.pth does not exist"
    ):
        build_backbone(NETWORK, "nowhere.pth")


def test_dlibs_network_does_not_begin_from_scratch():
    with pytest.raises(
        ValueError, match="must be 'official' or a folder with an exported dlib: it has no normalisation"
    ):
        build_backbone("dlib", "scratch")


@pytest.mark.parametrize(
    ("stored", "wanted"), [("dlib", "dlib"), ("dlib", "dlib_traces"), ("dlib_traces", "dlib_traces")]
)
def test_dlibs_network_goes_on_from_what_was_exported(tmp_path, stored, wanted):
    torch.manual_seed(0)
    before = build_backbone(stored).eval()
    with torch.no_grad():
        for parameter in before.parameters():
            parameter.mul_(1.01)
    save_exported(tmp_path, EmbedderSpec(stored, "", 128, "dlib5"), exportable(before))
    network = build_backbone(wanted, str(tmp_path)).eval()
    crops = torch.randint(0, 256, (2, 3, 150, 150), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))
    n_numbers = before.layer_dimension("final")
    with torch.inference_mode():
        torch.testing.assert_close(network(crops)[:, :n_numbers], before(crops), atol=1e-5, rtol=0)


def test_dlibs_network_does_not_begin_with_another_one(tmp_path):
    save_exported(tmp_path, EmbedderSpec("resnet18", "", 512, "dlib5"), build_backbone("resnet18"))
    with pytest.raises(ValueError, match="exported dlib or dlib_traces: .* got 'resnet18'"):
        build_backbone("dlib_traces", str(tmp_path))


def test_an_unknown_network_lists_those_there_are():
    with pytest.raises(
        ValueError, match="dlib, dlib_traces, facenet, resnet18, resnet50, .* or timm:NAME; got 'alexnet'"
    ):
        build_backbone("alexnet")
