"""A multi-layer perceptron of any version of scikit-learn, from the record of its pickle to a head."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import numpy as np
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import LabelBinarizer

from ..fitted_head import Head, default_thresholds
from ..targets import CLASSIFICATION, MULTILABEL, Target, plain_value
from .records import Array, PickleError, Record

#: Where versions of scikit-learn keep the class.
_CLASS_NAMES = (
    "sklearn.neural_network.multilayer_perceptron.MLPClassifier",
    "sklearn.neural_network._multilayer_perceptron.MLPClassifier",
)
_ACTIVATIONS = ("identity", "logistic", "tanh", "relu")
_LOGISTIC, _SOFTMAX = "logistic", "softmax"


def convert_network(value: object, target_name: str = "target") -> Head:
    """The head in a pickle of ``[MLPClassifier, names]``, as face-classification writes it, or of a classifier alone.

    Parameters
    ----------
    value : object
        What :func:`faceheads.convert.records.read_records` gave.
    target_name : str
        Of what is decided, where it has no name in the pickle.

    Raises
    ------
    PickleError
        If it is something else, or its layers do not fit each other.
    """
    classifier, names = value if isinstance(value, list | tuple) and len(value) == 2 else (value, None)
    if (
        not isinstance(classifier, Record)
        or classifier.name not in _CLASS_NAMES
        or not isinstance(classifier.state, dict)
    ):
        raise PickleError(
            f"it holds {_words(value)}, not scikit-learn's MLPClassifier or a list of one and the names."
        )
    attributes = classifier.state
    network = _network(attributes)
    target = _target(attributes, network, None if names is None else _names(names), target_name)
    # positions: what the outputs are called is in the target
    network.classes_ = np.arange(len(target.columns if target.task == MULTILABEL else target.classes))
    network._label_binarizer = LabelBinarizer().fit(network.classes_)
    return Head(
        target, "mlp", network, thresholds=default_thresholds(target), thresholds_from="one half, as the original"
    )


def _words(value: object) -> str:
    return value.name if isinstance(value, Record) else f"a {type(value).__name__}"


def _attribute(attributes: Mapping, name: str) -> object:
    if name not in attributes:
        raise PickleError(f"its network has no attribute {name!r}; it was not trained, or by another version.")
    value = attributes[name]
    return value.values() if isinstance(value, Array) else value


def _network(attributes: Mapping) -> MLPClassifier:
    """The classifier without its classes, its layers checked."""
    weights, biases = (_layers(attributes, name) for name in ("coefs_", "intercepts_"))
    _check_layers(weights, biases)
    activation, out = (_attribute(attributes, name) for name in ("activation", "out_activation_"))
    if activation not in _ACTIVATIONS or out not in (_LOGISTIC, _SOFTMAX):
        raise PickleError(f"its network has the activations {activation!r} and {out!r}.")
    hidden = tuple(layer.shape[1] for layer in weights[:-1])
    network = MLPClassifier(hidden, activation=activation, alpha=float(attributes.get("alpha", 1e-4)))
    network.coefs_, network.intercepts_ = weights, biases
    network.n_layers_, network.n_outputs_ = len(weights) + 1, weights[-1].shape[1]
    network.n_features_in_, network.out_activation_ = weights[0].shape[0], out
    return network


def _layers(attributes: Mapping, name: str) -> list[np.ndarray]:
    layers = _attribute(attributes, name)
    if not isinstance(layers, list) or not layers or not all(isinstance(layer, Array) for layer in layers):
        raise PickleError(f"its network's {name} must be a list of arrays.")
    arrays = [layer.values() for layer in layers]
    if not all(isinstance(a, np.ndarray) and a.dtype.kind == "f" and np.isfinite(a).all() for a in arrays):
        raise PickleError(f"its network's {name} must be finite numbers.")
    return [array.astype(np.float64) for array in arrays]


def _check_layers(weights: list[np.ndarray], biases: list[np.ndarray]) -> None:
    shapes = [array.shape for array in weights]
    fits = len(weights) == len(biases) and all(len(shape) == 2 and min(shape) > 0 for shape in shapes)
    fits = fits and all(a[1] == b[0] for a, b in pairwise(shapes))
    if not fits or [b.shape for b in biases] != [(shape[1],) for shape in shapes]:
        raise PickleError(f"the layers of its network do not fit each other: {shapes}.")


def _names(names: object) -> list[str]:
    names = names.values() if isinstance(names, Array) else names
    if not isinstance(names, list) or not all(isinstance(name, str) and name for name in names):
        raise PickleError("the second thing in its list must be the names of the attributes.")
    return names


def _target(attributes: Mapping, network: MLPClassifier, names: list[str] | None, target_name: str) -> Target:
    """Attributes where several outputs are independent, else classes."""
    n_outputs = network.n_outputs_
    if network.out_activation_ == _LOGISTIC and n_outputs > 1:
        columns = tuple(f"attribute_{i}" for i in range(n_outputs)) if names is None else tuple(names)
        if len(columns) != n_outputs or len(set(columns)) < n_outputs:
            raise PickleError(f"its network has {n_outputs} outputs and {len(set(columns))} different names.")
        return Target("attributes", MULTILABEL, columns, (0, 1), why="as in the pickle")
    classes = tuple(_classes(attributes))
    if len(classes) != max(n_outputs, 2) or len(set(classes)) < len(classes):
        raise PickleError(f"its network has {n_outputs} outputs and the classes {list(classes)}.")
    name = names[0] if names is not None and len(names) == 1 else target_name
    return Target(name, CLASSIFICATION, (name,), classes, why="as in the pickle")


def _classes(attributes: Mapping) -> list[bool | int | float | str]:
    """The classes in the order of the outputs; before version 0.22 the binarizer alone had them."""
    binarizer = attributes.get("_label_binarizer")
    inner = binarizer.state if isinstance(binarizer, Record) and isinstance(binarizer.state, dict) else {}
    classes = _attribute(attributes if "classes_" in attributes else inner, "classes_")
    values = classes.tolist() if isinstance(classes, np.ndarray) else classes
    if not isinstance(values, list) or not all(isinstance(value, bool | int | float | str) for value in values):
        raise PickleError("the classes of its network must be numbers or text.")
    return [plain_value(value) for value in values]
