import warnings

import numpy as np
import pytest
import sklearn
from sklearn.base import clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.datasets import load_breast_cancer, load_diabetes
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from sknn import MLPClassifier, MLPRegressor
from sknn.model_selection import LearningRateDisplay, LearningRateSearchCV
from sknn.model_selection.learning_rate import choose_range

X, Y = load_breast_cancer(return_X_y=True)
X, Y = X[:200], Y[:200]
PREFIX = "mlpclassifier__"

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def make_pipe(**parameters):
    settings = {"max_iter": 9, "random_state": 0, "early_stopping": True}
    return make_pipeline(StandardScaler(), MLPClassifier(5, **(settings | parameters)))


@pytest.fixture(scope="module")
def search():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return LearningRateSearchCV(make_pipe(), n_rates=6, cv=3).fit(X, Y)


# The range.

RATES = np.logspace(-5, 0, 6)


@pytest.mark.parametrize(
    ("losses", "expected"),
    [
        ([1.0, 1.0, 0.5, 0.0, 0.1, 2.0], (1e-3, 1e-1)),
        ([1.0, 0.95, 0.89, 0.0, 0.3, 0.1], (1e-3, 1e-2)),  # not beyond a rate that is too large
        ([1.0, 0.8, 0.4, 0.0, np.nan, np.nan], (1e-4, 1e-2)),
        ([1.0, 0.8, 0.4, 0.2, 0.1, 0.0], (1e-4, 1.0)),
        ([np.nan, 1.0, 0.0, 1.0, 1.0, 1.0], (1e-4, 1e-2)),  # a single good one
        ([1.0, np.inf, np.inf, np.inf, np.inf, np.inf], (1e-5, 1e-4)),
    ],
)
def test_the_range_runs_from_what_learns_to_what_is_stable(losses, expected):
    assert choose_range(RATES, np.array(losses)) == pytest.approx(expected)


def test_divergence_everywhere_says_what_to_do():
    with pytest.raises(ValueError, match=r"every learning rate.*Scale X"):
        choose_range(RATES, np.full(6, np.nan))


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
    ends = choose_range(table["learning_rate"].to_numpy(), table["loss"].to_numpy())
    assert search.rates_[[0, -1]] == pytest.approx(ends)
    assert ends[0] < 0.01 < ends[1]


def test_the_same_seed_gives_the_same_search(search):
    other = clone(search).fit(X, Y)

    np.testing.assert_array_equal(
        other.cv_results_["mean_test_score"], search.cv_results_["mean_test_score"]
    )


def test_all_networks_of_a_stage_train_together(stack_sizes):
    search = LearningRateSearchCV(make_pipe(), n_rates=6, cv=3)
    search.fit(X[:198], Y[:198])  # folds of the same size

    assert stack_sizes == [29, 18, 6, 1]


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


# The display.


def test_the_display_draws_scores_spread_and_choice(search):
    display = LearningRateDisplay.from_estimator(search)

    np.testing.assert_allclose(display.line_.get_xdata(), search.rates_)
    np.testing.assert_allclose(display.line_.get_ydata(), display.scores.mean(axis=1))
    assert display.scores.shape == (6, 3)
    assert sorted(display.n_epochs) == [3] * 4 + [9] * 2
    assert display.best_rate == search.best_params_[f"{PREFIX}learning_rate_init"]
    assert display.best_line_.get_xdata() == [display.best_rate] * 2
    assert display.fill_between_ is not None
    assert display.ax_.get_xscale() == "log"
    assert display.figure_ is display.ax_.figure


def test_the_display_takes_axes_and_options(search):
    first = LearningRateDisplay.from_estimator(search)
    second = LearningRateDisplay.from_estimator(
        search, ax=first.ax_, std_display_style=None, line_kw={"color": "red"}
    )

    assert second.ax_ is first.ax_
    assert second.fill_between_ is None
    assert second.line_.get_color() == "red"


def test_the_display_shows_a_search_of_scikit_learn_and_the_best_of_each_rate():
    grid = {"learning_rate_init": [0.001, 0.1], "alpha": [0.0, 100.0]}
    network = MLPClassifier(5, max_iter=5, random_state=0, early_stopping=True)
    found = GridSearchCV(network, grid, cv=3, scoring="neg_log_loss").fit(X / X.std(axis=0), Y)
    display = LearningRateDisplay.from_estimator(found)

    scores = found.cv_results_["mean_test_score"].reshape(2, 2)  # alpha changes most slowly
    np.testing.assert_allclose(display.line_.get_ydata(), scores.max(axis=0))
    assert display.n_epochs is None
    assert display.ax_.get_ylabel() == "neg log loss"


def test_the_display_refuses_what_it_cannot_draw(search):
    with pytest.raises(NotFittedError):
        LearningRateDisplay.from_estimator(GridSearchCV(MLPClassifier(), {}))
    other = GridSearchCV(LogisticRegression(max_iter=5000), {"C": [1.0]}, cv=2).fit(X, Y)
    with pytest.raises(ValueError, match=r"over one parameter 'learning_rate_init'.*param_C"):
        LearningRateDisplay.from_estimator(other)
    with pytest.raises(ValueError, match="'std_display_style' parameter"):
        LearningRateDisplay.from_estimator(search, std_display_style="stars")
