import numpy as np
import pytest
from sklearn.ensemble import VotingClassifier
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sknn.export import finish, to_onnx
from sknn.export.finish import check_model, check_opset, explained, join_exactly
from sknn.export.refusal import of_package
from tests.export.running import IRIS, SPECIES, classifier, fit, fitted

pytest.importorskip("skl2onnx", reason="make test-clients runs them where skl2onnx is installed")
onnx = pytest.importorskip("onnx", reason="skl2onnx needs it")
pytest.importorskip("onnxruntime", reason="what runs ONNX models")
PIPELINE = fit(make_pipeline(StandardScaler(), classifier()), IRIS, SPECIES)


@pytest.mark.parametrize("target_opset", [None, 9, np.int64(15), {"": 12}, {"ai.onnx.ml": 3}])
def test_versions_of_operators(target_opset):
    check_opset(target_opset)


@pytest.mark.parametrize("target_opset", [0, 8, 99, "13", True, 13.0, {"": 7}])
def test_other_versions_are_refused(target_opset):
    with pytest.raises(ValueError, match=r"target_opset must be None, an int from 9 to .*; got "):
        check_opset(target_opset)


def fail(operator, error):
    """Raise an error as a converter of skl2onnx does."""
    raise error


@pytest.mark.parametrize(
    "error", [RuntimeError("no!\nmore"), KeyError("no!"), AssertionError("no!"), ValueError("no!")]
)
def test_errors_name_the_step(error):
    message = r"The step 'standardscaler' \(StandardScaler\) cannot be converted by skl2onnx: '?no!"
    with pytest.raises(ValueError, match=message) as found, explained(PIPELINE):
        fail(PIPELINE[0], error)

    assert found.value.__cause__ is error
    assert "more" not in str(found.value)


def test_errors_without_a_word_have_a_name():
    with pytest.raises(ValueError, match=r"skl2onnx: AssertionError\. Apply"), explained(PIPELINE):
        fail(None, AssertionError())


@pytest.mark.parametrize("error", [NotFittedError("no!"), KeyboardInterrupt(), OSError("no!")])
def test_other_errors_remain_what_they_are(error):
    with pytest.raises(type(error)) as found, explained(PIPELINE):
        fail(PIPELINE[0], error)

    assert found.value is error


def test_refusals_remain_what_they_are():
    with pytest.raises(ValueError, match=r"^activation has a int of"), explained(PIPELINE):
        of_package(3, {}, "activation")


def test_votes_are_flat_by_default():
    voting = fit(VotingClassifier([("a", classifier())]), IRIS, SPECIES)
    with pytest.raises(ValueError, match="Set flatten_transform=False, which changes no predict"):
        to_onnx(voting, IRIS)

    voting.set_params(flatten_transform=False)
    to_onnx(voting, IRIS)


def make_model(*nodes, kind=onnx.TensorProto.DOUBLE):
    """Return a model of nodes from x to y."""
    value = onnx.helper.make_tensor_value_info
    ends = [value("x", kind, [None, 2])], [value("y", kind, [None, None])]
    graph = onnx.helper.make_graph([onnx.helper.make_node(*node) for node in nodes], "g", *ends)
    opsets = [onnx.helper.make_opsetid("", 17), onnx.helper.make_opsetid("ai.onnx.ml", 3)]
    return onnx.helper.make_model(graph, opset_imports=opsets, ir_version=8)


def test_columns_are_joined_in_their_own_type():
    model = make_model(("Identity", ["x"], ["a"]), ("CastLike", ["b", "x"], ["y"]))
    vectorizer = onnx.helper.make_node(
        "FeatureVectorizer", ["x", "a"], ["b"], domain="ai.onnx.ml", inputdimensions=[2, 2]
    )
    model.graph.node.insert(1, vectorizer)
    join_exactly(model)

    assert [node.op_type for node in model.graph.node] == ["Identity", "Concat", "Identity"]
    onnx.checker.check_model(model, full_check=True)
    check_model(model, PIPELINE)


@pytest.mark.parametrize(
    ("kind", "advice"),
    [("DOUBLE", "cast X_sample with astype"), ("FLOAT", "Apply steps outside")],
)
@pytest.mark.parametrize("has_runtime", [True, False])
def test_models_that_cannot_be_run_are_refused(kind, advice, has_runtime, monkeypatch):
    if not has_runtime:
        monkeypatch.setattr(finish.importlib.util, "find_spec", lambda name: None)
    kind = getattr(onnx.TensorProto, kind)
    check_model(make_model(("Neg", ["x"], ["y"]), kind=kind), PIPELINE)
    model = make_model(("Cast", ["x"], ["a"]), ("Add", ["a", "x"], ["y"]), kind=kind)
    model.graph.node[0].attribute.append(onnx.helper.make_attribute("to", 7))
    with pytest.raises(ValueError, match=f"of Pipeline cannot be run: .*{advice}"):
        check_model(model, PIPELINE)


def test_kernels_that_are_missing_are_noticed():
    model = make_model(("Erf", ["x"], ["y"]))
    with pytest.raises(ValueError, match=r"cannot be run: .*Erf.* cast X_sample with astype"):
        check_model(model, fitted("words"))
