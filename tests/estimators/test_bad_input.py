"""Bad input gets an error that names it, before any training, and changes nothing."""

import pickle
import re

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
import sklearn.neural_network as reference
from sklearn.exceptions import NotFittedError

from sknn import MLPClassifier, MLPRegressor

rng = np.random.default_rng(0)
X = rng.standard_normal((40, 3))
Y = (X[:, 0] > 0).astype(int)
ESTIMATORS = [MLPClassifier, MLPRegressor]
both = pytest.mark.parametrize("Estimator", ESTIMATORS)
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

BAD_PARAMETERS = [
    ("alpha", -1, "a float in the range [0, inf)"),
    ("alpha", "1", "a float"),
    ("alpha", np.inf, "[0, inf)"),
    ("learning_rate_init", np.inf, "(0, inf)"),
    ("tol", np.inf, "[0, inf)"),
    ("alpha", np.nan, "a float"),
    ("batch_size", 0, "one of 'auto', 'adaptive' or an int in the range [1, inf)"),
    ("batch_size", 2.5, "an int"),
    ("batch_size", "atuo", "Did you mean 'auto'?"),
    ("learning_rate", "adaptve", "Did you mean 'adaptive'?"),
    ("learning_rate_init", 0, "(0, inf)"),
    ("power_t", -0.5, "[0, inf)"),
    ("max_iter", 0, "[1, inf)"),
    ("max_iter", 1.5, "an int"),
    ("max_iter", True, "an int"),
    ("shuffle", "yes", "a bool"),
    ("random_state", -1, "RandomState"),
    ("random_state", "seed", "RandomState"),
    ("tol", -1e-3, "[0, inf)"),
    ("verbose", -1, "a bool or an int"),
    ("warm_start", 1, "a bool"),
    ("momentum", 1.1, "[0, 1]"),
    ("nesterovs_momentum", None, "a bool"),
    ("early_stopping", "loss", "a bool"),
    ("validation_fraction", 1.0, "[0, 1)"),
    ("beta_1", 1.0, "[0, 1)"),
    ("beta_2", -0.1, "[0, 1)"),
    ("epsilon", 0.0, "(0, inf)"),
    ("n_iter_no_change", 0, "an int in the range [1, inf) or inf"),
    ("n_iter_no_change", 2.5, "an int"),
    ("max_fun", 0, "[1, inf)"),
    ("target_loss", "low", "None or a float"),
    ("solver", "adm", "Did you mean 'adam'?"),
    ("activation", "rellu", "Did you mean 'relu'?"),
    ("activation", None, "'identity'"),
    ("hidden_layer_sizes", 0, "must be > 0"),
    ("hidden_layer_sizes", (10, -3), "must be > 0"),
    ("hidden_layer_sizes", (10, 2.5), "2.5"),
    ("hidden_layer_sizes", 2.5, "2.5"),
    ("hidden_layer_sizes", "ten", "an int or a sequence of ints"),
    ("hidden_layer_sizes", None, "an int or a sequence of ints"),
    ("hidden_layer_sizes", np.array(5), "an int or a sequence of ints"),
    ("hidden_layer_sizes", (i for i in (5, 3)), "an int or a sequence of ints"),
]


@both
@pytest.mark.parametrize(("name", "value", "allowed"), BAD_PARAMETERS)
@pytest.mark.parametrize("error", [ValueError, TypeError])
def test_a_bad_parameter_is_named_with_value_and_remedy(Estimator, name, value, allowed, error):
    with pytest.raises(error, match=re.escape(allowed)) as caught:
        Estimator(**{name: value}).fit(X, Y)

    assert name in str(caught.value)
    shown = value[-1] if isinstance(value, tuple) else value
    assert repr(shown) in str(caught.value)


def test_an_unknown_loss_gets_a_guess():
    with pytest.raises(ValueError, match=r"loss.*'poison'.*Did you mean 'poisson'"):
        MLPRegressor(loss="poison").fit(X, Y)


@both
def test_early_stopping_needs_something_to_validate_on(Estimator):
    with pytest.raises(ValueError, match="validation_fraction=0"):
        Estimator(early_stopping=True, validation_fraction=0).fit(X, Y)
    with pytest.raises(ValueError, match=r"validation_fraction=0.02 of 40 samples"):
        Estimator(early_stopping=True, validation_fraction=0.02).fit(X[:40], Y[:40])


