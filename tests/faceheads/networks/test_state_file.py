"""Reading state dicts: named tensors and nothing else."""

from __future__ import annotations

import os

import pytest
import torch
from safetensors.torch import save_file

from faceheads.networks import state_file
from faceheads.networks.state_file import load_strictly, read_state_dict


class Malicious:
    def __reduce__(self):
        return os.system, ("echo this must never run",)


def saved(tmp_path, content):
    torch.save(content, tmp_path / "state.pt")
    return tmp_path / "state.pt"


def test_named_tensors_come_back(tmp_path):
    state = {"weight": torch.arange(6.0).reshape(2, 3)}
    assert torch.equal(read_state_dict(saved(tmp_path, state))["weight"], state["weight"])


def test_named_tensors_of_safetensors_come_back(tmp_path):
    save_file({"weight": torch.arange(6.0)}, tmp_path / "state.safetensors")
    assert torch.equal(read_state_dict(tmp_path / "state.safetensors")["weight"], torch.arange(6.0))


def test_a_file_that_is_called_safetensors_and_is_none_is_refused(tmp_path):
    torch.save({"weight": torch.zeros(3)}, tmp_path / "state.safetensors")
    with pytest.raises(ValueError, match="must be a file of safetensors"):
        read_state_dict(tmp_path / "state.safetensors")


def test_a_file_with_code_is_refused_and_not_run(tmp_path, capfd):
    with pytest.raises(ValueError, match="must be a state dict"):
        read_state_dict(saved(tmp_path, {"weight": Malicious()}))
    assert "never run" not in capfd.readouterr().out


@pytest.mark.parametrize("content", [[1, 2], {"weight": 3}, torch.zeros(3)])
def test_anything_but_named_tensors_is_refused(tmp_path, content):
    with pytest.raises(ValueError, match="must map names to tensors"):
        read_state_dict(saved(tmp_path, content))


@pytest.mark.parametrize("content", [b"", b"not a weight file", b"PK\x03\x04 truncated"])
def test_a_damaged_file_is_refused(tmp_path, content):
    (tmp_path / "state.pt").write_bytes(content)
    with pytest.raises(ValueError, match="must be a state dict"):
        read_state_dict(tmp_path / "state.pt")


def test_a_file_beyond_the_limit_is_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr(state_file, "MAX_BYTES", 10)
    with pytest.raises(ValueError, match="must not have more than 10 bytes"):
        read_state_dict(saved(tmp_path, {"weight": torch.zeros(3)}))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"weight": torch.zeros(3, 2)}, r"1 tensors must be there .*weight: \(2, 3\), got \(3, 2\)"),
        ({"bias": None}, r"bias: \(2,\), got None"),
        ({"extra": torch.zeros(1)}, r"1 are unknown \['extra'\]"),
    ],
)
def test_a_network_is_filled_with_exactly_its_tensors(change, message):
    network = torch.nn.Linear(3, 2)
    state = {**network.state_dict(), **change}
    with pytest.raises(ValueError, match=message):
        load_strictly(network, {name: tensor for name, tensor in state.items() if tensor is not None}, "file.pt")
