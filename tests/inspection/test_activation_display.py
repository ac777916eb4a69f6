import matplotlib as mpl
import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sknn import MLPClassifier, MLPRegressor
from sknn.activations import ELU, Custom, Logistic, ReLU, Tanh
from sknn.inspection.activation_display import ActivationDisplay, bounds_of
from sknn.layers import ActivationLayer, Linear, Residual

mpl.use("Agg")
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
RNG = np.random.default_rng(0)
X = RNG.standard_normal((100, 3))
Y = X[:, 0] - X[:, 1]


@pytest.fixture(autouse=True)
def close_figures():
    yield
    import matplotlib.pyplot as plt

    plt.close("all")


class HardTanh:
    def forward(self, z):
        return np.clip(z, -1, 1)

    def backward(self, z, grad):
        return grad * (np.abs(z) < 1)


class Cosine:
    def forward(self, z):
        return np.cos(z)

    def backward(self, z, grad):
        return -grad * np.sin(z)


class Overflowing:
    def forward(self, z):
        return 1 / (1 + np.exp(-z))


def fit(*sizes, **settings):
    """Return a network that has hardly been trained."""
    return MLPRegressor(sizes, max_iter=1, random_state=0, **settings).fit(X, Y)


def test_dead_units_are_those_that_no_row_moves():
    net = fit(8, 4)
    net.intercepts_[0][:3] = -100  # no row reaches these
    net.coefs_[1][:, 2], net.intercepts_[1][2] = 0, 1.5  # this one is constant
    net.coefs_[1][:, [0, 1, 3]], net.intercepts_[1][[0, 1, 3]] = np.eye(8)[:, 3:6], 0.1
    display = ActivationDisplay.from_estimator(net, X)

    np.testing.assert_array_equal(display.dead_, [3 / 8, 1 / 4])
    np.testing.assert_array_equal(display.saturated_, [np.nan, np.nan])
    assert set(display.bars_) == {"dead"}


@pytest.mark.parametrize(
    ("activation", "steepness"), [("tanh", 1000), ("logistic", 1000), (HardTanh(), 100)]
)
def test_saturated_units_are_near_a_bound_for_nearly_all_rows(activation, steepness):
    net = fit(5, activation=activation)
    net.coefs_[0] *= 0.1
    net.intercepts_[0][:] = 0
    net.coefs_[0][:, :2] *= steepness * 10  # both bounds occur
    net.intercepts_[0][2] = -100  # one bound: also dead
    display = ActivationDisplay.from_estimator(net, X)

    assert display.saturated_.tolist() == [3 / 5]
    assert display.dead_.tolist() == [1 / 5]


def test_bars_are_as_high_as_the_shares():
    net = fit(6, 5, 4, activation=["tanh", "relu", "logistic"])
    net.intercepts_[0][:2] = 30
    net.intercepts_[1][:] = -30, 2, 2, 2, 2
    net.intercepts_[2][1:] = 30
    display = ActivationDisplay.from_estimator(net, X)

    bars = {name: [bar.get_height() for bar in bars] for name, bars in display.bars_.items()}
    assert bars["dead"] == display.dead_.tolist() == [2 / 6, 1 / 5, 3 / 4]
    assert bars["saturated"] == display.saturated_[[0, 2]].tolist() == [2 / 6, 3 / 4]
    centers = [bar.get_x() + bar.get_width() / 2 for bar in display.bars_["saturated"]]
    np.testing.assert_array_equal(np.round(centers), [0, 2])  # a ReLU has no bar
    texts = [text.get_text() for text in display.bar_labels_["dead"]]
    assert texts == ["33%", "20%", "75%"]
    labels = [label.get_text() for label in display.ax_.get_xticklabels()]
    assert labels == ["0\n6 units\nTanh", "1\n5 units\nReLU", "2\n4 units\nLogistic"]
    assert [text.get_text() for text in display.legend_.get_texts()] == ["dead", "saturated"]


def test_share_and_margin_say_what_is_saturated():
    outputs = np.zeros((10, 2))
    outputs[:8, 0], outputs[:, 1] = 0.95, np.linspace(-0.5, 0.5, 10)
    display = ActivationDisplay(outputs=[outputs], bounds=[(-1.0, 1.0)], layer_names=["0"])

    assert display.plot().saturated_ == 0
    assert display.plot(margin=0.05).saturated_ == 0
    assert display.plot(share=0.7).saturated_ == 0
    assert display.plot(margin=0.05, share=0.7).saturated_ == 0.5
    assert display.plot(margin=0.05, share=0.8).saturated_ == 0
    with pytest.raises(ValueError, match=r"margin must be in \[0, 0.5\); got 0.5"):
        display.plot(margin=0.5)
    with pytest.raises(ValueError, match=r"share must be in \[0, 1\); got -0.1"):
        display.plot(share=-0.1)


