from types import SimpleNamespace

import numpy as np
import pytest

from sknn.export.inputs import certain, kind_of, precision_of, tensors, width_of
from sknn.export.nodes import Tensor
from sknn.export.signature import KINDS

skl2onnx = pytest.importorskip(
    "skl2onnx", reason="make test-clients runs them where skl2onnx is installed"
)
NAMES = {"get_unique_variable_name": str, "get_unique_operator_name": str}


class Nodes(list):
    """What skl2onnx's container is for nodes."""

    def add_node(self, *node, **options):
        self.append((*node, options))


def variable(kind, shape=(None, 2), is_root=True):
    return SimpleNamespace(
        type=tensors()[kind](list(shape)), is_root=is_root, full_name="v", raw_name="v"
    )


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_has_a_type(kind):
    assert kind_of(variable(kind)) == kind


def test_other_types_are_refused():
    strange = variable("str")
    strange.type = skl2onnx.common.data_types.Complex64TensorType([None, 1])
    with pytest.raises(ValueError, match="The input 'v' is a Complex64TensorType; it must be one"):
        kind_of(strange)


@pytest.mark.parametrize(
    ("kinds", "precision"),
    [(["float32", "int64"], "float32"), (["bool", "float64"], "float64"), (["str"], "float32")],
)
def test_doubles_come_out_if_some_go_in(kinds, precision):
    assert precision_of([variable(kind) for kind in kinds]) == precision


@pytest.mark.parametrize(
    ("shapes", "width"),
    [([(None, 2), (None, 3)], 5), ([(None, 2), (None, None)], None), ([()], None)],
)
def test_widths_may_be_unknown(shapes, width):
    assert width_of([variable("float32", shape) for shape in shapes]) == width


def test_what_steps_have_made_is_cast_to_what_it_says_it_is():
    scope, nodes = SimpleNamespace(**NAMES), Nodes()
    given, made = variable("float64"), variable("float64", is_root=False)
    words = variable("str", is_root=False)
    found = certain(scope, nodes, [given, made, words])

    assert found == [Tensor("v", "float64"), Tensor("certain", "float64"), Tensor("v", "str")]
    assert nodes == [("Cast", ["v"], "certain", {"name": "Cast", "to": 11})]
    assert skl2onnx.common.data_types.guess_proto_type(given.type) == 11
    assert np.dtype(found[0].kind) == np.float64
