"""The search over learning rates."""

import re
import warnings

import numpy as np
import pytest
import sklearn
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import TransformedTargetRegressor
from sklearn.datasets import load_diabetes, load_iris
from sklearn.ensemble import (
    AdaBoostClassifier,
    BaggingClassifier,
    BaggingRegressor,
    StackingClassifier,
    StackingRegressor,
    VotingClassifier,
    VotingRegressor,
)
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.multiclass import OneVsOneClassifier, OneVsRestClassifier
from sklearn.multioutput import (
    ClassifierChain,
    MultiOutputClassifier,
    MultiOutputRegressor,
    RegressorChain,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler, scale
from sklearn.utils.estimator_checks import parametrize_with_checks

from sknn import MLPClassifier, MLPRegressor
from sknn.model_selection import (
    HalvingGridSearchCV,
    LearningRateSearchCV,
    learning_rate,
)
from sknn.solvers.range_test import choose_rates
from tests.model_selection.searching import PREFIX, X, Y, make_pipe

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


# The search.


def test_the_search_covers_the_range_by_halving_on_epochs(search):
    results = search.cv_results_

    assert len(search.rates_) == 6
    ratios = search.rates_[1:] / search.rates_[:-1]
    np.testing.assert_allclose(ratios, ratios[0])
    assert search.n_candidates_ == [6, 2]
    assert list(search.n_resources_) == [3, 9]
    assert set(results[f"param_{PREFIX}learning_rate_init"]) == set(search.rates_)
    assert search.best_params_[f"{PREFIX}max_iter"] == 9
    assert search.best_score_ > 0.9
    assert search.score(X, Y) > 0.9
    assert search.classes_.tolist() == [0, 1]


def test_the_range_test_is_kept(search):
    table = search.range_test_

    assert list(table) == ["learning_rate", "loss"]
    assert len(table) == 29
    assert table["learning_rate"].min() == pytest.approx(1e-6)
    low, high, _ = choose_rates(table["learning_rate"].to_numpy(), table["loss"].to_numpy())
    assert search.rates_[[0, -1]] == pytest.approx([low, high])
    assert low < 0.01 < high


def test_the_same_seed_gives_the_same_search(search):
    other = clone(search).fit(X, Y)

    np.testing.assert_array_equal(
        other.cv_results_["mean_test_score"], search.cv_results_["mean_test_score"]
    )


def test_all_networks_of_a_stage_train_together(stack_sizes):
    search = LearningRateSearchCV(make_pipe(), n_rates=6, cv=3)
    search.fit(X[:198], Y[:198])  # folds of the same size

    assert stack_sizes == [29, 18, 6, 1]


# The rounds.


@pytest.mark.parametrize(
    ("max_iter", "expected"),
    [
        (17, [2, 6, 17]),
        (200, [22, 67, 200]),
        (9, [1, 3, 9]),
        (8, [1, 3, 8]),
        (4, [1, 4]),  # 4 / 9 of an epoch is no round
        (2, [1, 2]),
        (1, [1]),
    ],
)
def test_the_last_round_and_the_final_fit_have_max_iter_epochs(max_iter, expected):
    network = MLPClassifier(3, max_iter=max_iter, target_loss=10.0, random_state=0)
    search = LearningRateSearchCV(network, rate_range=(0.001, 0.1), cv=2).fit(X[:60], Y[:60])

    assert search.n_resources_ == expected
    assert search.best_params_["max_iter"] == search.best_estimator_.max_iter == max_iter
    assert search.n_candidates_ == [10, 4, 2][: len(expected)]
    assert search.n_iterations_ == search.n_possible_iterations_ == len(expected)
    assert search.n_required_iterations_ == 3
    assert search.n_remaining_candidates_ == [4, 2, 1][len(expected) - 1]
    assert (search.min_resources_, search.max_resources_) == (expected[0], max_iter)


def test_a_final_fit_that_does_not_stop_trains_all_of_its_epochs():
    network = MLPClassifier(3, max_iter=17, n_iter_no_change=np.inf, random_state=0)
    search = LearningRateSearchCV(network, rate_range=(0.001, 0.1), cv=2).fit(X[:60], Y[:60])

    assert search.best_estimator_.n_iter_ == 17


@pytest.mark.parametrize(("factor", "expected"), [(1.1, [1, 2, 3, 4, 5]), (2, [1, 2, 5])])
def test_no_two_rounds_have_the_same_epochs(factor, expected):
    network = MLPClassifier(3, max_iter=5, target_loss=10.0, random_state=0)
    search = LearningRateSearchCV(network, rate_range=(0.001, 0.1), factor=factor, cv=2)

    assert search.fit(X[:60], Y[:60]).n_resources_ == expected


def test_epochs_that_are_a_power_of_the_factor_give_scikit_learns_search():
    network = MLPRegressor(3, solver="sgd", batch_size=20, max_iter=9, random_state=0)
    samples, target = scale(X), X[:, 0]
    rates = (1e-3, 1e5)  # some diverge
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        search = LearningRateSearchCV(network, n_rates=10, rate_range=rates, cv=3).fit(
            samples, target
        )
        expected = HalvingGridSearchCV(
            network, search.param_grid, resource="max_iter", max_resources=9, cv=3
        ).fit(samples, target)

    assert np.isnan(search.cv_results_["mean_test_score"]).any()
    assert search.cv_results_["params"] == expected.cv_results_["params"]
    for name in ("mean_test_score", "iter", "n_resources", "rank_test_score"):
        np.testing.assert_array_equal(search.cv_results_[name], expected.cv_results_[name])
    numbers = [
        name for name in vars(expected) if re.match("n_.*_$|m.._resources_$|best_.*x_$", name)
    ]
    assert len(numbers) >= 9
    assert {name: getattr(search, name) for name in numbers} == {
        name: getattr(expected, name) for name in numbers
    }


# Meta-estimators.

NET, REG = MLPClassifier(3, max_iter=2, random_state=0), MLPRegressor(3, max_iter=2, random_state=0)
XS, YS = scale(X[:90]), np.arange(90) % 3
YM = np.c_[YS % 2, Y[:90]]

META = [
    (CalibratedClassifierCV(NET, cv=2), YS),
    (CalibratedClassifierCV(make_pipeline(StandardScaler(), NET), cv=2, ensemble=False), YS),
    (BaggingClassifier(NET, n_estimators=2, random_state=0), YS),
    (OneVsRestClassifier(NET), YS),
    (OneVsOneClassifier(NET), YS),
    (MultiOutputClassifier(NET), YM),
    (ClassifierChain(NET), YM),
    (VotingClassifier([("net", NET), ("other", LogisticRegression())]), YS),
    (StackingClassifier([("net", NET), ("other", LogisticRegression())], cv=2), YS),
    (StackingClassifier([("other", LogisticRegression())], NET, cv=2), YS),
    (GridSearchCV(NET, {"alpha": [0.0, 1.0]}, cv=2), YS),
    (BaggingRegressor(REG, n_estimators=2, random_state=0), XS[:, 0]),
    (MultiOutputRegressor(REG), XS[:, :2]),
    (RegressorChain(REG), XS[:, :2]),
    (VotingRegressor([("net", REG), ("other", LinearRegression())]), XS[:, 0]),
    (StackingRegressor([("net", REG), ("other", LinearRegression())], cv=2), XS[:, 0]),
    (TransformedTargetRegressor(REG, transformer=StandardScaler()), XS[:, 0]),
]


@pytest.fixture
def few_rates(monkeypatch):
    """A range test of three rates, as the number of them is not the point."""
    monkeypatch.setattr(learning_rate, "RATES", np.array([1e-6, 1e-2, 1e-1]))


@pytest.mark.parametrize(("estimator", "y"), META, ids=lambda value: type(value).__name__)
def test_the_range_test_finds_the_networks_inside_meta_estimators(estimator, y, few_rates):
    search = LearningRateSearchCV(estimator, n_rates=2, cv=2).fit(XS, y)

    losses = search.range_test_["loss"]
    assert np.isfinite(losses).all()
    assert losses[1] < losses[0]
    assert search.predict(XS).shape == y.shape


def test_the_loss_of_several_networks_is_their_mean(few_rates):
    search = LearningRateSearchCV(OneVsRestClassifier(NET), n_rates=2, cv=2).fit(XS, YS)
    # 60 steps are as many epochs, as the batch is all of the samples.
    network = clone(NET).set_params(max_iter=60, learning_rate_init=1e-2)
    networks = OneVsRestClassifier(network).fit(XS, YS).estimators_

    expected = np.mean([network.loss_curve_[-1] for network in networks])
    assert len(networks) == 3
    assert search.range_test_["loss"][1] == pytest.approx(expected)


class Forgetful(ClassifierMixin, BaseEstimator):
    """Keeps nothing of the network it has trained."""

    def __init__(self, network=NET):
        self.network = network

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        clone(self.network).fit(X, y)
        return self

    def predict(self, X):
        return np.full(len(X), self.classes_[0])


def test_a_meta_estimator_that_hides_its_networks_is_told_of_rate_range(few_rates):
    search = LearningRateSearchCV(Forgetful(), n_rates=2, cv=2)
    with pytest.raises(ValueError, match=r"no fitted network.*Forgetful.*rate_range=\(low, high\)"):
        search.fit(XS, YS)
    search.set_params(rate_range=(0.01, 0.1)).fit(XS, YS)

    assert search.n_resources_ == [2]


def test_alphas_are_crossed_with_the_rates():
    search = LearningRateSearchCV(
        make_pipe(), n_rates=3, rate_range=(1e-3, 1e-1), alphas=[0.0, 1.0, 10.0], cv=3
    ).fit(X, Y)

    assert search.n_candidates_[0] == 9
    assert search.rates_ == pytest.approx([1e-3, 1e-2, 1e-1])
    assert set(search.cv_results_[f"param_{PREFIX}alpha"]) == {0.0, 1.0, 10.0}
    assert search.range_test_.empty


def test_a_regressor_within_a_transformed_target_can_be_searched():
    X, y = load_diabetes(return_X_y=True)
    network = MLPRegressor(5, max_iter=40, random_state=0)
    search = LearningRateSearchCV(
        TransformedTargetRegressor(network, transformer=StandardScaler()), n_rates=4, cv=3
    ).fit(X, y)

    assert "regressor__learning_rate_init" in search.best_params_
    assert search.score(X, y) > 0.3


def test_a_network_without_a_seed_is_tested_from_the_same_weights():
    def test_range(seed):
        pipe = make_pipe(random_state=None)
        search = LearningRateSearchCV(pipe, n_rates=2, cv=2, random_state=seed)
        return search.fit(X, Y).range_test_["loss"]

    assert test_range(0).equals(test_range(0))
    assert not test_range(0).equals(test_range(1))


@pytest.mark.filterwarnings("always::sklearn.exceptions.ConvergenceWarning")
def test_only_the_final_fit_warns_of_too_few_epochs():
    pipe = make_pipe(early_stopping=False, tol=0)
    with pytest.warns(ConvergenceWarning) as caught:
        LearningRateSearchCV(pipe, n_rates=3, cv=2).fit(X, Y)

    assert len(caught) == 1


def test_the_estimator_is_left_as_it_is():
    pipe = make_pipe()
    before = repr(pipe.get_params())
    LearningRateSearchCV(pipe, n_rates=2, cv=2).fit(X, Y)

    assert repr(pipe.get_params()) == before


def expected_failures(estimator):
    """Return what scikit-learn's own HalvingGridSearchCV over the same network fails, too."""
    if not sklearn.__version__.startswith("1.6."):
        return {}
    return {"check_classifiers_one_label_sample_weights": "scores of 1.6 ignore the weights"}


@parametrize_with_checks(
    [LearningRateSearchCV(MLPClassifier(5, max_iter=30, random_state=0), n_rates=2, cv=2)],
    expected_failed_checks=expected_failures,
)
@pytest.mark.filterwarnings("ignore")  # as the checks themselves do with other estimators
def test_the_search_passes_scikit_learns_common_checks(estimator, check):
    check(estimator)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"n_rates": 1}, "'n_rates' parameter of LearningRateSearchCV must be an int >= 2. Got 1"),
        ({"factor": 1}, "'factor' parameter.*Got 1"),
        ({"alphas": [-1.0]}, r"'alphas' parameter.*Got \[-1.0\]"),
        ({"alphas": []}, r"'alphas' parameter.*Got \[\]"),
        ({"rate_range": (1, 0.1)}, r"'rate_range' parameter.*Got \(1, 0.1\)"),
        ({"rate_range": (0, 0.1)}, "'rate_range' parameter"),
        ({"n_jobs": "many"}, "'n_jobs' parameter"),
        ({"scoring": "nonsense"}, "'scoring' parameter"),
        ({"estimator": LogisticRegression()}, "exactly one parameter 'learning_rate_init'"),
        ({"estimator": MLPClassifier(solver="lbfgs")}, "solver='lbfgs' has no learning rate"),
        (
            {"estimator": make_pipeline(MLPClassifier(), MLPClassifier())},
            "Found .*mlpclassifier-1__learning_rate_init.*mlpclassifier-2__learning_rate_init",
        ),
    ],
)
def test_bad_parameters_are_refused_by_name(parameters, message):
    search = LearningRateSearchCV(**({"estimator": make_pipe()} | parameters))
    with pytest.raises(ValueError, match=message):
        search.fit(X, Y)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.FitFailedWarning")
@pytest.mark.filterwarnings("ignore:One or more of the test scores")
def test_a_rate_at_which_a_meta_estimator_fails_counts_as_one_that_does_not_help():
    X, y = load_iris(return_X_y=True)
    network = MLPClassifier((8,), max_iter=20, random_state=0)
    model = AdaBoostClassifier(network, n_estimators=2)  # refuses what is worse than random
    search = LearningRateSearchCV(model, cv=2, n_rates=2).fit(scale(X), y)

    assert search.range_test_["loss"].isna().any()
    assert search.best_score_ > 0.5
