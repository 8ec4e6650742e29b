"""Foreign networks: small graphs whose answer is known, contradictions between file and specification, a real one."""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path

import numpy as np
import pytest

onnx = pytest.importorskip("onnx", reason="needs the extra 'onnx', to make the small networks of these tests")
pytest.importorskip("onnxruntime", reason="needs the extra 'onnx'")

from faceheads.networks.onnx_embedder import OnnxNetwork

EXAMPLE = Path(__file__).parents[2] / "data" / "mobilefacenet.json"
SIZE_HW = (4, 6)
DIMENSION = 5
N_VALUES = 3 * SIZE_HW[0] * SIZE_HW[1]
MATRIX = np.random.default_rng(0).normal(size=(N_VALUES, DIMENSION)).astype(np.float32)


def graph(input_shape, output_shape=("n", DIMENSION), input_type=onnx.TensorProto.FLOAT):
    """Flatten, then multiply by ``MATRIX``."""
    helper = onnx.helper
    nodes = [
        helper.make_node("Cast", ["x"], ["float"], to=onnx.TensorProto.FLOAT),
        helper.make_node("Flatten", ["float"], ["flat"], axis=1),
        helper.make_node("MatMul", ["flat", "matrix"], ["y"]),
    ]
    inputs = [helper.make_tensor_value_info("x", input_type, input_shape)]
    outputs = [helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, output_shape)]
    matrix = onnx.numpy_helper.from_array(MATRIX, "matrix")
    made = helper.make_graph(nodes, "flat", inputs, outputs, [matrix])
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)


def specification(**changes):
    return {
        "format": "faceheads-onnx-embedder",
        "version": 1,
        "landmark_scheme": "arcface5",
        "crop": {"kind": "similarity", "template": [[1, 1], [3, 1], [2, 2], [1, 3], [3, 3]], "size_hw": list(SIZE_HW)},
        "input": {"name": "x", "layout": "NCHW", "colour": "RGB", "mean": [10, 20, 30], "scale": [2, 4, 8]},
        "output": {"name": "y", "dimension": DIMENSION},
        "metric": "euclidean",
        **changes,
    }


def saved(tmp_path, model, values):
    onnx.save(model, tmp_path / "network.onnx")
    (tmp_path / "network.json").write_text(json.dumps(values))
    return tmp_path / "network.onnx"


@pytest.fixture
def crops():
    return np.random.default_rng(1).integers(0, 256, (70, *SIZE_HW, 3), dtype=np.uint8)


def expected_vectors(crops, layout="NCHW", colour="RGB"):
    """The network by hand; mean 10, 20, 30 and scale 2, 4, 8 belong to the channels in the order of ``colour``."""
    values = crops.astype(np.float64)
    if colour == "BGR":
        values = values[..., [2, 1, 0]]
    values = (values - [10, 20, 30]) / [2, 4, 8]
    if layout == "NCHW":
        values = np.moveaxis(values, 3, 1)
    return values.reshape(len(crops), -1) @ MATRIX.astype(np.float64)


