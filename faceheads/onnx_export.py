"""Heads as ONNX files, for programs without Python, each checked against the head that it was made of.

A file takes ``embedding``, float32 of shape (n_faces, dimension), and gives ``probabilities``, float32 of shape (n_faces,
n_classes) or for several attributes (n_faces, n_columns), or ``value``, (n_faces, 1), in the unit of the target. What must be
known beside that is in the file's metadata: target, task, classes in order, unit, thresholds, and the specification and digest
of the embeddings. Needs the extra ``onnx``.
"""

from __future__ import annotations

import copy
import json
import warnings
from pathlib import Path

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor, VotingClassifier

from .atomic import atomic_path
from .fitted_head import Head
from .fitting import parts_of
from .headfile import HeadFile
from .targets import MULTILABEL, REGRESSION

OPSET = 17
#: A probability may differ by this much, a number by this share of the spread of the head's answers: single precision
#: gives differences of about 1e-6; another order of classes or a missing scale far larger ones.
PROBABILITY_TOLERANCE = 1e-4
NUMBER_TOLERANCE = 1e-4
#: Rows of the test part that are compared beside the golden vectors.
N_CHECKED = 1000
INPUT = "embedding"
_HINT = "Install it with: pip install faceheads[onnx]"


class OnnxError(ValueError):
    """A head cannot be given as ONNX, or the result differs; the message says why and what to do."""


def export_onnx(path: Path, file: HeadFile, embeddings: np.ndarray) -> list[Path]:
    """Write each head of a file as ONNX and compare it with the head.

    Parameters
    ----------
    path : Path
        Ends in ``.onnx``. Of several heads each goes to ``NAME.TARGET.onnx``.
    file : HeadFile
    embeddings : array of shape (n_rows, dimension), float32
        Real ones that were not learned from; compared beside the golden vectors of the file.

    Returns
    -------
    list of Path
        What was written, in the order of the heads.

    Raises
    ------
    OnnxError
        If the extra is missing, a head has no counterpart in ONNX, or its answers differ. Then nothing is written.
    """
    check_exportable(path, [head.kind for head in file.heads])
    inputs = np.concatenate([file.golden_inputs, np.asarray(embeddings, np.float32)[:N_CHECKED]])
    models = [_checked(head, file, inputs) for head in file.heads]
    names = [path if len(models) == 1 else path.with_suffix(f".{head.target.name}.onnx") for head in file.heads]
    for name, model in zip(names, models, strict=True):
        with atomic_path(name) as temporary:
            temporary.write_bytes(model)
    return names


def check_exportable(path: Path, kinds: list[str]) -> None:
    """Raise OnnxError for what can be known before anything is trained."""
    if path.suffix != ".onnx":
        raise OnnxError(f"The name of an ONNX file must end in .onnx; got {path.name!r}.")
    if "hgb" in kinds:
        raise OnnxError(
            "Boosted trees of scikit-learn (hgb) cannot be converted to ONNX faithfully. Use another head, such as mlp "
            "or svm, or leave out --export_onnx."
        )
    try:
        import onnxruntime  # noqa: F401
        import skl2onnx  # noqa: F401
    except ImportError as error:
        raise OnnxError(f"--export_onnx needs the package {error.name}. {_HINT}") from error


def _checked(head: Head, file: HeadFile, inputs: np.ndarray) -> bytes:
    """The model's bytes, which give the head's answers to ``inputs``."""
    model = _converted(head, file).SerializeToString()
    expected = head.raw(inputs).reshape(len(inputs), -1)
    got = _run(model, inputs)
    if got.shape != expected.shape:
        raise OnnxError(
            f"The ONNX form of {head.target.name!r} has the shape {got.shape}, not {expected.shape}: skl2onnx misreads a "
            "network with two attributes. Use another kind of head."
        )
    is_number = head.target.task == REGRESSION
    limit = NUMBER_TOLERANCE * np.ptp(expected) if is_number else PROBABILITY_TOLERANCE
    difference = np.abs(got - expected).max()
    if not difference <= limit:
        raise OnnxError(
            f"The ONNX form of {head.target.name!r} differs by {difference:.3g} from the head; at most {limit:.3g} is "
            "allowed. Another kind of head may be converted better."
        )
    return model


