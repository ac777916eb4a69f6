import matplotlib as mpl
import numpy as np
import pytest
from sklearn.datasets import load_wine
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler, scale

from sknn import MLPClassifier, MLPRegressor
from sknn.inspection.drawing import NEGATIVE, POSITIVE
from sknn.inspection.network_display import WIDEST, NetworkDisplay
from sknn.layers import Dropout

mpl.use("Agg")
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
FRAME, CLASSES = load_wine(return_X_y=True, as_frame=True)
FRAME = FRAME.iloc[:, :4]
X, Y = scale(FRAME.to_numpy()), load_wine().target_names[CLASSES]
SETTINGS = {"solver": "lbfgs", "tol": 0.01, "random_state": 0}
NET = MLPClassifier((5, 3), **SETTINGS).fit(X, Y)


@pytest.fixture(autouse=True)
def close_figures():
    yield
    import matplotlib.pyplot as plt

    plt.close("all")


def heights_of(display, layer):
    return display.circles_[layer].get_offsets()[:, 1].tolist()


def texts_of(texts):
    return [text.get_text() for text in texts]


def drawn_weights(display, layer):
    """Return for each line its weight, as told by the circles that it joins."""
    left, right = heights_of(display, layer), heights_of(display, layer + 1)
    coef = display.coefs[layer][np.ix_(display.shown_[layer], display.shown_[layer + 1])]
    ends = np.array(display.lines_[layer].get_segments())
    assert set(ends[:, 0, 0]) == {layer}
    assert set(ends[:, 1, 0]) == {layer + 1}
    return np.array([coef[left.index(a), right.index(b)] for a, b in ends[:, :, 1].tolist()])


def test_draws_each_unit_and_each_weight():
    display = NetworkDisplay.from_estimator(NET)

    assert [len(circles.get_offsets()) for circles in display.circles_] == [4, 5, 3, 3]
    for layer, coef in enumerate(NET.coefs_):
        found = drawn_weights(display, layer)
        np.testing.assert_array_equal(np.sort(found), np.sort(coef, axis=None))
    assert texts_of(display.titles_) == ["4 inputs", "5 units", "3 units", "3 outputs"]
    assert display.dots_ == []


def test_lines_are_as_wide_as_weights_are_large_and_show_their_sign():
    display = NetworkDisplay.from_estimator(NET)

    largest = max(np.abs(coef).max() for coef in NET.coefs_)
    for layer, lines in enumerate(display.lines_):
        weights = drawn_weights(display, layer)
        np.testing.assert_allclose(lines.get_linewidths(), WIDEST * np.abs(weights) / largest)
        assert np.all(np.diff(lines.get_linewidths()) >= 0)  # the largest is on top
        colors = mpl.colors.to_rgba_array(np.where(weights > 0, POSITIVE, NEGATIVE))
        np.testing.assert_array_equal(lines.get_colors(), colors)
    texts = display.legend_.get_texts()
    assert texts_of(texts) == ["positive weight", "negative weight"]
    assert [h.get_color() for h in display.legend_.legend_handles] == [POSITIVE, NEGATIVE]


def test_of_large_layers_the_units_with_the_largest_weights_are_drawn():
    net = MLPRegressor((6,), **SETTINGS).fit(X, X[:, 0])
    net.coefs_ = [np.ones((4, 6)), np.ones((6, 1))]
    net.coefs_[0][:, 4] = -3
    net.coefs_[1][1] = 9
    net.coefs_[0][2] *= 2
    display = NetworkDisplay.from_estimator(net, max_units=2)

    assert [units.tolist() for units in display.shown_] == [[0, 2], [1, 4], [0]]
    assert texts_of(display.dots_) == ["…", "…"]
    assert texts_of(display.names_[0]) == ["x0", "x2"]
    for layer, text in enumerate(display.dots_):
        x, y = text.get_position()
        assert x == layer
        assert y < min(heights_of(display, layer))
    np.testing.assert_array_equal(np.sort(drawn_weights(display, 0)), [-6, -3, 1, 2])


def test_classes_and_features_have_names():
    display = NetworkDisplay.from_estimator(MLPClassifier((2,), **SETTINGS).fit(FRAME, Y))

    assert texts_of(display.names_[0]) == list(FRAME.columns)
    assert texts_of(display.names_[1]) == ["class_0", "class_1", "class_2"]


@pytest.mark.parametrize(
    ("model", "y", "names"),
    [
        (MLPClassifier((2,), **SETTINGS), np.where(Y == "class_1", "yes", "no"), ["yes"]),
        (MLPRegressor((2,), **SETTINGS), X[:, 0], ["output"]),
        (MLPRegressor((), **SETTINGS), X[:, :2], ["output 0", "output 1"]),
    ],
)
def test_outputs_are_named_as_there_are(model, y, names):
    display = NetworkDisplay.from_estimator(model.fit(X, y))

    assert texts_of(display.names_[1]) == names


