import matplotlib as mpl
import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler

from sknn import MLPClassifier, MLPRegressor
from sknn.inspection.weights_display import WeightsDisplay

mpl.use("Agg")
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
X, Y = load_digits(n_class=3, return_X_y=True)
X = X / 16
SETTINGS = {"solver": "lbfgs", "tol": 0.01, "random_state": 0}
NET = MLPClassifier((20,), **SETTINGS).fit(X, Y)


@pytest.fixture(autouse=True)
def close_figures():
    yield
    import matplotlib.pyplot as plt

    plt.close("all")


def titles_of(display):
    return [ax.get_title() for ax in display.axes_]


def test_images_are_the_weights_of_the_units_with_the_largest_norms():
    display = WeightsDisplay.from_estimator(NET)

    norms = np.linalg.norm(NET.coefs_[0], axis=0)
    assert len(display.images_) == len(display.axes_) == 16
    assert np.all(np.diff(norms[display.units_]) <= 0)
    assert norms[display.units_[-1]] >= np.sort(norms)[-16]
    for unit, image in zip(display.units_, display.images_, strict=True):
        np.testing.assert_array_equal(image.get_array(), NET.coefs_[0][:, unit].reshape(8, 8))
    assert titles_of(display) == [f"unit {unit}" for unit in display.units_]


def test_all_images_have_one_symmetric_scale():
    display = WeightsDisplay.from_estimator(NET, n_units=5)

    limit = np.abs(NET.coefs_[0][:, display.units_]).max()
    assert {image.get_clim() for image in display.images_} == {(-limit, limit)}
    assert (display.colorbar_.vmin, display.colorbar_.vmax) == (-limit, limit)
    assert display.figure_.axes == [*display.axes_, display.colorbar_.ax]


def test_units_are_at_most_as_many_as_there_are():
    display = WeightsDisplay.from_estimator(NET, n_units=100)

    assert sorted(display.units_) == list(range(20))


def test_images_have_the_given_shape():
    display = WeightsDisplay.from_estimator(NET, shape=(4, 16), n_units=3)

    expected = NET.coefs_[0][:, display.units_[0]].reshape(4, 16)
    np.testing.assert_array_equal(display.images_[0].get_array(), expected)


def test_features_that_are_no_square_need_a_shape():
    net = MLPRegressor((3,), **SETTINGS).fit(X[:, :6], Y)
    with pytest.raises(ValueError, match="6 features are no square: set shape"):
        WeightsDisplay.from_estimator(net)

    assert len(WeightsDisplay.from_estimator(net, shape=(3, 2)).images_) == 3


@pytest.mark.parametrize("shape", [(8, 9), (64,), (-8, -8), (2, 4, 8)])
def test_a_shape_must_fit_the_features(shape):
    with pytest.raises(ValueError, match=r"shape=.* whose product is 64, the number of features"):
        WeightsDisplay.from_estimator(NET, shape=shape)


def test_units_of_a_linear_model_are_named_as_its_classes():
    display = WeightsDisplay.from_estimator(MLPClassifier((), **SETTINGS).fit(X, Y))

    assert titles_of(display) == [str(k) for k in display.units_]
    assert sorted(display.units_) == [0, 1, 2]


def test_draws_into_given_axes_with_given_options():
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(2, 3)
    display = WeightsDisplay.from_estimator(
        NET, axes=axes, n_units=4, image_kw={"cmap": "PuOr", "vmin": -1, "vmax": 1}
    )

    assert display.figure_ is figure
    assert display.axes_.tolist() == axes.ravel()[:4].tolist()
    assert display.images_[0].get_cmap().name == "PuOr"
    assert display.images_[0].get_clim() == (-1, 1)
    with pytest.raises(ValueError, match="axes has 6 Axes for 7 units"):
        WeightsDisplay.from_estimator(NET, axes=axes, n_units=7)


def test_draws_one_unit_into_one_axes():
    import matplotlib.pyplot as plt

    _, ax = plt.subplots()
    display = WeightsDisplay.from_estimator(NET, axes=ax, n_units=1)

    assert display.axes_.tolist() == [ax]


def test_draws_the_end_of_a_pipeline_and_the_best_of_a_search():
    model = make_pipeline(MinMaxScaler(), MLPClassifier((4,), **SETTINGS)).fit(X, Y)
    display = WeightsDisplay.from_estimator(model)
    np.testing.assert_array_equal(display.weights, model[-1].coefs_[0])

    search = GridSearchCV(model, {"mlpclassifier__alpha": [0.1, 1.0]}, cv=2).fit(X, Y)
    display = WeightsDisplay.from_estimator(search)
    np.testing.assert_array_equal(display.weights, search.best_estimator_[-1].coefs_[0])


def test_factors_of_the_inputs_belong_to_their_weights():
    net = MLPRegressor((3,), front="scale", max_iter=1, random_state=0).fit(X, Y)
    net.front_[0]["scale"] = np.arange(64.0)
    display = WeightsDisplay.from_estimator(net)

    np.testing.assert_array_equal(display.weights, net.coefs_[0] * np.arange(64.0)[:, np.newaxis])


def test_weights_of_zero_are_white():
    net = MLPRegressor((3,), **SETTINGS).fit(X, Y)
    net.coefs_[0] = np.zeros_like(net.coefs_[0])

    assert WeightsDisplay.from_estimator(net).images_[0].get_clim() == (-1, 1)


def test_what_stands_in_front_is_refused():
    net = MLPRegressor((3,), front="piecewise_linear", max_iter=1).fit(X, Y)
    with pytest.raises(ValueError, match="begins with PiecewiseLinear"):
        WeightsDisplay.from_estimator(net)


def test_other_estimators_are_refused():
    with pytest.raises(TypeError, match=r"WeightsDisplay draws an MLPClassifier .* got Logistic"):
        WeightsDisplay.from_estimator(LogisticRegression())
    with pytest.raises(NotFittedError):
        WeightsDisplay.from_estimator(MLPClassifier())
    with pytest.raises(ValueError, match="n_units must be an int of at least 1; got 0"):
        WeightsDisplay.from_estimator(NET, n_units=0)