def test_rounding_and_the_tails_of_smooth_activations_are_no_life():
    outputs = np.array([[1.0, 3.0 + 1e-12, -1e-10], [2.0, 3.0, -1e-9], [0.0, 3.0, 0.0]])
    display = ActivationDisplay(outputs=[outputs], bounds=[None], layer_names=["0"]).plot()

    assert display.dead_ == pytest.approx(2 / 3)


def test_a_residual_layer_is_judged_by_what_it_adds():
    net = fit(4, 4, 4, residual=True, activation=["identity", "relu", "tanh"])
    net.intercepts_[1][:3] = -100
    net.intercepts_[2][0] = 100
    display = ActivationDisplay.from_estimator(net, X)

    np.testing.assert_array_equal(display.dead_, [0, 3 / 4, 1 / 4])
    np.testing.assert_array_equal(display.saturated_, [np.nan, np.nan, 1 / 4])
    names = [name.splitlines()[-1] for name in display.layer_names]
    assert names == ["Identity", "ReLU", "Tanh"]


def test_a_residual_layer_in_front_has_no_bounds():
    front = Residual((Linear(3), ActivationLayer(Tanh())))
    display = ActivationDisplay.from_estimator(fit(4, front=front, activation="tanh"), X)

    assert display.bounds == [None, (-1.0, 1.0)]


def test_what_stands_in_front_and_between_is_no_hidden_layer():
    net = fit(4, 3, front="fourier", normalization="layer", dropout=0.1, activation="tanh")
    display = ActivationDisplay.from_estimator(net, X)

    assert [output.shape for output in display.outputs] == [(100, 4), (100, 3)]
    assert display.bounds == [(-1.0, 1.0)] * 2


def test_rows_go_through_the_steps_of_a_pipeline():
    net = MLPRegressor((6,), max_iter=1, random_state=0)
    model = make_pipeline(StandardScaler(), "passthrough", net).fit(X * 100, Y)
    display = ActivationDisplay.from_estimator(model, X * 100)

    expected = model[-1].hidden_layer_outputs(model[0].transform(X * 100))
    np.testing.assert_array_equal(display.outputs[0], expected)


def test_draws_the_best_of_a_search():
    search = GridSearchCV(MLPRegressor((6,), max_iter=1), {"alpha": [0.1, 1.0]}, cv=2).fit(X, Y)
    display = ActivationDisplay.from_estimator(search, X)

    expected = search.best_estimator_.hidden_layer_outputs(X)
    np.testing.assert_array_equal(display.outputs[0], expected)


def test_sparse_rows_are_as_good():
    net = fit(6)
    sparse = ActivationDisplay.from_estimator(net, sp.csr_matrix(X))

    np.testing.assert_allclose(sparse.outputs[0], net.hidden_layer_outputs(X))


def test_draws_into_given_axes_with_given_options():
    import matplotlib.pyplot as plt

    figure, ax = plt.subplots()
    display = ActivationDisplay.from_estimator(fit(6), X, ax=ax, bar_kw={"color": "red"})

    assert display.ax_ is ax
    assert display.figure_ is figure
    assert display.bars_["dead"][0].get_facecolor() == (1, 0, 0, 1)


@pytest.mark.parametrize(
    ("activation", "bounds"),
    [
        (Tanh(), (-1, 1)),
        (Logistic(), (0, 1)),
        (Custom(HardTanh()), (-1, 1)),
        (Custom(Overflowing()), (0, 1)),
        (Custom(Cosine()), None),
        (ReLU(), None),
        (ELU(), None),
    ],
)
def test_bounds_are_found_where_there_are_some(activation, bounds):
    assert bounds_of(activation) == bounds


def test_there_must_be_hidden_layers_and_rows():
    with pytest.raises(ValueError, match=r"ActivationDisplay draws hidden layers; .* has none"):
        ActivationDisplay.from_estimator(fit(), X)
    with pytest.raises(ValueError, match="at least 2 rows"):
        ActivationDisplay.from_estimator(fit(3), X[:1])
    with pytest.raises(ValueError, match="X has 2 features"):
        ActivationDisplay.from_estimator(fit(3), X[:, :2])


def test_other_estimators_are_refused():
    with pytest.raises(
        TypeError, match=r"ActivationDisplay draws an MLPClassifier .* got Logistic"
    ):
        ActivationDisplay.from_estimator(LogisticRegression(), X)
    with pytest.raises(NotFittedError):
        ActivationDisplay.from_estimator(MLPClassifier(), X)
