import re
from functools import cache

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes, load_wine
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sknn import MLPClassifier, MLPRegressor, TabularMLPRegressor
from sknn.inspection import explain_row, integrated_gradients
from sknn.inspection.drawing import NEGATIVE, POSITIVE

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
SMALL = {"solver": "lbfgs", "alpha": 1.0, "max_iter": 100, "random_state": 0}
NAMES = load_breast_cancer().target_names


@cache
def tumours():
    X, y = load_breast_cancer(return_X_y=True, as_frame=True)
    y = NAMES[y]
    return make_pipeline(StandardScaler(), MLPClassifier((5,), **SMALL)).fit(X, y), X


@cache
def patients():
    X, y = load_diabetes(return_X_y=True, as_frame=True, scaled=False)
    return make_pipeline(StandardScaler(), MLPRegressor((5,), **SMALL)).fit(X, y), X


@cache
def wines():
    X, y = load_wine(return_X_y=True)
    return make_pipeline(StandardScaler(), MLPClassifier((5,), **SMALL)).fit(X, y), X


@pytest.mark.parametrize(("row", "name"), [(0, "malignant"), (19, "benign")])
def test_the_predicted_class_is_explained_also_where_it_is_the_first_of_two(row, name):
    net, X = tumours()
    found = explain_row(net, X, row)
    k = net.classes_.tolist().index(name)

    assert found.target == name
    assert found.answer == pytest.approx(net.predict_proba(X.iloc[[row]])[0, k], rel=1e-6)
    assert found.answer > 0.5
    moved = found.attributions.sum()
    assert moved == pytest.approx(found.answer - found.base_value, abs=0.01)
    assert moved > 0


def test_attributions_are_integrated_gradients_with_the_largest_first():
    net, X = patients()
    found = explain_row(net, X, 7)
    expected = integrated_gradients(net, X.iloc[[7]], background=X, output="prediction")

    sizes = found.attributions.abs()
    assert sizes.is_monotonic_decreasing
    np.testing.assert_allclose(found.attributions[list(X)], expected.values[0], rtol=1e-9)
    assert found.data["bmi"] == X["bmi"].iloc[7]
    assert found.to_frame().columns.tolist() == ["value", "attribution"]
    assert found.answer == pytest.approx(net.predict(X.iloc[[7]])[0])


@pytest.mark.parametrize("row", [0, 100, -1])
def test_one_of_several_classes_is_explained(row):
    net, X = wines()
    found = explain_row(net, X, row)

    assert found.target == net.predict(X)[row]
    assert found.answer == pytest.approx(net.predict_proba(X)[row, found.target], rel=1e-6)
    other = explain_row(net, X, row, target=(found.target + 1) % 3, output="raw")
    assert other.output == "raw"


def test_it_is_printed_in_plain_words():
    net, X = patients()
    lines = str(explain_row(net, X, 3, max_features=2)).splitlines()

    assert lines[0].startswith(f"Prediction: {net.predict(X.iloc[[3]])[0]:.4g}. ")
    assert len(lines) == 4
    assert lines[1].split(" = ")[0] in X
    assert lines[3].startswith("8 other columns")


def test_a_notebook_shows_a_table_in_which_names_are_escaped():
    _, X = patients()
    X = X.rename(columns={"bmi": "<b>"})
    y = X["<b>"]
    net = make_pipeline(StandardScaler(), MLPRegressor((), **SMALL)).fit(X, y)
    html = explain_row(net, X, 0)._repr_html_()

    assert "&lt;b&gt;" in html
    assert "<b>" not in html
    assert html.count("<tr>") == 9


def test_gaps_and_categories_are_named():
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"size": rng.standard_normal(60), "colour": ["red", "blue", "green"] * 20})
    X.loc[::5, "size"] = np.nan
    y = X["size"].fillna(2) + (X["colour"] == "red")
    model = TabularMLPRegressor("fast", cv=2, max_iter=3, random_state=0).fit(X, y)
    text = str(explain_row(model, X, 0, tolerance=1.0))

    assert "size = missing" in text
    assert "colour = red" in text


def test_several_targets_have_to_be_chosen_from():
    _, X = patients()
    both = make_pipeline(StandardScaler(), MLPRegressor((3,), **SMALL))
    both.fit(X, np.column_stack([X["age"], X["bmi"]]))

    with pytest.raises(ValueError, match="target=None leaves open which of 2 outputs"):
        explain_row(both, X)
    assert explain_row(both, X, target=1).target == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"row": 442}, r"row must be an int in the range \[-442, 441\]; got 442"),
        ({"row": "a"}, "row must be an int"),
        ({"max_features": 0}, "max_features must be an int of at least 1; got 0"),
        ({"target": 3}, "target=3 is no output"),
    ],
)
def test_bad_values_are_named(options, message):
    net, X = patients()
    with pytest.raises(ValueError, match=message):
        explain_row(net, X, **options)


def test_a_class_that_is_unknown_is_named():
    net, X = tumours()
    with pytest.raises(ValueError, match="target='sane' is no class"):
        explain_row(net, X, target="sane")


def test_it_has_the_colours_of_the_figures():
    from matplotlib.colors import to_hex

    net, X = patients()
    explanation = explain_row(net, X, 0)
    moved = explanation.to_frame()["attribution"].to_numpy()
    shown = re.findall(r"background:(#\w+)", explanation._repr_html_())

    assert shown == [to_hex(POSITIVE if value > 0 else NEGATIVE) for value in moved[: len(shown)]]
    assert len(set(shown)) == 2
