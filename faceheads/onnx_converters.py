"""How the estimators that skl2onnx does not know become ONNX operators: Nyström's map and distributions over bins.

Both are computed in double precision: Nyström's map divides by small numbers, so that rounding to float32 would be seen.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from onnx import TensorProto
from skl2onnx import update_registered_converter
from skl2onnx.common.data_types import FloatTensorType
from sklearn.kernel_approximation import Nystroem

from .distribution import DistributionRegressor


@cache
def register_converters() -> None:
    """Tell skl2onnx of the converters of this module, once."""
    update_registered_converter(Nystroem, "FaceheadsNystroem", _nystroem_shape, _convert_nystroem)
    update_registered_converter(
        DistributionRegressor, "FaceheadsDistribution", _distribution_shape, _convert_distribution
    )


class _Graph:
    """The operators of one estimator, from its float32 input in double precision."""

    def __init__(self, scope, operator, container) -> None:
        self.scope, self.container, self.operator = scope, container, operator

    def start(self) -> str:
        """The input in double precision."""
        return self.node("Cast", self.operator.inputs[0].full_name, to=TensorProto.DOUBLE)

    def constant(self, values: np.ndarray) -> str:
        values = np.asarray(values, np.float64)
        name = self.scope.get_unique_variable_name("constant")
        self.container.add_initializer(name, TensorProto.DOUBLE, values.shape, values.ravel())
        return name

    def node(self, kind: str, *inputs: str, **attributes: object) -> str:
        output = self.scope.get_unique_variable_name(kind.lower())
        name = self.scope.get_unique_operator_name(kind)
        self.container.add_node(kind, list(inputs), output, name=name, **attributes)
        return output

    def finish(self, last: str) -> None:
        """Give the result out as float32."""
        output = self.operator.outputs[0].full_name
        name = self.scope.get_unique_operator_name("Cast")
        self.container.add_node("Cast", last, output, name=name, to=TensorProto.FLOAT)


def _nystroem_shape(operator) -> None:
    n_rows = operator.inputs[0].type.shape[0]
    operator.outputs[0].type = FloatTensorType([n_rows, len(operator.raw_operator.components_)])


def _convert_nystroem(scope, operator, container) -> None:
    """exp(-gamma |x - c|²) for each landmark c, times the normalisation; |x - c|² = |x|² - 2 x·c + |c|²."""
    fitted, graph = operator.raw_operator, _Graph(scope, operator, container)
    landmarks = fitted.components_.astype(np.float64)
    x = graph.start()
    squares = graph.node("ReduceSumSquare", x, axes=[1], keepdims=1)
    products = graph.node("MatMul", x, graph.constant(-2 * landmarks.T))
    distances = graph.node("Add", graph.node("Add", products, squares), graph.constant((landmarks**2).sum(axis=1)))
    kernel = graph.node("Exp", graph.node("Mul", distances, graph.constant(-fitted.gamma)))
    graph.finish(graph.node("MatMul", kernel, graph.constant(fitted.normalization_.T)))


def _distribution_shape(operator) -> None:
    operator.outputs[0].type = FloatTensorType([operator.inputs[0].type.shape[0], 1])


def _convert_distribution(scope, operator, container) -> None:
    """The mean of softmax(x W + b) over the bins' centres."""
    fitted, graph = operator.raw_operator, _Graph(scope, operator, container)
    products = graph.node("MatMul", graph.start(), graph.constant(fitted.coef_))
    logits = graph.node("Add", products, graph.constant(fitted.intercept_))
    probabilities = graph.node("Softmax", logits, axis=1)
    graph.finish(graph.node("MatMul", probabilities, graph.constant(fitted.centres_[:, None])))
