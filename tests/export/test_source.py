import ast
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import sknn
from sknn.export import to_python
from sknn.export.formula import OPERATIONS, matrix
from sknn.export.source import PYTHON, as_literal
from sknn.losses import Quantile
from tests.cases import pairs
from tests.export.running import (
    IRIS,
    ODD,
    PATIENTS,
    PROGRESSION,
    SPECIES,
    Cubed,
    as_list,
    classifier,
    evaluate,
    fit,
    fitted,
    regressor,
    run_source,
)

OPTIONS = pairs(
    ["relu", "gelu", "mish", ["elu", "softplus"], "selu", "leaky_relu"],
    [None, "batch", "layer"],
    [None, "scale", "fourier", "piecewise_linear", ["fourier", "scale"]],
    [False, True],
    [np.float32, np.float64],
)


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_operation_can_be_written(name):
    assert name in PYTHON


def test_nothing_else_is_written():
    assert set(PYTHON) == set(OPERATIONS)


@pytest.mark.parametrize(("activation", "normalization", "front", "residual", "dtype"), OPTIONS)
def test_source_predicts_as_the_network_does(activation, normalization, front, residual, dtype):
    network = classifier(
        (6, 6),
        activation=activation,
        normalization=normalization,
        front=front,
        residual=residual,
        dropout=0.2,
    )
    X = IRIS.astype(dtype)
    fit(network, X, ODD[SPECIES])
    module = run_source(to_python(network))
    found = module["predict_proba"](X)

    tolerance = 1e-12 if dtype == np.float64 else 1e-5
    np.testing.assert_allclose(found, network.predict_proba(X), rtol=tolerance)
    assert found.dtype == dtype
    assert (module["predict"](X) == network.predict(X)).mean() > 0.99


@pytest.mark.parametrize("given", [np.float32, np.float64])
@pytest.mark.parametrize("learnt", [np.float32, np.float64])
def test_precision_is_that_of_the_estimator(learnt, given):
    network = fit(regressor(), PATIENTS.astype(learnt), PROGRESSION)
    found = run_source(to_python(network))["predict"](PATIENTS.astype(given))

    assert found.dtype == network.predict(PATIENTS.astype(given)).dtype


def test_lists_and_single_rows_are_taken():
    network = fitted("words")
    predict = run_source(to_python(network))["predict"]

    assert predict(IRIS[:1].tolist()).tolist() == network.predict(IRIS[:1]).tolist()
    assert predict(IRIS[:0]).shape == (0,)


def test_frames_have_the_columns_of_fit():
    frame = pd.DataFrame(IRIS, columns=[*"abcd"])
    network = fit(classifier(), frame, SPECIES)
    predict = run_source(to_python(network))["predict"]

    np.testing.assert_array_equal(predict(frame), network.predict(frame))
    np.testing.assert_array_equal(predict(IRIS), network.predict(frame))
    with pytest.raises(ValueError, match="in this order; got"):
        predict(frame[[*"dcba"]])


BLOCKED = """
import sys


class Blocker:
    def find_spec(self, name, path=None, target=None):
        root = name.split(".")[0]
        assert root not in {"sknn", "sklearn", "scipy", "pandas", "joblib"}, name


sys.meta_path.insert(0, Blocker())
import numpy as np
import exported

X = np.load("X.npy")
np.save("labels.npy", exported.predict(X))
probabilities = exported.predict_proba(X)
np.save("probabilities.npy", probabilities)
"""


@pytest.mark.parametrize("flags", [[], ["-O"], ["-OO"]], ids=" ".join)
def test_a_module_needs_numpy_only(tmp_path, flags):
    network = fit(classifier(activation="gelu"), IRIS, ODD[SPECIES])
    (tmp_path / "exported.py").write_text(to_python(network), encoding="ascii")
    (tmp_path / "main.py").write_text(BLOCKED)
    np.save(tmp_path / "X.npy", IRIS)
    command = [sys.executable, *flags, "-W", "error", "main.py"]
    subprocess.run(command, cwd=tmp_path, check=True, timeout=600)

    np.testing.assert_array_equal(np.load(tmp_path / "labels.npy"), network.predict(IRIS))
    found = np.load(tmp_path / "probabilities.npy")
    np.testing.assert_allclose(found, network.predict_proba(IRIS), rtol=1e-12)