BAD_DATA = {
    "X has NaN": (np.where(np.arange(120).reshape(40, 3) == 7, np.nan, X), Y, "NaN"),
    "X has inf": (np.where(np.arange(120).reshape(40, 3) == 7, np.inf, X), Y, "infinity"),
    "X is empty": (np.empty((0, 3)), np.empty(0), "0 sample"),
    "X has no feature": (np.empty((40, 0)), Y, "0 feature"),
    "X is flat": (X[:, 0], Y, "2D"),
    "X is text": (np.full((40, 3), "a"), Y, "could not convert|dtype|numeric"),
    "y is short": (X, Y[:-1], "inconsistent"),
    "y has NaN": (X, np.where(np.arange(40) == 3, np.nan, Y), "NaN"),
    "y is missing": (X, None, "None"),
    "y has three axes": (X, np.zeros((40, 2, 2)), "dim|multioutput|1d|Unknown label"),
    "X is complex": (X + 1j, Y, "omplex"),
}


@both
@pytest.mark.parametrize("case", BAD_DATA)
def test_bad_data_is_refused(Estimator, case):
    data, target, message = BAD_DATA[case]
    with pytest.raises((ValueError, TypeError), match=message):
        Estimator().fit(data, target)


@both
def test_weights_that_leave_a_part_of_the_split_empty_are_refused(Estimator):
    model = Estimator(early_stopping=True, random_state=0)
    weight = np.zeros(40)
    weight[0] = 1  # wherever row 0 goes, the other part has no weight
    with pytest.raises(ValueError, match="sample_weight is 0 for all samples of a part"):
        model.fit(X, Y, sample_weight=weight)


def test_continuous_labels_are_refused():
    with pytest.raises(ValueError, match="Unknown label type"):
        MLPClassifier().fit(X, X[:, 0])


@both
def test_a_call_that_fails_leaves_a_fitted_estimator_as_it_was(Estimator):
    frame = pd.DataFrame(X, columns=["a", "b", "c"])
    model = Estimator(max_iter=3, random_state=0).fit(frame, Y)
    before = pickle.dumps(model)
    failing = [
        lambda: model.fit(frame.rename(columns={"a": "z"}), np.full(40, np.nan)),
        lambda: model.fit(X[:, :2], Y[:-1]),
        lambda: model.partial_fit(frame[["a", "b"]], Y),
        lambda: model.partial_fit(frame, Y, sample_weight=-np.ones(40)),
    ]
    for call in failing:
        with pytest.raises(ValueError):  # noqa: PT011
            call()

    assert pickle.dumps(model) == before
    assert list(model.feature_names_in_) == ["a", "b", "c"]


def test_a_fit_that_fails_leaves_the_classes_as_they_were():
    model = MLPClassifier(max_iter=3, random_state=0).fit(X, Y)
    model.set_params(early_stopping=True, validation_fraction=0.02)
    with pytest.raises(ValueError, match=r"validation_fraction=0\.02"):
        model.fit(X, np.where(Y, "yes", "no"))

    np.testing.assert_array_equal(model.classes_, [0, 1])
    assert set(model.predict(X)) <= {0, 1}


def test_divergence_raises_scikit_learns_message_with_epoch_and_remedy():
    model = MLPRegressor(solver="sgd", learning_rate_init=1e10, random_state=0)
    message = (
        r"non-finite parameter weights.*in epoch \d+.*StandardScaler.*learning_rate_init=100000"
    )
    with pytest.raises(ValueError, match=message):
        model.fit(X, Y)

    assert not hasattr(model, "coefs_")


@both
def test_predicting_before_fitting_is_refused(Estimator):
    with pytest.raises(NotFittedError):
        Estimator().predict(X)
    with pytest.raises(NotFittedError):
        _ = Estimator().history_


@both
@pytest.mark.parametrize(
    ("data", "message"),
    [
        (X[:, :2], "2 features"),
        (np.where(np.arange(120).reshape(40, 3) == 7, np.nan, X), "NaN"),
        (np.where(np.arange(120).reshape(40, 3) == 7, np.inf, X), "infinity"),
        (X[0], "2D"),
        (np.empty((0, 3)), "0 sample"),
        (sp.csr_matrix(X[:, :2]), "2 features"),
        (X[:, :2].astype(np.float32), "2 features"),
    ],
    ids=["narrow", "NaN", "inf", "flat", "empty", "sparse", "float32"],
)
def test_bad_data_is_refused_in_predict(Estimator, data, message):
    model = Estimator(max_iter=2, random_state=0).fit(X, Y)
    with pytest.raises(ValueError, match=message):
        model.predict(data)


