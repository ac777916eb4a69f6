"""What the warnings say when training ends badly."""

import warnings

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes
from sklearn.exceptions import ConvergenceWarning
from sklearn.preprocessing import scale

from sknn import MLPClassifier, MLPRegressor

X, Y = load_breast_cancer(return_X_y=True)
XR, YR = load_diabetes(return_X_y=True)
XR = scale(XR)


def message_of(model, X, y):
    """Return the warning that training has not converged."""
    with pytest.warns(ConvergenceWarning) as caught:
        model.fit(X, y)
    [warning] = [w for w in caught if issubclass(w.category, ConvergenceWarning)]
    return str(warning.message)


def test_where_all_is_well_the_progress_says_what_to_change():
    model = MLPClassifier((5,), max_iter=30, random_state=0)
    message = message_of(model, scale(X), Y)
    first, last = model.loss_curve_[-10], model.loss_curve_[-1]

    progress = f"In the last 10 epochs the loss went from {first:.4g} to {last:.4g}"
    change = "increase max_iter=30 or learning_rate_init=0.001."
    assert message.endswith(f"hasn't converged yet. {progress}: {change}")


def test_where_the_loss_has_risen_a_lower_rate_is_advised():
    numbers = {"solver": "sgd", "momentum": 0.0, "learning_rate_init": 0.01, "random_state": 0}
    model = MLPRegressor((5,), learning_rate=lambda epoch: 200 if epoch == 39 else 1, **numbers)
    message = message_of(model.set_params(max_iter=40, tol=0.0), XR, scale(YR))
    first, last = model.loss_curve_[-10], model.loss_curve_[-1]

    assert last > first
    progress = f"In the last 10 epochs the loss went from {first:.4g} to {last:.4g}"
    assert f"{progress}: lower learning_rate_init=0.01, or increase tol=0.0 if" in message


def test_rows_from_all_over_the_data_are_looked_at():
    # In the first rows nothing varies.
    y = np.concatenate([np.zeros(600), np.full(600, 1000.0)])
    data = np.random.default_rng(0).standard_normal((1200, 3))
    message = message_of(MLPRegressor((5,), max_iter=2, random_state=0), data, y)

    assert "y is not scaled: its standard deviation is 500 and its mean 500" in message


def test_tiny_features_are_not_scaled_either():
    message = message_of(MLPClassifier((5,), max_iter=3, random_state=0), 1e-7 * scale(X), Y)

    assert "X is not scaled" in message


def test_unscaled_features_are_named_with_figures():
    message = message_of(MLPClassifier((5,), max_iter=3, random_state=0), X, Y)

    std = X[np.linspace(0, len(X) - 1, 500).astype(int)].std(axis=0)
    assert f"range from {std.min():.3g} to {std.max():.3g}" in message
    assert "StandardScaler before the network" in message


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_an_unscaled_target_is_named_with_figures(solver):
    message = message_of(MLPRegressor((5,), solver=solver, max_iter=3, random_state=0), XR, YR)

    assert "y is not scaled: its standard deviation is 77" in message
    assert "TransformedTargetRegressor" in message
    assert "X is not scaled" not in message


@pytest.mark.parametrize(
    ("y", "is_fine"),
    [
        (scale(YR), True),
        (YR + 1e5, False),
        (1e-3 * scale(YR), False),
        (scale(YR) + 3, True),
        (np.zeros(len(YR)), True),
    ],
)
def test_spread_and_place_of_the_target_both_count(y, is_fine):
    message = message_of(MLPRegressor((5,), max_iter=2, random_state=0), XR, y)

    assert ("y is not scaled" not in message) is is_fine


def test_positive_targets_with_a_logarithmic_link_need_no_scaling():
    message = message_of(MLPRegressor((5,), loss="poisson", max_iter=2, random_state=0), XR, YR)

    assert "y is not scaled" not in message


def test_dead_units_are_counted():
    model = MLPClassifier((10, 8), max_iter=3, random_state=0)
    dead = [np.full(10, -1e3), np.full(8, 0.1), np.zeros(1)]
    weights = [np.ones((30, 10)), np.ones((10, 8)), np.ones((8, 1))]
    message = message_of(model.set_params(initializer=(weights, dead)), scale(X), Y)

    assert "Of the 10 units of hidden layer 1, 10 are dead" in message
    assert "hidden layer 2" not in message
    assert "activation='leaky_relu'" in message


def test_a_recovery_is_not_explained_by_progress():
    numbers = {"solver": "sgd", "momentum": 0.0, "batch_size": 32, "learning_rate_init": 2.0}
    model = MLPRegressor((20,), tol=1e-3, on_divergence="recover", random_state=0, **numbers)
    message = message_of(model, XR, scale(YR))

    assert "Lower learning_rate_init=2.0." in message
    assert "increase" not in message


def test_divergence_is_explained():
    model = MLPRegressor((5,), solver="sgd", learning_rate_init=10.0, random_state=0)
    with pytest.raises(ValueError, match=r"Training diverged in epoch \d+.*y is not scaled"):
        model.fit(XR, YR)


def test_sparse_data_are_explained_too():
    import scipy.sparse as sp

    message = message_of(MLPClassifier((5,), max_iter=3, random_state=0), sp.csr_matrix(X), Y)
    assert "X is not scaled" in message


def test_an_ignored_warning_is_not_explained(monkeypatch):
    def fail(*arguments):
        raise AssertionError("nobody reads this")

    monkeypatch.setattr("sknn.training.training.explain", fail)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        MLPClassifier((5,), max_iter=3).fit(X, Y)


quiet = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@quiet
def test_the_diagnosis_of_the_largest_numbers_is_finite():
    with pytest.raises(ValueError, match="X is not scaled") as caught:
        MLPRegressor((5,), max_iter=3, solver="sgd").fit(1e300 * XR, YR)

    assert "inf" not in str(caught.value).replace("infinity", "").split("X is not scaled")[1]


@pytest.mark.parametrize("loss", ["poisson", "gamma"])
def test_the_scale_of_counts_is_named(loss):
    with pytest.warns(
        ConvergenceWarning, match="not scaled for a logarithmic link: its mean is"
    ) as c:
        MLPRegressor((5,), loss=loss, max_iter=2, random_state=0).fit(XR, 1e6 * YR)

    says_intercept = "intercept_init='target'" in str(c[0].message)
    assert says_intercept is (loss == "poisson")  # gamma begins there


def test_targets_of_very_different_spread_are_named():
    y = np.stack([scale(YR), 1e-3 * scale(YR)], axis=1)
    with pytest.warns(ConvergenceWarning, match=r"different spread: .* from 0\.001 to 1"):
        MLPRegressor((5,), max_iter=2, random_state=0).fit(XR, y)