@pytest.mark.parametrize("kind", ["words", "single", "several words", "labels"])
def test_the_text_is_python_and_says_where_it_comes_from(kind):
    source = to_python(fitted(kind))
    tree = ast.parse(source)

    assert source.isascii()
    head = ast.get_docstring(tree)
    assert "MLPClassifier" in head
    assert f"sknn {sknn.__version__}" in head
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    assert all(map(ast.get_docstring, functions))
    assert {node.name for node in functions} >= {"predict", "predict_proba"}
    imported = [
        name.name for node in tree.body if isinstance(node, ast.Import) for name in node.names
    ]
    assert set(imported) <= {"base64", "math", "numpy"}


def test_the_same_estimator_has_the_same_text():
    assert to_python(fitted("words")) == to_python(fitted("words"))


def test_only_what_is_used_is_there():
    small, gelu = classifier((2,)), classifier(activation="gelu")
    source = to_python(fit(small, IRIS[:, :2], SPECIES > 0))

    assert "import math" not in source
    assert "import base64" not in source
    assert "_softmax" not in source
    assert "import math\n" in to_python(fit(gelu, IRIS, SPECIES))


def test_functions_have_names_and_comments():
    lines = [line.strip() for line in to_python(fitted("words")).splitlines()]

    assert "h = x @ COEF_1 + INTERCEPT_1  # Linear" in lines
    assert "h2 = _relu(h)  # ReLU" in lines
    assert "raw = h2 @ COEF_2 + INTERCEPT_2" in lines


def test_expressions_have_brackets_where_they_need_them():
    x = matrix(1)
    X = np.array([[2.0], [-3.0]])
    formula = (1 - (x - 2)) / (x * -3.0) - -1.0 * (x / (x / 2.0))

    np.testing.assert_allclose(evaluate(formula, X), (1 - (X - 2)) / (X * -3) + X / (X / 2))


def test_weights_that_are_no_numbers_come_through():
    network = fit(regressor((2,)), IRIS, SPECIES.astype(float))
    network.intercepts_[-1] = np.array([np.inf])

    assert np.isposinf(run_source(to_python(network))["predict"](IRIS)).all()


def test_a_search_has_found_an_estimator():
    search = fit(GridSearchCV(classifier(), {"alpha": [0.1, 1.0]}, cv=2), IRIS, SPECIES)

    assert to_python(search) == to_python(search.best_estimator_)


def test_a_pipeline_is_refused():
    pipeline = fit(make_pipeline(StandardScaler(), classifier()), IRIS, SPECIES)
    with pytest.raises(ValueError, match=r"export its last step alone, to_python\(pipeline\[-1\]"):
        to_python(pipeline)


def test_an_activation_of_ones_own_is_refused():
    network = fit(classifier(activation=Cubed()), IRIS / 10, SPECIES)
    with pytest.raises(ValueError, match=r"activation has a Cubed of .* cannot be exported"):
        to_python(network)


def test_probabilities_of_several_targets_are_a_list():
    network = fitted("several")
    found = run_source(to_python(network))["predict_proba"](IRIS)

    assert [part.shape[1] for part in found] == [3, 2]
    assert len(as_list(found)) == 2


def test_a_level_is_a_number():
    network = fit(regressor(loss=Quantile(0.9)), PATIENTS, PROGRESSION)

    assert run_source(to_python(network))["predict"](PATIENTS).shape == (len(PATIENTS),)


def test_literals_are_ascii():
    text = as_literal(ODD.tolist())

    assert text.isascii()
    assert ast.literal_eval(text) == ODD.tolist()
