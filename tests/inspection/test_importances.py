"""How much each column matters: what is known by hand, and what scikit-learn says."""

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import make_friedman1
from sklearn.ensemble import RandomForestRegressor
from sklearn.exceptions import NotFittedError
from sklearn.inspection import permutation_importance
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sknn import MLPClassifier, MLPRegressor
from sknn.inspection import importance, input_gradients, integrated_gradients
from sknn.tabular import TabularMLPClassifier
from tests.inspection.explaining import (
    NAMES,
    NEW,
    NEW_TABLE,
    TABLE,
    TARGETS,
    X,
    fit,
    make,
    settle,
)

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

KINDS = ["integrated_gradients", "gradient", "permutation"]
LINEAR = fit("number", hidden_layer_sizes=())
W = np.abs(LINEAR.coefs_[0][:, 0])
FRAMED = settle(make("number", hidden_layer_sizes=()), TABLE, TARGETS["number"])


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_a_series_with_the_names_of_the_columns(kind):
    found = importance(FRAMED, TABLE, TARGETS["number"], kind)

    assert isinstance(found, pd.Series)
    assert found.index.tolist() == NAMES
    assert found.name == kind
    plain = importance(LINEAR, X, TARGETS["number"], kind)
    assert plain.index.tolist() == ["x0", "x1", "x2", "x3"]


@pytest.mark.parametrize("form", [np.asarray, sp.csr_array, pd.DataFrame, list])
def test_attributions_of_a_linear_model_are_mean_distances_times_weights(form):
    expected = W * np.abs(NEW - NEW.mean(axis=0)).mean(axis=0)
    np.testing.assert_allclose(importance(LINEAR, form(NEW)), expected, rtol=1e-9)

    from_zero = importance(LINEAR, form(NEW), baseline="zero")
    np.testing.assert_allclose(from_zero, W * np.abs(NEW).mean(axis=0), rtol=1e-9)


@pytest.mark.parametrize("form", [np.asarray, sp.csr_array, pd.DataFrame, list])
def test_gradients_of_a_linear_model_are_weights_times_standard_deviations(form):
    found = importance(LINEAR, form(NEW), kind="gradient")

    np.testing.assert_allclose(found, W * NEW.std(axis=0), rtol=1e-9)


@pytest.mark.parametrize("what", ["three", "labels", "numbers"])
def test_of_several_outputs_it_is_the_sum(what):
    net, output = fit(what), "prediction" if what == "numbers" else "probability"

    values = integrated_gradients(net, NEW, output=output).values
    np.testing.assert_allclose(
        importance(net, NEW, output=output), np.abs(values).mean(axis=0).sum(axis=1)
    )
    slopes = np.abs(input_gradients(net, NEW, output=output)).mean(axis=0).sum(axis=1)
    np.testing.assert_allclose(
        importance(net, NEW, kind="gradient", output=output), slopes * NEW.std(axis=0)
    )


def test_of_one_output_it_is_that_ones():
    net = fit("three")

    values = integrated_gradients(net, NEW, target="b", tolerance=1e-5).values
    np.testing.assert_allclose(
        importance(net, NEW, target="b", tolerance=1e-5), np.abs(values).mean(axis=0)
    )
    slopes = input_gradients(net, NEW, target="b")
    np.testing.assert_allclose(
        importance(net, NEW, kind="gradient", target="b"),
        np.abs(slopes).mean(axis=0) * NEW.std(axis=0),
    )