def _run(model: bytes, inputs: np.ndarray) -> np.ndarray:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    return session.run(None, {INPUT: inputs})[0]


def _converted(head: Head, file: HeadFile):
    """The ONNX model of a head with one output and its metadata."""
    from onnx import compose, helper
    from skl2onnx import to_onnx
    from skl2onnx.common.data_types import FloatTensorType

    from .onnx_converters import register_converters

    register_converters()
    is_number = head.target.task == REGRESSION
    estimator = _convertible(head.estimator.regressor_ if is_number else head.estimator)
    initial_types = [(INPUT, FloatTensorType([None, file.dimension]))]
    options = None if is_number else {"zipmap": False}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # skl2onnx 1.20 reads what scikit-learn 1.9 deprecates
        model = to_onnx(estimator, initial_types=initial_types, options=options, target_opset=OPSET)
    model = compose.add_prefix(model, "sklearn_", rename_inputs=False)  # leaves the names of outputs to us
    if is_number:
        scaler = head.estimator.transformer_
        _end_with(model, "value", 1, [("Mul", scaler.scale_), ("Add", scaler.mean_)])
    else:
        _end_with(model, "probabilities", head.n_outputs, [], is_stacked=_is_stacked(head))
    helper.set_model_props(model, _metadata(head, file))
    return model


def _convertible(estimator: BaseEstimator) -> BaseEstimator:
    """A copy without an option that has no effect on probabilities, but that skl2onnx refuses."""
    if any(isinstance(p, HistGradientBoostingClassifier | HistGradientBoostingRegressor) for p in parts_of(estimator)):
        raise OnnxError("Boosted trees of scikit-learn cannot be converted to ONNX faithfully. Use another head.")
    estimator = copy.deepcopy(estimator)
    for part in parts_of(estimator):
        if isinstance(part, VotingClassifier):
            part.flatten_transform = False
    return estimator


def _is_stacked(head: Head) -> bool:
    """Whether the converter gives a sequence of the probabilities of each attribute's two classes, (n_faces, 2)."""
    return head.target.task == MULTILABEL and head.kind != "mlp"


def _end_with(model, name: str, n_columns: int, steps: list[tuple[str, np.ndarray]], is_stacked: bool = False) -> None:
    """Leave the last output only, after some more operators, under a name."""
    from onnx import TensorProto, helper

    graph = model.graph
    last = graph.output[-1].name
    if is_stacked:
        graph.initializer.append(helper.make_tensor("present", TensorProto.INT64, [], [1]))
        graph.node.append(helper.make_node("ConcatFromSequence", [last], ["of_classes"], axis=0, new_axis=1))
        graph.node.append(helper.make_node("Gather", ["of_classes", "present"], ["of_attributes"], axis=2))
        graph.node.append(helper.make_node("Transpose", ["of_attributes"], ["of_faces"], perm=[1, 0]))
        last = "of_faces"
    for number, (kind, values) in enumerate(steps):
        constant, output = f"unit_{number}", f"{name}_{number}"
        graph.initializer.append(helper.make_tensor(constant, TensorProto.FLOAT, [1], np.float32(values)))
        graph.node.append(helper.make_node(kind, [last, constant], [output]))
        last = output
    graph.node.append(helper.make_node("Identity", [last], [name]))
    del graph.output[:]
    graph.output.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, [None, n_columns]))


def _metadata(head: Head, file: HeadFile) -> dict[str, str]:
    """What must be known to use the model; all but plain words as JSON."""
    described = head.to_json()
    spec = file.table_spec
    values = {
        **{name: described["target"][name] for name in ("columns", "classes")},
        **{name: described[name] for name in ("thresholds", "by_cohort", "settings")},
        "table_spec": None if spec is None else spec.to_json(),
        "versions": dict(file.versions),
    }
    return {
        "target": head.target.name,
        "task": head.target.task,
        "unit": head.target.unit,
        "kind": head.kind,
        "thresholds_from": head.thresholds_from,
        "embedder_digest": "" if spec is None else spec.embedder_digest,
        **{name: json.dumps(value, sort_keys=True) for name, value in values.items()},
    }
