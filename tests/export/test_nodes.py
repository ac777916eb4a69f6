"""Nodes are run by onnxruntime, without skl2onnx in between but for what gives out names."""

import numpy as np
import pytest
from scipy.special import ndtr

from sknn.activations import ACTIVATIONS
from sknn.export.activations import activate
from sknn.export.formula import OPERATIONS, matrix, normal_cdf, reshape, take, where
from sknn.export.layers import run
from sknn.export.links import invert_link
from sknn.export.nodes import NODES, TYPES, NodeWriter, Tensor
from sknn.export.signature import KINDS
from sknn.layers import LAYERS, Residual
from sknn.losses import Quantile
from tests.cases import (
    ACTIVATION_CASES,
    LAYER_CASES,
    LOSS_CASES,
    draw_theta,
    make_network_with,
    name_of,
)

onnx = pytest.importorskip("onnx", reason="make test-clients runs them where skl2onnx is installed")
onnxruntime = pytest.importorskip("onnxruntime", reason="it comes with what makes ONNX models")
PRECISIONS = {"float32": 2e-5, "float64": 1e-11}
X = np.random.default_rng(0).standard_normal((9, 5))


class Graph:
    """What skl2onnx's scope and container are for a writer of nodes."""

    def __init__(self):
        self.nodes, self.initializers, self._n = [], [], 0

    def get_unique_variable_name(self, seed):
        self._n += 1
        return f"{seed}{self._n}"

    get_unique_operator_name = get_unique_variable_name

    def add_node(self, operator, inputs, output, *, op_domain="", op_version=None, **options):
        made = onnx.helper.make_node(operator, inputs, [output], domain=op_domain, **options)
        self.nodes.append(made)

    def add_initializer(self, name, kind, shape, content):
        if shape is None:
            content.name = name
            self.initializers.append(content)
        else:
            self.initializers.append(onnx.helper.make_tensor(name, kind, shape, content))


def compute(value, columns, names=None):
    """Return the value of a formula of an array, or of the columns of a table."""
    graph, inputs = Graph(), []
    for k, array in enumerate(columns):
        kind = "str" if array.dtype == object else str(array.dtype)
        inputs.append(Tensor(f"in{k}", kind))
    writer = NodeWriter(graph, graph, inputs, names)
    writer.computes_as(value)
    [result] = writer.write([value])
    described = [
        onnx.helper.make_tensor_value_info(name, TYPES[kind], [None, *array.shape[1:]])
        for (name, kind), array in zip(inputs, columns, strict=True)
    ]
    out = onnx.helper.make_tensor_value_info(result.name, TYPES[result.kind], None)
    proto = onnx.helper.make_graph(graph.nodes, "g", described, [out], graph.initializers)
    opsets = [onnx.helper.make_opsetid("", 17), onnx.helper.make_opsetid("ai.onnx.ml", 3)]
    model = onnx.helper.make_model(proto, opset_imports=opsets, ir_version=8)
    session = onnxruntime.InferenceSession(model.SerializeToString())
    feed = {name: array for (name, _), array in zip(inputs, columns, strict=True)}
    return session.run(None, feed)[0]


def test_every_operation_can_be_written():
    assert set(NODES) == set(OPERATIONS)


def test_kinds_have_the_numbers_of_onnx():
    proto = onnx.TensorProto
    known = [proto.BOOL, proto.FLOAT, proto.DOUBLE, proto.INT64, proto.STRING]

    assert dict(zip(KINDS, known, strict=True)) == TYPES


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("activation", ACTIVATION_CASES, ids=name_of)
def test_activations_have_their_values(activation, precision):
    assert {type(case) for case in ACTIVATION_CASES} == set(ACTIVATIONS.values())
    z = np.concatenate([[-1e3, 1e3], np.linspace(-40, 40, 181)]).astype(precision)[:, np.newaxis]
    expected = z.copy()
    activation.apply(expected)
    found = compute(activate(matrix(1) * np.ones(1, precision), activation), [z])

    tolerance = 1e-6 if precision == "float32" else 1e-13
    np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance)
    assert found.dtype == precision


def test_the_normal_distribution_keeps_the_digits_of_its_tail():
    z = np.linspace(-37, 37, 2001)[:, np.newaxis]

    np.testing.assert_allclose(compute(normal_cdf(matrix(1) * 1.0), [z]), ndtr(z), rtol=1e-12)


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("layer", LAYER_CASES, ids=name_of)
def test_networks_with_each_layer_predict_the_same(layer, precision):
    assert set(map(type, LAYER_CASES)) >= set(LAYERS.values()) - {Residual}
    network = make_network_with(layer)
    theta = draw_theta(network, np.random.default_rng(1)).astype(precision)
    parameters, rows = network.layout.views(theta), X.astype(precision)
    found = compute(run(network, parameters, matrix(5)), [rows])

    tolerance = PRECISIONS[precision]
    expected = network.predict(rows, parameters).T
    np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance)
    assert found.dtype == precision


@pytest.mark.parametrize("n_targets", [1, 3])
@pytest.mark.parametrize("loss", [*LOSS_CASES, Quantile([0.5])], ids=name_of)
def test_losses_predict_the_same(loss, n_targets):
    n_raw = n_targets * loss.raw_per_target
    raw = 3 * np.random.default_rng(0).standard_normal((20, n_raw))
    expected = loss.predictions(raw.T.copy())
    found = compute(invert_link(matrix(n_raw) + np.zeros(n_raw), loss, n_targets), [raw])

    np.testing.assert_allclose(found, expected.reshape(found.shape), rtol=1e-12, atol=1e-15)


def test_columns_make_up_a_matrix_of_the_widest_precision():
    columns = [np.ones((2, 1), np.float32), np.ones((2, 1), np.int64), np.ones((2, 1), bool)]
    found = compute(matrix(3) + 0.5, columns)

    np.testing.assert_array_equal(found, np.full((2, 3), 1.5))
    assert found.dtype == np.float64


def test_single_precision_needs_single_inputs_and_constants():
    single, double = np.ones(5, np.float32), np.ones(5)
    rows = X.astype(np.float32)

    assert compute(matrix(5) + single, [rows]).dtype == np.float32
    assert compute(matrix(5) + double, [rows]).dtype == np.float64
    assert compute(matrix(5) + single, [X]).dtype == np.float64


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda x: 1 - x / 2, 1 - X / 2),
        (lambda x: take(x, [3, 0]) @ np.ones((2, 1)), X[:, [3]] + X[:, [0]]),
        (lambda x: where(x > 0.0, 1.0, x), np.where(X > 0, 1, X)),
        (lambda x: reshape(take(x, [0, 1, 2, 3]), (2, 2)), X[:, :4].reshape(-1, 2, 2)),
    ],
)
def test_operations_mean_what_they_mean_for_arrays(make, expected):
    np.testing.assert_allclose(compute(make(matrix(5)), [X]), expected, rtol=1e-15)


@pytest.mark.parametrize("n_rows", [0, 1, 7])
def test_any_number_of_rows_will_do(n_rows):
    assert compute(matrix(5) * 2.0, [np.ones((n_rows, 5))]).shape == (n_rows, 5)