def test_names_go_through_the_steps_of_a_pipeline():
    model = make_pipeline(StandardScaler(), "passthrough", MLPClassifier((2,), **SETTINGS))
    display = NetworkDisplay.from_estimator(model.fit(FRAME, Y))
    assert texts_of(display.names_[0]) == list(FRAME.columns)

    model = make_pipeline(FunctionTransformer(np.asarray), MLPClassifier((2,), **SETTINGS))
    display = NetworkDisplay.from_estimator(model.fit(FRAME, Y))
    assert texts_of(display.names_[0]) == ["x0", "x1", "x2", "x3"]

    display = NetworkDisplay.from_estimator(model, feature_names=list("abcd"))
    assert texts_of(display.names_[0]) == ["a", "b", "c", "d"]
    with pytest.raises(ValueError, match="feature_names has 3 names; the network has 4 inputs"):
        NetworkDisplay.from_estimator(model, feature_names=list("abc"))


def test_draws_the_best_of_a_search():
    model = make_pipeline(StandardScaler(), MLPClassifier((2,), **SETTINGS))
    search = GridSearchCV(model, {"mlpclassifier__alpha": [0.1, 1.0]}, cv=2).fit(FRAME, Y)
    display = NetworkDisplay.from_estimator(search)

    assert display.coefs[1] is search.best_estimator_[-1].coefs_[1]
    assert texts_of(display.names_[0]) == list(FRAME.columns)


def test_factors_of_the_inputs_belong_to_their_weights():
    net = MLPRegressor((3,), front=[Dropout(0.1), "scale"], **(SETTINGS | {"solver": "adam"}))
    net.fit(X, X[:, 0])
    net.front_[0]["scale"] = np.array([1.0, 2.0, 0.0, -1.0])
    display = NetworkDisplay.from_estimator(net)

    factors = np.array([[1.0], [2.0], [0.0], [-1.0]])
    np.testing.assert_array_equal(display.coefs[0], net.coefs_[0] * factors)


def test_draws_into_given_axes_with_given_options():
    import matplotlib.pyplot as plt

    figure, ax = plt.subplots()
    options = {"line_kw": {"alpha": 0.5}, "circle_kw": {"facecolors": "yellow", "s": 9}}
    display = NetworkDisplay.from_estimator(NET, ax=ax, **options)

    assert display.ax_ is ax
    assert display.figure_ is figure
    assert {lines.get_alpha() for lines in display.lines_} == {0.5}
    assert {circles.get_sizes().item() for circles in display.circles_} == {9}


def test_a_network_of_zeros_has_lines_without_width():
    net = MLPRegressor((3,), **SETTINGS).fit(X, X[:, 0])
    net.coefs_ = [np.zeros_like(coef) for coef in net.coefs_]
    display = NetworkDisplay.from_estimator(net)

    assert not any(np.any(lines.get_linewidths()) for lines in display.lines_)


def test_everything_that_is_written_lies_within_the_figure():
    long = [f"a feature with a very long name, number {j}" for j in range(4)]
    display = NetworkDisplay.from_estimator(NET, feature_names=long)
    display.figure_.draw_without_rendering()

    texts = [*display.names_[0], *display.names_[1], *display.titles_, display.legend_]
    whole = display.figure_.bbox
    for text in texts:
        box = text.get_window_extent()
        assert whole.x0 <= box.x0 <= box.x1 <= whole.x1
        assert whole.y0 <= box.y0 <= box.y1 <= whole.y1
    assert texts_of(display.names_[0])[0] == "a feature with a very l…"


def test_circles_have_room_however_many_there_are():
    net = MLPRegressor((60,), **SETTINGS).fit(X, X[:, 0])
    display = NetworkDisplay.from_estimator(net, max_units=60)
    display.figure_.draw_without_rendering()

    places = display.ax_.transData.transform(display.circles_[1].get_offsets())
    diameter = np.sqrt(display.circles_[1].get_sizes()[0]) * display.figure_.dpi / 72
    assert np.abs(np.diff(places[:, 1])).min() > diameter


@pytest.mark.parametrize(
    ("settings", "layer"),
    [
        ({"front": "fourier"}, "begins with Fourier"),
        ({"normalization": "layer"}, "also has LayerNorm"),
        ({"residual": True}, "also has Residual"),
    ],
)
def test_networks_that_are_no_plain_layers_are_refused(settings, layer):
    net = MLPRegressor((3, 3), max_iter=1, **settings).fit(X, X[:, 0])
    with pytest.raises(ValueError, match=layer):
        NetworkDisplay.from_estimator(net)


def test_other_estimators_are_refused():
    with pytest.raises(TypeError, match=r"NetworkDisplay draws an MLPClassifier .* got Logistic"):
        NetworkDisplay.from_estimator(LogisticRegression())
    with pytest.raises(TypeError, match="got StandardScaler"):
        NetworkDisplay.from_estimator(make_pipeline(MLPClassifier(), StandardScaler()))


@pytest.mark.parametrize(
    "model",
    [
        MLPClassifier(),
        make_pipeline(StandardScaler(), MLPRegressor()),
        GridSearchCV(MLPClassifier(), {}),
        GridSearchCV(MLPClassifier(**SETTINGS), {}, refit=False, cv=2).fit(X, Y),
    ],
)
def test_what_is_not_fitted_is_refused(model):
    with pytest.raises(NotFittedError):
        NetworkDisplay.from_estimator(model)


@pytest.mark.parametrize("value", [0, 2.5, None])
def test_max_units_must_be_a_number_of_units(value):
    with pytest.raises(ValueError, match=f"max_units must be an int of at least 1; got {value}"):
        NetworkDisplay.from_estimator(NET, max_units=value)