def test_partial_fit_needs_the_classes_first_and_knows_them_later():
    with pytest.raises(ValueError, match="classes must be passed on the first call"):
        MLPClassifier().partial_fit(X, Y)
    model = MLPClassifier().partial_fit(X, Y, classes=[0, 1])
    with pytest.raises(ValueError, match="not the same as on last call"):
        model.partial_fit(X, Y, classes=[0, 1, 2])
    with pytest.raises(ValueError, match=r"classes not in `self.classes_`.*'y' has \[0 1 5\]"):
        model.partial_fit(X, np.r_[Y[:-1], 5])
    with pytest.raises(ValueError, match="holds an indicator matrix"):
        model.partial_fit(X, np.eye(40, 2, dtype=int))


def test_partial_fit_refuses_classes_that_lack_what_y_has():
    with pytest.raises(ValueError, match="classes not in"):
        MLPClassifier().partial_fit(X, Y, classes=[7, 8])


@both
def test_partial_fit_refuses_early_stopping_and_another_number_of_features(Estimator):
    classes = {"classes": [0, 1]} if Estimator is MLPClassifier else {}
    with pytest.raises(ValueError, match="partial_fit does not support early_stopping=True"):
        Estimator(early_stopping=True).partial_fit(X, Y, **classes)
    model = Estimator().partial_fit(X, Y, **classes)
    with pytest.raises(ValueError, match="2 features"):
        model.partial_fit(X[:, :2], Y)


@both
def test_warm_start_refuses_another_architecture(Estimator):
    model = Estimator((4,), warm_start=True, max_iter=2, random_state=0).fit(X, Y)
    with pytest.raises(ValueError, match=r"hidden_layer_sizes=\(5,\) differs.*\(4,\)"):
        model.set_params(hidden_layer_sizes=(5,)).fit(X, Y)


def test_warm_start_refuses_another_number_of_outputs():
    model = MLPRegressor(warm_start=True, max_iter=2, random_state=0).fit(X, Y)
    with pytest.raises(ValueError, match=r"2 outputs.*fitted with 1"):
        model.fit(X, X[:, :2])


@both
def test_a_batch_larger_than_the_data_is_clipped_with_a_warning(Estimator):
    with pytest.warns(UserWarning, match="batch_size=100, but there are 40"):
        Estimator(batch_size=100, max_iter=2).fit(X, Y)


def test_targets_of_the_regressor_must_be_numbers_that_its_dtype_can_hold():
    with pytest.raises(ValueError, match="y must be a dense array of numbers"):
        MLPRegressor().fit(X, np.where(Y, "yes", "no"))
    with pytest.raises(ValueError, match="y must be a dense array of numbers"):
        MLPRegressor().fit(X, sp.csr_matrix(X[:, :2]))
    with pytest.raises(ValueError, match=r"y has values up to 1e\+39, too large for float32"):
        MLPRegressor().fit(X.astype(np.float32), np.full(40, 1e39))


def test_labels_of_mixed_types_are_refused():
    with pytest.raises((ValueError, TypeError)):
        MLPClassifier().fit(X, np.array(["a", 1] * 20, dtype=object))


def test_lbfgs_on_data_that_overflow_ends_as_scikit_learns_does():
    for data, y in ((X * 1e200, X[:, 0]), (X, X[:, 0] * 1e160)):
        model = MLPRegressor((5,), solver="lbfgs", random_state=0)
        with np.errstate(all="ignore"):
            theirs = reference.MLPRegressor(**model_parameters(model)).fit(data, y)
            ours = model.fit(data, y)
        for coef, expected in zip(ours.coefs_, theirs.coefs_, strict=True):
            np.testing.assert_allclose(coef, expected)


def model_parameters(model):
    """Return the parameters that scikit-learn knows."""
    known = reference.MLPRegressor().get_params()
    return {name: value for name, value in model.get_params().items() if name in known}


def test_assigned_weights_must_fit_the_network():
    model = MLPRegressor((5,), max_iter=2, random_state=0, warm_start=True).fit(X, Y)
    coefs = list(model.coefs_)
    model.coefs_ = [coefs[0], np.eye(5), coefs[1]]
    with pytest.raises(ValueError, match=r"coefs_ has 3 arrays.*2 layers"):
        model.predict(X)
    model.coefs_ = [np.ones((1, 5)), coefs[1]]
    with pytest.raises(ValueError, match=r"shape \(1, 5\) where the network has \(3, 5\)"):
        model.fit(X, Y)