@pytest.mark.parametrize("batch", ["n", None, 1, 4, 64])
def test_any_number_of_crops_passes_a_network_for_open_or_fixed_batches(tmp_path, crops, batch):
    path = saved(tmp_path, graph([batch, 3, *SIZE_HW], [batch, DIMENSION]), specification())
    vectors = OnnxNetwork(path)(crops)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(vectors, expected_vectors(crops), rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
@pytest.mark.parametrize("colour", ["RGB", "BGR"])
def test_layout_colour_mean_and_scale_are_obeyed(tmp_path, crops, layout, colour):
    shape = ["n", 3, *SIZE_HW] if layout == "NCHW" else ["n", *SIZE_HW, 3]
    values = specification()
    values["input"] |= {"layout": layout, "colour": colour}
    vectors = OnnxNetwork(saved(tmp_path, graph(shape), values))(crops)
    np.testing.assert_allclose(vectors, expected_vectors(crops, layout, colour), rtol=1e-4, atol=1e-3)


def test_the_mirror_image_of_crops_is_taken_as_it_is(tmp_path, crops):
    network = OnnxNetwork(saved(tmp_path, graph(["n", 3, *SIZE_HW]), specification()))
    np.testing.assert_array_equal(network(crops[:, :, ::-1]), network(np.ascontiguousarray(crops[:, :, ::-1])))


def test_no_crops_give_no_vectors(tmp_path, crops):
    network = OnnxNetwork(saved(tmp_path, graph(["n", 3, *SIZE_HW]), specification()))
    assert network(crops[:0]).shape == (0, DIMENSION)


def test_the_specification_of_its_vectors_covers_file_crop_and_input(tmp_path):
    path = saved(tmp_path, graph(["n", 3, *SIZE_HW]), specification())
    spec = OnnxNetwork(path).spec
    assert spec.network == "onnx"
    assert spec.weights_sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert (spec.dimension, spec.landmark_scheme, spec.metric) == (DIMENSION, "arcface5", "euclidean")
    assert spec.crop == specification()["crop"]
    (tmp_path / "other.json").write_text(
        json.dumps(specification(input={**specification()["input"], "colour": "BGR"}))
    )
    assert OnnxNetwork(path, tmp_path / "other.json").spec.embedder_digest != spec.embedder_digest


@pytest.mark.parametrize(
    ("model", "changes", "message"),
    [
        (graph(["n", 3, *SIZE_HW]), {"sha256": "0" * 64}, "must have the sha256 0000"),
        (graph(["n", 3, 6, 4]), {}, r"Input 'x' .* must be float32 of shape \('n', 3, 4, 6\)"),
        (graph(["n", N_VALUES]), {}, "Input 'x'"),
        (graph(["n", 3, *SIZE_HW], input_type=onnx.TensorProto.UINT8), {}, r"got tensor\(uint8\)"),
        (graph(["n", 3, *SIZE_HW]), {"output": {"name": "z", "dimension": 5}}, "must have the output 'z'; got .'y'"),
        (graph(["n", 3, *SIZE_HW]), {"output": {"name": "y", "dimension": 6}}, "Output 'y'"),
    ],
)
def test_a_specification_that_contradicts_the_file_is_refused(tmp_path, model, changes, message):
    with pytest.raises(ValueError, match=message):
        OnnxNetwork(saved(tmp_path, model, specification(**changes)))


def test_another_name_of_the_input_is_refused(tmp_path):
    values = specification(input={**specification()["input"], "name": "input"})
    with pytest.raises(ValueError, match="must have one input, 'input'; got .'x'"):
        OnnxNetwork(saved(tmp_path, graph(["n", 3, *SIZE_HW]), values))


def test_an_output_of_open_length_is_checked_when_it_comes(tmp_path, crops):
    model = graph(["n", 3, *SIZE_HW], ["n", "d"])
    model.graph.node[-1].output[0] = "all"
    model.graph.node.append(onnx.helper.make_node("Compress", ["all", "chosen"], ["y"], axis=1))
    model.graph.initializer.append(onnx.numpy_helper.from_array(np.ones(DIMENSION, bool), "chosen"))
    network = OnnxNetwork(saved(tmp_path, model, specification(output={"name": "y", "dimension": 6})))
    with pytest.raises(ValueError, match=r"must have shape \(2, 6\); got \(2, 5\)"):
        network(crops[:2])


@pytest.mark.parametrize("content", [b"", b"not a network"])
def test_a_file_that_is_no_network_is_refused(tmp_path, content):
    path = saved(tmp_path, graph(["n", 3, *SIZE_HW]), specification())
    path.write_bytes(content)
    with pytest.raises(ValueError, match="must be an ONNX network that holds its weights"):
        OnnxNetwork(path)


@pytest.mark.parametrize("in_working_directory", [True, False])
def test_weights_in_another_file_are_refused(tmp_path, monkeypatch, in_working_directory):
    path = saved(tmp_path, graph(["n", 3, *SIZE_HW]), specification())
    onnx.save(onnx.load(path), path, save_as_external_data=True, location="weights.bin", size_threshold=0)
    if in_working_directory:  # where onnxruntime looks when it is given bytes
        monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match="must be an ONNX network that holds its weights"):
        OnnxNetwork(path)


@pytest.mark.parametrize(
    "crops", [np.zeros((1, 4, 6, 3)), np.zeros((1, 6, 4, 3), np.uint8), np.zeros((4, 6, 3), np.uint8)]
)
def test_crops_of_another_type_or_shape_are_an_error(tmp_path, crops):
    network = OnnxNetwork(saved(tmp_path, graph(["n", 3, *SIZE_HW]), specification()))
    with pytest.raises(ValueError, match=r"crops must be uint8 of shape \(n_crops, 4, 6, 3\)"):
        network(crops)


def test_threads_are_counted_from_one(tmp_path, crops):
    path = saved(tmp_path, graph(["n", 3, *SIZE_HW]), specification())
    np.testing.assert_allclose(OnnxNetwork(path, n_threads=1)(crops), expected_vectors(crops), rtol=1e-4, atol=1e-3)
    with pytest.raises(ValueError, match="n_threads must be at least 1"):
        OnnxNetwork(path, n_threads=0)


def test_a_missing_onnxruntime_is_named_with_its_command(tmp_path, monkeypatch):
    path = saved(tmp_path, graph(["n", 3, *SIZE_HW]), specification())
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(ImportError, match="pip install onnxruntime"):
        OnnxNetwork(path)


def test_missing_files_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="network.json does not exist"):
        OnnxNetwork(tmp_path / "network.onnx")
    (tmp_path / "network.json").write_text(json.dumps(specification()))
    with pytest.raises(FileNotFoundError, match="network.onnx"):
        OnnxNetwork(tmp_path / "network.onnx")


@pytest.mark.data
def test_the_shared_network_gives_what_onnxruntime_gives_by_hand(data_dir):
    import onnxruntime

    path = data_dir / "weights" / "mobilefacenet.onnx"
    crops = np.random.default_rng(2).integers(0, 256, (3, 112, 112, 3), dtype=np.uint8)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    by_hand = [
        session.run(None, {"input": ((crop.astype(np.float32) - 127.5) / 127.5).transpose(2, 0, 1)[None]})[0][0]
        for crop in crops
    ]
    network = OnnxNetwork(path, EXAMPLE)
    assert network.batch_size == 1
    np.testing.assert_allclose(network(crops), by_hand, atol=1e-5)