@pytest.mark.parametrize("form", [np.asarray, pd.DataFrame, list])
def test_permutation_is_scikit_learns(form):
    options = {"n_repeats": 2, "random_state": 0, "scoring": "neg_mean_absolute_error"}
    found = importance(LINEAR, form(X), TARGETS["number"], "permutation", **options)

    theirs = permutation_importance(LINEAR, X, TARGETS["number"], **options)
    np.testing.assert_allclose(found, theirs.importances_mean, rtol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_columns_that_say_something_are_found(kind):
    rows, y = make_friedman1(300, 8, random_state=0)
    network = MLPRegressor((20,), "tanh", solver="lbfgs", alpha=1, max_iter=300, random_state=0)
    y = (y - y.mean()) / y.std()
    net = make_pipeline(StandardScaler(), network).fit(rows, y)
    options = {"random_state": 0} if kind == "permutation" else {}
    found = importance(net, rows, y, kind, **options)

    assert found.iloc[:5].min() > 1.5 * found.iloc[5:].max()


def test_what_is_around_a_network_is_looked_through():
    scaled = make_pipeline(StandardScaler(), make("two")).fit(TABLE * 100, TARGETS["two"])
    search = GridSearchCV(scaled, {}, cv=2).fit(TABLE * 100, TARGETS["two"])
    for net in (scaled, search):
        for kind in KINDS:
            found = importance(net, TABLE * 100, TARGETS["two"], kind)
            assert found.index.tolist() == NAMES
            assert found.abs().min() >= 0
    # What a scaler undoes does not matter.
    plain = make_pipeline(StandardScaler(), make("two")).fit(TABLE, TARGETS["two"])
    for kind in KINDS[:2]:
        np.testing.assert_allclose(
            importance(scaled, TABLE * 100, kind=kind), importance(plain, TABLE, kind=kind)
        )


@pytest.mark.parametrize("kind", KINDS)
def test_of_calibrated_classifiers_probabilities_are_explained(kind):
    net = CalibratedClassifierCV(make("three"), cv=2).fit(X, TARGETS["three"])
    found = importance(net, X, TARGETS["three"], kind)

    if kind == "gradient":
        slopes = np.abs(input_gradients(net, X, output="probability")).mean(axis=0).sum(axis=1)
        np.testing.assert_allclose(found, slopes * X.std(axis=0))
    assert np.isfinite(found).all()


def test_categories_matter_by_their_attributions():
    rng = np.random.default_rng(0)
    table = TABLE.assign(word=rng.choice(["u", "v", "w"], 60))
    y = np.where(table["word"] == "u", "yes", TARGETS["two"])
    net = TabularMLPClassifier(cv=2, max_iter=4, hidden_layer_sizes=(8,), random_state=0)
    found = importance(net.fit(table, y), table)

    assert found.index.tolist() == [*NAMES, "word"]
    values = integrated_gradients(net, table).values
    np.testing.assert_allclose(found, np.abs(values).mean(axis=0))
    assert found["word"] > 0.01


def test_a_kind_that_there_is_not_is_refused():
    with pytest.raises(
        ValueError, match=r"kind must be one of \['integrated_gradients'.*got 'shap'"
    ):
        importance(LINEAR, NEW, kind="shap")
    with pytest.raises(ValueError, match=r"kind='permutation' compares scores: pass y\."):
        importance(LINEAR, NEW, kind="permutation")


@pytest.mark.parametrize("kind", KINDS)
def test_what_cannot_be_explained_is_named(kind):
    with pytest.raises(NotFittedError, match="MLPClassifier"):
        importance(MLPClassifier(), NEW, TARGETS["two"][:7], kind)
    if kind == "permutation":  # which needs no more than predictions
        return
    forest = RandomForestRegressor(2).fit(X, TARGETS["number"])
    with pytest.raises(TypeError, match="RandomForestRegressor cannot be explained"):
        importance(forest, NEW, TARGETS["number"][:7], kind)


@pytest.mark.parametrize("kind", KINDS)
def test_rows_of_another_width_are_refused(kind):
    with pytest.raises(ValueError, match="X has 3 features"):
        importance(LINEAR, NEW[:, :3], TARGETS["number"][:7], kind)


def test_rows_alone_are_compared_to_a_background():
    found = importance(LINEAR, NEW[:1], background=X)

    np.testing.assert_allclose(found, W * np.abs(NEW[0] - X.mean(axis=0)), rtol=1e-9)
    assert importance(FRAMED, NEW_TABLE.iloc[:1], background=TABLE).index.tolist() == NAMES
